"""A conversation: route a line to an intent, read, reply; LangGraph stores the state by thread.

The user comes from the session, never from a line or a model; a change to the graph needs the
user's confirmation. With a large model, that model replies instead of the router, by the same
functions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypedDict, TypeVar

from kinfolio.cypher.graph import Graph
from kinfolio.events.log import EventLog
from kinfolio.gnn.serving.not_found import user_not_found
from kinfolio.llm_explain.conversation.answers import Answers, Reply
from kinfolio.llm_explain.conversation.intents import IntentHandler
from kinfolio.llm_explain.conversation.language.careful import answer_to, find_topic
from kinfolio.llm_explain.conversation.language.questions import (
    joined_answers,
    split_questions,
)
from kinfolio.llm_explain.conversation.language.speech import (
    language,
    language_of,
    requested_language,
    speaking,
)
from kinfolio.llm_explain.conversation.lookup import State
from kinfolio.llm_explain.conversation.phrases import phrase
from kinfolio.llm_explain.conversation.reading import (
    Reading,
    Routes,
    reply_or_error,
    with_updates,
)
from kinfolio.llm_explain.conversation.router import MAX_LINE_CHARACTERS, Route
from kinfolio.llm_explain.conversation.user_data import (
    delete_user,
    is_confirmed_deletion,
    resolve,
)
from kinfolio.llm_explain.memory.threads import thread_id

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

FAREWELLS = frozenset({"bye", "goodbye", "quit", "exit"})
_MAX_TURNS = 6
"""Turns in the state, for a large model."""
_MAX_REQUEST_WORDS = 6
"""A longer line, like "what do you recommend? auf Deutsch bitte", also asks something else."""

Answer = dict[str, Any]
"""One JSON document: intent, confidence, text and the fields of the intent. Any: JSON values."""


class Mentioned(NamedTuple):
    """The products of one answer."""

    explained: str | None
    """The product whose evidence the text cites."""
    products: tuple[str, ...]
    """Ids of all products that the answer is about."""


class Responder(Protocol):
    """Replies to a line by a large model."""

    def reply(self, line: str, state: State, handler: IntentHandler) -> tuple[str, Reply] | None:
        """Return intent and reply; None where no reply passes the check."""
        ...


_Updates = dict[str, Any]
"""Changes to the state. Any: JSON values."""
_Reply = TypeVar("_Reply", Reply, Reply | None)


class _State(TypedDict, total=False):
    line: str
    last_list: list[list[str]]
    last_product: list[str]
    last_intent: str
    last_dismissed: list[str]
    pending_intent: str
    choices: list[list[str]]
    offers: list[str]
    unclear: str
    earlier: list[dict[str, Any]]
    question: dict[str, Any]
    filters: dict[str, Any]
    turns: list[list[str]]
    mentioned: list[list[str]]
    language: str
    answer: Answer


class Chat:
    """One conversation with one user."""

    def __init__(
        self,
        answers: Answers,
        router: Routes,
        *,
        thread: str | None = None,
        checkpointer: BaseCheckpointSaver[Any] | None = None,
        agent: Responder | None = None,
        events: EventLog | None = None,
    ) -> None:
        """Start a conversation, or resume the thread.

        `events`: the log from which a deletion of the user's data also removes the user.

        Raises:
            NotFound: there is no such user.
        """
        from langgraph.checkpoint.memory import InMemorySaver

        require_user(answers.graph, answers.user)
        self._answers = answers
        self._handler = IntentHandler(answers)
        self._reading = Reading(self._handler, router)
        self._agent = agent
        self._checkpointer = checkpointer or InMemorySaver()
        self._events = events
        self._is_deleted = False
        own_id = thread_id(answers.user, thread)
        self._config = {"configurable": {"thread_id": own_id}}
        if thread is None:
            self._checkpointer.delete_thread(own_id)
        self._flow = self._compile()

    def answer(self, line: str) -> Answer:
        """Answer one line, in its language; where that is unclear, in that of the line before.

        Raises:
            NotFound: the user was deleted meanwhile.
        """
        line = " ".join(line.split())
        default = self._answers.default_language
        if self._is_deleted:
            with speaking(language_of(line) or default):
                return _document(Route("my_data", 1.0, False), Reply(phrase("gone")))
        # Deleted in another conversation: this one must not be stored again.
        require_user(self._answers.graph, self._answers.user)
        state: dict[str, Any] = self._flow.get_state(self._config).values  # Any: JSON values
        before = state.get("language", default)
        with speaking(requested_language(line) or self._language_of(line, state) or before):
            return self._answer(line, state.get("question"))

    def _answer(self, line: str, question: dict[str, Any] | None) -> Answer:
        if len(line) > MAX_LINE_CHARACTERS:
            reply = Reply(phrase("too_long", most=f"{MAX_LINE_CHARACTERS:,}"))
            return _document(Route("unsupported", 1.0, False), reply)
        if question and is_confirmed_deletion(question, line):
            return self._delete_user()
        # A large model, and an answer to a question, take the whole line.
        parts = [line] if question or self._agent else split_questions(line)
        return joined_answers([self._answer_part(part) for part in parts])

    def _answer_part(self, line: str) -> Answer:
        line_of_language = {"line": line, "language": language()}
        answer: Answer = self._flow.invoke(line_of_language, self._config)["answer"]
        return answer

    def _language_of(self, line: str, state: State) -> str | None:
        if len(line) > MAX_LINE_CHARACTERS:
            return None
        return language_of(self._handler.products.mask_names(line, state))

    def turns(self) -> list[list[str]]:
        """Return the last lines and their answers, oldest first."""
        state: dict[str, Any] = self._flow.get_state(self._config).values  # Any: JSON values
        return list(state.get("turns") or ())

    def mentioned(self) -> list[Mentioned]:
        """Return the products of each of `turns`; none of those of an older kinfolio."""
        state: dict[str, Any] = self._flow.get_state(self._config).values  # Any: JSON values
        found = [Mentioned(one or None, tuple(ids)) for one, *ids in state.get("mentioned") or ()]
        lacking = len(state.get("turns") or ()) - len(found)
        return [Mentioned(None, ())] * lacking + found

    def forget(self) -> None:
        """Delete this conversation."""
        self._checkpointer.delete_thread(self._config["configurable"]["thread_id"])

    def _delete_user(self) -> Answer:
        """Delete the user, and all of the user's conversations and events."""
        answers = self._answers
        delete_user(answers.graph, answers.user, self._checkpointer, self._events)
        self._is_deleted = True
        reply = Reply(phrase("deleted"), {"deleted": True})
        return _document(Route("my_data", 1.0, False), reply)

    def _compile(self) -> Any:
        # Any: the four type parameters of a compiled graph.
        from langgraph.graph import END, START, StateGraph

        flow: Any = StateGraph(_State)
        # Two steps, so that an error in the second leaves no question open.
        flow.add_sequence([("resolve", self._resolve), ("reply", self._reply)])
        flow.add_edge(START, "resolve")
        flow.add_edge("reply", END)
        return flow.compile(checkpointer=self._checkpointer)

    def _resolve(self, state: _State) -> _Updates:
        """Apply a yes or no to the open question; any other line drops the question."""
        updates: _Updates = {"question": {}, "answer": {}}
        if question := state.get("question"):
            intent = "my_data" if question["action"].startswith("delete") else "dismiss"
            reply = reply_or_error(lambda: resolve(self._answers, question, state["line"]))
            if reply is not None:
                updates |= _answered(state, Route(intent, 1.0, False), reply)
        return updates

    def _reply(self, state: _State) -> _Updates:
        if state["answer"]:
            return {}
        found = self._fixed_answer(state) or self._ask_agent(state) or self._reading.reply(state)
        return _answered(state, *found)

    def _fixed_answer(self, state: _State) -> tuple[Route, Reply] | None:
        """Return an answer that no router and no model may change; None for any other line."""
        line = state["line"]
        if requested_language(line) and len(line.split()) <= _MAX_REQUEST_WORDS:
            return Route("small_talk", 1.0, False), Reply(phrase("language_set"))
        topic = find_topic(self._handler.products.mask_names(line, state))
        if topic is None:
            return None
        if topic.key == "prices" and self._handler.own_property(line, state):
            return None
        declined = {"declined": topic.key} if topic.intent == "unsupported" else {}
        reply = Reply(answer_to(topic, self._answers.contact), {"topic": topic.key, **declined})
        return Route(topic.intent, 1.0, False), reply

    def _ask_agent(self, state: _State) -> tuple[Route, Reply] | None:
        found = self._agent and self._agent.reply(state["line"], state, self._handler)
        if not found:
            return None
        intent, reply = found
        return Route(intent, 1.0, False), with_updates(reply, pending_intent="", choices=[])


