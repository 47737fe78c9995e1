"""A conversation as a LangGraph state graph: route a line to an intent, look up, reply.

The user comes from the session, never from a line or a model; a change to the graph needs the
user's confirmation. With a large model, that model replies instead of the router, by the same
functions.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, cast

from kinfolio.errors import BadConfig, BadInput, NotFound, NotReady
from kinfolio.llm_explain.conversation.answers import Answers, Reply
from kinfolio.llm_explain.conversation.intents import IntentHandler, State, ask_intent, decline
from kinfolio.llm_explain.conversation.phrases import phrase
from kinfolio.llm_explain.conversation.router import MAX_LINE_CHARACTERS, Route
from kinfolio.llm_explain.conversation.user_data import resolve

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from kinfolio.cypher.graph import Graph

FAREWELLS = frozenset({"bye", "goodbye", "quit", "exit"})
_MAX_TURNS = 6
"""Turns in the state, for a large model."""

Answer = dict[str, Any]
"""One JSON document: intent, confidence, text and the fields of the intent. Any: JSON values."""


class Routes(Protocol):
    """Finds the intent of a line."""

    def route(self, text: str) -> Route:
        """Return the intent of a line."""
        ...


class Responder(Protocol):
    """Replies to a line by a large model."""

    def reply(self, line: str, state: State, handler: IntentHandler) -> tuple[str, Reply] | None:
        """Return intent and reply; None where no reply passes the check."""
        ...


class _State(TypedDict, total=False):
    line: str
    intent: str
    confidence: float
    asks_back: bool
    last_list: list[list[str]]
    last_product: list[str]
    last_intent: str
    last_dismissed: list[str]
    pending_intent: str
    question: dict[str, Any]
    filters: dict[str, Any]
    turns: list[list[str]]
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
    ) -> None:
        """Start a conversation, or resume the thread.

        Raises:
            NotFound: there is no such user.
        """
        from langgraph.checkpoint.memory import InMemorySaver

        require_user(answers.graph, answers.user)
        self._answers = answers
        self._handler = IntentHandler(answers)
        self._router = router
        self._agent = agent
        self._checkpointer = checkpointer or InMemorySaver()
        self._is_deleted = False
        # A thread belongs to its user: another user's thread of that name is another thread.
        thread_id = json.dumps([answers.user, thread])
        self._config = {"configurable": {"thread_id": thread_id}}
        if thread is None:
            self._checkpointer.delete_thread(thread_id)
        self._flow = self._compile()

    def answer(self, line: str) -> Answer:
        """Answer one line."""
        if self._is_deleted:
            return _document("my_data", 1.0, Reply(phrase("gone")))
        line = " ".join(line.split())
        if len(line) > MAX_LINE_CHARACTERS:
            reply = Reply(phrase("too_long", most=f"{MAX_LINE_CHARACTERS:,}"))
            return _document("unsupported", 1.0, reply)
        state = self._flow.invoke({"line": line, "answer": {}}, self._config)
        answer: Answer = state["answer"]
        if answer.get("deleted"):
            self._is_deleted = True
            self._delete_threads()
        return answer

    def _delete_threads(self) -> None:
        """Delete all threads of the user."""
        prefix = f"{json.dumps([self._answers.user])[:-1]}, "
        threads = {
            str(one.config["configurable"]["thread_id"]) for one in self._checkpointer.list(None)
        }
        # Neo4jSaver does not list all threads: read those of the user from the graph.
        rows = self._answers.graph.read("change_threads", prefix=prefix)
        for thread in sorted(threads | {row["thread"] for row in rows}):
            if thread.startswith(prefix):
                self._checkpointer.delete_thread(thread)

    def _compile(self) -> Any:
        # Any: the compiled graph has four type parameters that say nothing here.
        from langgraph.graph import END, START, StateGraph

        flow: Any = StateGraph(_State)
        steps = [("resolve", self._resolve), ("route", self._route), ("look_up", self._look_up)]
        if self._agent is not None:
            steps.insert(1, ("agent", self._ask_agent))
        for name, step in [*steps, ("remember", _remember)]:
            flow.add_node(name, step)
        flow.add_edge(START, "resolve")
        for (name, _), (following, _) in pairwise(steps):
            flow.add_conditional_edges(name, _unless_answered(following), [following, "remember"])
        flow.add_edge("look_up", "remember")
        flow.add_edge("remember", END)
        return flow.compile(checkpointer=self._checkpointer)

    def _resolve(self, state: _State) -> _State:
        """Apply a yes or no to the open question; any other line drops the question."""
        question = state.get("question")
        if not question:
            return {}
        try:
            reply = resolve(self._answers, question, state["line"])
        except (NotFound, NotReady, BadInput, BadConfig) as error:
            reply = Reply(str(error))
        if reply is None:
            return {"question": {}}
        intent = "my_data" if question["action"].startswith("delete") else "dismiss"
        return {"question": {}, **_answered(Route(intent, 1.0, False), reply)}

    def _ask_agent(self, state: _State) -> _State:
        assert self._agent is not None
        found = self._agent.reply(state["line"], state, self._handler)
        if found is None:
            return {}
        intent, reply = found
        return {"pending_intent": "", **_answered(Route(intent, 1.0, False), reply)}

    def _route(self, state: _State) -> _State:
        line = state["line"]
        try:
            route = self._router.route(line)
        except BadInput as error:
            return {"answer": _document("unsupported", 1.0, Reply(str(error)))}
        intent = self._intent_of_state(line, state, route)
        return {
            "intent": intent or route.intent,
            "confidence": route.confidence,
            "asks_back": route.asks_back and intent is None,
        }

    def _intent_of_state(self, line: str, state: _State, route: Route) -> str | None:
        """Return the intent that the state determines, None where the router decides."""
        pending = state.get("pending_intent")
        # After "which product?" a bare name or position is the answer to that.
        if pending and (route.asks_back or len(line.split()) <= 4):
            product = self._handler.mention(line, state).product
            if product is not None and not line.casefold().startswith("why"):
                return pending
        return self._handler.follow_up(line, state, route.intent if route.asks_back else None)

    def _look_up(self, state: _State) -> _State:
        line, intent = state["line"], state["intent"]
        route = Route(intent, state["confidence"], state["asks_back"])
        if route.asks_back:
            # No need to ask where the line is about other people, tax and the like.
            declined = decline(line) if intent == "unsupported" else None
            if declined is None or declined.fields["declined"] == "unsupported":
                return _answered(route, ask_intent(intent))
            return _answered(Route(intent, route.confidence, False), declined)
        try:
            reply = self._handler.reply(intent, line, state)
        except (NotFound, NotReady, BadInput, BadConfig) as error:
            reply = Reply(str(error))
        updates: _State = {"pending_intent": "", **_answered(route, reply)}
        # What "and the second one?" repeats: an answer about products, not a question.
        if "product" in reply.fields or "products" in reply.fields:
            updates["last_intent"] = intent
        return updates


def require_user(graph: Graph, user_id: str) -> None:
    """Check that there is such a user.

    Raises:
        NotFound: there is not.
    """
    if not graph.read("chat_user", user_id=user_id):
        raise NotFound(f"there is no user {user_id!r} in the graph; check the id")


def _unless_answered(following: str) -> Any:
    # Any: LangGraph's type of a path function.
    return lambda state: "remember" if state.get("answer") else following


def _remember(state: _State) -> _State:
    turns = [*(state.get("turns") or []), [state["line"], state["answer"]["text"]]]
    return {"turns": turns[-_MAX_TURNS:]}


def _answered(route: Route, reply: Reply) -> _State:
    document = _document(route.intent, route.confidence, reply, route.asks_back)
    return cast(_State, {"answer": document, **reply.updates})


def _document(intent: str, confidence: float, reply: Reply, asks_back: bool = False) -> Answer:
    head = {"intent": intent, "confidence": confidence, "text": reply.text, "asks_back": asks_back}
    return {**head, **reply.fields}
