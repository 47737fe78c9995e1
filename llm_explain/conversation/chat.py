"""A conversation: each line is routed to an intent, looked up, and put in words.

A LangGraph state graph with a memory by thread. The user's id comes from the session and never
from a line or a model; what cannot be done is said; what would change the graph is asked about
first. A large model, where there is one, answers in place of the router with the same functions.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from kinfolio.errors import (
    BadConfig,
    BadInput,
    KinfolioError,
    NotFound,
    NotReady,
)
from kinfolio.llm_explain.conversation.answers import Answers, Said
from kinfolio.llm_explain.conversation.intents import Lines, decline, unsure
from kinfolio.llm_explain.conversation.own_data import settle
from kinfolio.llm_explain.conversation.phrases import say
from kinfolio.llm_explain.conversation.router import LONGEST_LINE
from kinfolio.llm_explain.conversation.tools import Tools

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from kinfolio.cypher.graph import Graph
    from kinfolio.llm_explain.agent.agent import Agent
    from kinfolio.llm_explain.conversation.router import Route

FAREWELLS = frozenset({"bye", "goodbye", "quit", "exit"})
_REMEMBERED_TURNS = 6
"""Turns that a large model is shown."""

Answer = dict[str, Any]
"""One JSON document: intent, confidence, text and what the intent adds. Any: JSON values."""


class Routes(Protocol):
    """What a router must do."""

    def route(self, text: str) -> Route:
        """What a line wants."""
        ...


class _State(TypedDict, total=False):
    line: str
    intent: str
    confidence: float
    asks_back: bool
    listed: list[list[str]]
    last: list[str]
    told: str
    pending: str
    asked: dict[str, Any]
    wishes: dict[str, Any]
    dismissed: list[str]
    turns: list[list[str]]
    answer: Answer


class Chat:
    """One conversation with one user."""

    def __init__(
        self,
        user_id: str,
        graph: Graph,
        tools: Tools,
        router: Routes,
        *,
        thread: str | None = None,
        memory: BaseCheckpointSaver[Any] | None = None,
        agent: Agent | None = None,
    ) -> None:
        """Begin, or go on where the thread ended; without a thread, begin anew.

        Raises:
            NotFound: there is no such user.
        """
        from langgraph.checkpoint.memory import InMemorySaver

        need_user(graph, user_id)
        self._user = user_id
        self._answers = Answers(user_id, graph, tools)
        self._lines = Lines(self._answers)
        self._router = router
        self._agent = agent
        self._memory = memory or InMemorySaver()
        self._is_gone = False
        # A thread belongs to its user: nobody reads on in the thread of another.
        name = json.dumps([user_id, thread])
        self._config = {"configurable": {"thread_id": name}}
        if thread is None:
            self._memory.delete_thread(name)
        self._flow = self._compile()

    def answer(self, line: str) -> Answer:
        """The answer to one line."""
        if self._is_gone:
            return _document("my_data", 1.0, Said(say("gone")))
        line = " ".join(line.split())
        if len(line) > LONGEST_LINE:
            return _document("unsupported", 1.0, Said(say("too_long", most=f"{LONGEST_LINE:,}")))
        state = self._flow.invoke({"line": line, "answer": {}}, self._config)
        answer: Answer = state["answer"]
        if answer.get("deleted"):
            self._is_gone = True
            self._forget()
        return answer

    def _forget(self) -> None:
        """Takes the user's conversations out of the memory."""
        own = f"{json.dumps([self._user])[:-1]}, "
        threads = {str(one.config["configurable"]["thread_id"]) for one in self._memory.list(None)}
        # Memory in the graph does not list the threads that it has.
        threads |= {row["thread"] for row in self._answers.graph.read("change_threads", prefix=own)}
        for thread in sorted(threads):
            if thread.startswith(own):
                self._memory.delete_thread(thread)

    def _compile(self) -> Any:
        # Any: the compiled graph's type has the state's type in it several times over.
        from langgraph.graph import END, START, StateGraph

        flow: Any = StateGraph(_State)
        flow.add_node("settle", self._settle)
        flow.add_node("model", self._model)
        flow.add_node("route", self._route)
        flow.add_node("look_up", self._look_up)
        flow.add_node("remember", _remember)
        flow.add_edge(START, "settle")
        first = "model" if self._agent is not None else "route"
        flow.add_conditional_edges("settle", _unless_answered(first), [first, "remember"])
        flow.add_conditional_edges("model", _unless_answered("route"), ["route", "remember"])
        flow.add_conditional_edges("route", _unless_answered("look_up"), ["look_up", "remember"])
        flow.add_edge("look_up", "remember")
        flow.add_edge("remember", END)
        return flow.compile(checkpointer=self._memory)

    def _settle(self, state: _State) -> _State:
        """A yes or no to what was asked; another line lets the question drop."""
        asked = state.get("asked")
        if not asked:
            return {}
        try:
            said = settle(self._answers, asked, state["line"])
        except (NotFound, NotReady, BadInput, BadConfig) as error:
            said = Said(str(error))
        cleared: _State = {"asked": {}}
        if said is None:
            return cleared
        intent = "my_data" if asked["action"].startswith("delete") else "dismiss"
        return cleared | _answered({"intent": intent, "confidence": 1.0, "asks_back": False}, said)

    def _model(self, state: _State) -> _State:
        """The large model's answer; nothing where it had none that passes the check."""
        assert self._agent is not None
        found = self._agent.answer(
            state["line"], state.get("turns") or [], self._answers, self._lines, state
        )
        if found is None:
            return {}
        intent, said = found
        head: _State = {"intent": intent, "confidence": 1.0, "asks_back": False, "pending": ""}
        return head | _answered(head, said)

    def _route(self, state: _State) -> _State:
        line = state["line"]
        try:
            route = self._router.route(line)
        except BadInput as error:
            return _told(error)
        found: _State = {
            "intent": route.intent,
            "confidence": route.confidence,
            "asks_back": route.asks_back,
        }
        pending = state.get("pending")
        # After "which product?" a bare name or place is the answer to that.
        if pending and (route.asks_back or len(line.split()) <= 4):
            mention = self._lines.mention(line, state)
            if mention.product is not None and not line.casefold().startswith("why"):
                return found | {"intent": pending, "asks_back": False}
        guess = route.intent if route.asks_back else None
        if (intent := self._lines.goes_on(line, state, guess)) is not None:
            return found | {"intent": intent, "asks_back": False}
        return found

    def _look_up(self, state: _State) -> _State:
        intent = state["intent"]
        if state["asks_back"]:
            declined = decline(state["line"]) if intent == "unsupported" else None
            # Not sure, but it speaks of other people, tax and the like: no need to ask.
            if declined is None or declined.fields["declined"] == "unsupported":
                return _answered(state, unsure(intent))
            return _answered({**state, "asks_back": False}, declined)
        try:
            said = self._lines.answer(intent, state["line"], state)
        except (NotFound, NotReady, BadInput, BadConfig) as error:
            said = Said(str(error))
        return {"pending": ""} | _answered(state, said) | _kept_intent(intent, said)


