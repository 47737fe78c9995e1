"""From a line without a fixed answer to a reply: patterns, the state, and the router in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from kinfolio.errors import BadConfig, BadInput, NotFound, NotReady
from kinfolio.llm_explain.conversation.answers import Reply
from kinfolio.llm_explain.conversation.intents import IntentHandler, ask_intent, decline
from kinfolio.llm_explain.conversation.language.patterns import pattern
from kinfolio.llm_explain.conversation.lookup import State
from kinfolio.llm_explain.conversation.mention import choice_of
from kinfolio.llm_explain.conversation.phrases import phrase
from kinfolio.llm_explain.conversation.router import Route
from kinfolio.llm_explain.conversation.sayings import contract_intent, find_saying

_MAX_NO_WORDS = 3
_Reply = TypeVar("_Reply", Reply, Reply | None)


class Routes(Protocol):
    """Finds the intent of a line."""

    def route(self, text: str) -> Route:
        """Return the intent of a line."""
        ...


class Reading:
    """Finds the intent of each line, and lets the handler reply."""

    def __init__(self, handler: IntentHandler, router: Routes) -> None:
        self._handler = handler
        self._router = router

    def reply(self, state: State) -> tuple[Route, Reply]:
        """Return the intent and the reply to the line of a state."""
        if state.get("pending_intent") and _is_plain_no(state["line"]):
            return Route("small_talk", 1.0, False), with_updates(
                Reply(phrase("all_right")), pending_intent="", choices=[], offers=[]
            )
        line, intended = self._read_answer(state)
        try:
            route = Route(intended, 1.0, False) if intended else self._route(line, state)
        except BadInput as error:
            return Route("unsupported", 1.0, False), Reply(str(error))
        if route.asks_back:
            # A refusal needs no question: the line is about other people, tax and the like.
            declined = decline(line)
            if route.intent != "unsupported" or declined.fields["declined"] == "unsupported":
                return route, ask_intent(route.intent, line)
            return replace(route, asks_back=False), declined
        reply = reply_or_error(lambda: self._handler.reply(route.intent, line, state))
        # "And the second one?" repeats an answer about products, not a question.
        is_about_products = "product" in reply.fields or "products" in reply.fields
        last_intent = {"last_intent": route.intent} if is_about_products else {}
        outside = replace(route, intent=contract_intent(route.intent))
        nothing_open = {"pending_intent": "", "choices": [], "offers": []}
        return outside, with_updates(reply, **nothing_open, **last_intent)

    def _read_answer(self, state: State) -> tuple[str, str]:
        """Return the line to read and its intent, where it answers the question asked last."""
        line = state["line"]
        is_yes = pattern("yes").fullmatch(line)
        if is_yes and state.get("pending_intent") and len(state.get("choices") or ()) == 1:
            return "1", state["pending_intent"]
        if offers := state.get("offers"):
            place = 0 if is_yes else choice_of(line)
            if place is not None and place < len(offers):
                return state["unclear"], offers[place]
        return line, ""

    def _route(self, line: str, state: State) -> Route:
        """Return the intent that patterns or the state determine, or else the router's."""
        masked = self._handler.products.mask_names(line, state)
        if (saying := find_saying(masked, state)) is not None:
            return Route(saying, 1.0, False)
        if self._handler.own_property(line, state):
            return Route("own_property", 1.0, False)
        route = self._router.route(masked)
        pending = state.get("pending_intent")
        # After "which product?" a bare name or position is the answer to that.
        if pending and (route.asks_back or len(line.split()) <= 4):
            mention = self._handler.products.find(line, state)
            is_mention = mention.product is not None or mention.choices
            if is_mention and not pattern("other_intent").search(masked):
                return Route(pending, route.confidence, False)
        guess = route.intent if route.asks_back else None
        if (intent := self._handler.read_follow_up(line, state, guess)) is not None:
            return Route(intent, route.confidence, False)
        return route


def _is_plain_no(line: str) -> bool:
    return len(line.split()) <= _MAX_NO_WORDS and bool(pattern("no").fullmatch(line))


def reply_or_error(create: Callable[[], _Reply]) -> _Reply | Reply:
    """Return a reply, or the message of an error that the user can act on."""
    try:
        return create()
    except (NotFound, NotReady, BadInput, BadConfig) as error:
        return Reply(str(error))


def with_updates(reply: Reply, **updates: Any) -> Reply:
    """Return a reply with further changes to the state; its own come first. Any: JSON values."""
    return replace(reply, updates={**updates, **reply.updates})
