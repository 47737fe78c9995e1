"""A conversation: each line is routed to an intent, looked up, and put in words.

A LangGraph state graph. The user's id comes from the session and never from a line or a model;
what cannot be done is said. The functions that recommend are handed in: this room may not import
the room that has them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from kinfolio.errors import BadInput, NotFound, NotReady
from kinfolio.llm_explain.clauses import load_clauses
from kinfolio.llm_explain.explain import as_document
from kinfolio.llm_explain.mention import Listed, Mention, find_mention
from kinfolio.records import Explanation, Recommendations, WhyNot

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from kinfolio.cypher.graph import Graph
    from kinfolio.llm_explain.router import Route

LIST_LENGTH = 5
FAREWELLS = frozenset({"bye", "goodbye", "quit", "exit"})
_GREETINGS = ("hello", "hi", "hey", "good morning", "good evening")

Answer = dict[str, Any]
"""One JSON document: intent, confidence, text and what the intent adds. Any: JSON values."""


class Routes(Protocol):
    """What a router must do."""

    def route(self, text: str) -> Route:
        """What a line wants."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a conversation may call, always with the session's user."""

    recommend: Callable[[str, int], Recommendations]
    why_not: Callable[[str, str], WhyNot]
    explain: Callable[[str, str], Explanation]