def need_user(graph: Graph, user_id: str) -> None:
    """Nothing, when there is such a user.

    Raises:
        NotFound: there is not.
    """
    if not graph.read("chat_user", user_id=user_id):
        raise NotFound(f"there is no user {user_id!r} in the graph; check the id")


def _unless_answered(otherwise: str) -> Any:
    def choose(state: _State) -> str:
        return "remember" if state.get("answer") else otherwise

    return choose


def _remember(state: _State) -> _State:
    turns = [*(state.get("turns") or []), [state["line"], state["answer"]["text"]]]
    return {"turns": turns[-_REMEMBERED_TURNS:]}


def _kept_intent(intent: str, said: Said) -> _State:
    # What "and the second one?" goes on with: an answer about products, not a question back.
    is_about = "product" in said.fields or "products" in said.fields
    return {"told": intent} if is_about else {}


def _answered(state: _State, said: Said) -> _State:
    document = _document(state["intent"], state["confidence"], said, state["asks_back"])
    kept: Any = {"answer": document, **said.keeps}  # Any: the keys are those of the state
    return kept  # type: ignore[no-any-return]


def _document(intent: str, confidence: float, said: Said, asks_back: bool = False) -> Answer:
    head = {"intent": intent, "confidence": confidence, "text": said.text, "asks_back": asks_back}
    return {**head, **said.fields}


def _told(error: KinfolioError) -> _State:
    return {"answer": _document("unsupported", 1.0, Said(str(error)))}