def mentioned(answer: Answer) -> Mentioned:
    """Return the products of an answer."""
    product = answer.get("product")
    listed = [
        one["product"] if isinstance(one, dict) else one for one in answer.get("products", ())
    ]
    ids = dict.fromkeys([product, *listed] if product else listed)
    return Mentioned(product if "explanation" in answer else None, tuple(map(str, ids)))


def require_user(graph: Graph, user_id: str) -> None:
    """Check that there is such a user.

    Raises:
        NotFound: there is not.
    """
    if not graph.read("chat_user", user_id=user_id):
        raise user_not_found(graph, user_id)


def _answered(state: _State, route: Route, reply: Reply) -> _Updates:
    if not state.get("turns"):
        disclosure = phrase("disclosure")
        reply = replace(
            reply,
            text=f"{disclosure}\n{reply.text}",
            fields={**reply.fields, "disclosure": disclosure},
        )
    answer = _document(route, reply)
    found = mentioned(answer)
    turns = [*state.get("turns", ()), [state["line"], reply.text]][-_MAX_TURNS:]
    ids = [found.explained or "", *found.products]
    all_ids = [*state.get("mentioned", ()), ids][-_MAX_TURNS:]
    return {**reply.updates, "turns": turns, "mentioned": all_ids, "answer": answer}


def _document(route: Route, reply: Reply) -> Answer:
    return {
        "intent": route.intent,
        "confidence": route.confidence,
        "text": reply.text,
        "asks_back": route.asks_back,
        **reply.fields,
    }