class _State(TypedDict, total=False):
    line: str
    intent: str
    confidence: float
    asks_back: bool
    listed: list[list[str]]
    last: list[str]
    pending: str
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
        thread: str = "default",
        memory: BaseCheckpointSaver[Any] | None = None,
    ) -> None:
        """Begin, or go on where the thread ended.

        Raises:
            NotFound: there is no such user.
        """
        if not graph.read("chat_user", user_id=user_id):
            raise NotFound(f"there is no user {user_id!r} in the graph; check the id")
        self._user = user_id
        self._graph = graph
        self._tools = tools
        self._router = router
        # A thread belongs to its user: nobody reads on in the thread of another.
        self._config = {"configurable": {"thread_id": f"{user_id}\0{thread}"}}
        self._flow = self._compile(memory)

    def answer(self, line: str) -> Answer:
        """The answer to one line."""
        state = self._flow.invoke({"line": line}, self._config)
        answer: Answer = state["answer"]
        return answer

    def _compile(self, memory: BaseCheckpointSaver[Any] | None) -> Any:
        # Any: the compiled graph's type has the state's type in it several times over.
        from langgraph.checkpoint.memory import InMemorySaver
        from langgraph.graph import END, START, StateGraph

        flow: Any = StateGraph(_State)
        steps = {
            "recommend": self._recommend,
            "why_this": self._why_this,
            "why_not": self._why_not,
            "small_talk": self._small_talk,
            "ask_back": self._ask_back,
            "decline": self._decline,
        }
        flow.add_node("route", self._route)
        flow.add_edge(START, "route")
        for name, step in steps.items():
            flow.add_node(name, step)
            flow.add_edge(name, END)
        flow.add_conditional_edges("route", _next_step, list(steps))
        return flow.compile(checkpointer=memory or InMemorySaver())

    def _route(self, state: _State) -> _State:
        try:
            route = self._router.route(state["line"])
        except BadInput as error:
            return {"intent": "unsupported", "confidence": 1.0, "asks_back": False, **_told(error)}
        found: _State = {
            "intent": route.intent,
            "confidence": route.confidence,
            "asks_back": route.asks_back,
            "answer": {},
        }
        pending = state.get("pending")
        # After "which product?" a bare name or place is the answer to that.
        if pending and (route.asks_back or len(state["line"].split()) <= 4):
            mention = self._mention(state)
            if mention.product is not None and not state["line"].casefold().startswith("why"):
                found |= {"intent": pending, "asks_back": False}
        return found

    def _recommend(self, state: _State) -> _State:
        found = self._tools.recommend(self._user, LIST_LENGTH)
        lines = [f"{p.rank}. {load_clauses().shown_name(p.name)}" for p in found.products]
        head = "popular_list" if found.source == "popularity" else "list"
        text = "\n".join([_say(head), *lines]) if lines else _say("empty_list")
        products = [
            {"rank": p.rank, "product": p.product, "name": p.name, "score": p.score}
            for p in found.products
        ]
        listed = [[p.product, p.name] for p in found.products]
        return _answered(state, text, products=products) | {"listed": listed, "pending": ""}

    def _why_this(self, state: _State) -> _State:
        mention = self._mention(state)
        if mention.product is None:
            return self._ask_which(state, mention)
        product = mention.product
        try:
            found = self._tools.explain(self._user, product.product)
        except (NotReady, NotFound) as error:
            return _answered(state, str(error))
        document = as_document(found, self._graph.names)
        answer = _answered(state, found.text, product=product.product, explanation=document)
        return answer | {"last": [product.product, product.name], "pending": ""}

    def _why_not(self, state: _State) -> _State:
        mention = self._mention(state)
        if mention.product is None:
            return self._ask_which(state, mention)
        product = mention.product
        found = self._tools.why_not(self._user, product.product)
        name = load_clauses().shown_name(product.name)
        broken = [_texts()["rules"][rule.rule] for rule in found.rules if not rule.passed]
        if broken:
            text = _say("kept", product=name, rules=load_clauses().listed(broken))
        elif found.rank is None:
            text = _say("allowed_unranked", product=name)
        else:
            text = _say("allowed", product=name, rank=found.rank)
        rules = [{"rule": rule.rule, "passed": rule.passed} for rule in found.rules]
        answer = _answered(state, text, product=product.product, rules=rules, rank=found.rank)
        return answer | {"last": [product.product, product.name], "pending": ""}

    def _small_talk(self, state: _State) -> _State:
        line = state["line"].casefold().strip(" .!?")
        if line in _GREETINGS:
            return _answered(state, _say("hello"))
        return _answered(state, _say("thanks" if "thank" in line else "small_talk"))

    def _ask_back(self, state: _State) -> _State:
        offers = _texts()["offers"]
        others = [intent for intent in ("recommend", "why_this") if intent != state["intent"]]
        text = _say("unsure", first=offers[state["intent"]], second=offers[others[0]])
        return _answered(state, text)

    def _decline(self, state: _State) -> _State:
        if state.get("answer"):
            return {}
        texts = _texts()
        text = {**texts["not_yet"], **texts["never"]}[state["intent"]]
        return _answered(state, text)

    def _ask_which(self, state: _State, mention: Mention) -> _State:
        listed = state.get("listed") or []
        if mention.missing_rank is not None:
            text = _say("not_in_list", rank=mention.missing_rank, length=len(listed))
        else:
            text = _say("which")
        return _answered(state, text) | {"pending": state["intent"]}

    def _mention(self, state: _State) -> Mention:
        listed = [Listed(product, name) for product, name in state.get("listed") or []]
        last = state.get("last")
        return find_mention(
            state["line"], self._graph, listed, Listed(last[0], last[1]) if last else None
        )


def _next_step(state: _State) -> str:
    if state["asks_back"]:
        return "ask_back"
    known = ("recommend", "why_this", "why_not", "small_talk")
    return state["intent"] if state["intent"] in known else "decline"


def _answered(state: _State, text: str, **more: Any) -> _State:
    head = {"intent": state["intent"], "confidence": state["confidence"], "text": text}
    return {"answer": {**head, "asks_back": state["asks_back"], **more}}


def _told(error: Exception) -> _State:
    head = {"intent": "unsupported", "confidence": 1.0, "text": str(error), "asks_back": False}
    return {"answer": head}


@cache
def _texts() -> dict[str, dict[str, str]]:
    file = files("kinfolio.llm_explain").joinpath("chat_en.toml")
    return tomllib.loads(file.read_text("utf-8"))


def _say(key: str, **fields: Any) -> str:
    return _texts()["say"][key].format(**fields)
