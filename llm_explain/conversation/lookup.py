"""Which product a line means, by the state of the conversation; a question where it is unclear."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kinfolio.errors import BadInput, NotFound
from kinfolio.llm_explain.conversation.answers import Answers, Reply
from kinfolio.llm_explain.conversation.candidates import close_names
from kinfolio.llm_explain.conversation.mention import (
    Context,
    Mention,
    ProductRef,
    find_mention,
    find_mentions,
    mask_names,
)
from kinfolio.llm_explain.conversation.phrases import join_either, join_words, phrase, wording

_MAX_CHOICES = 5

Prefers = Callable[[ProductRef], bool]
State = Mapping[str, Any]
"""The state of the conversation. Any: JSON values."""


class ProductLookup:
    """Finds the products of a line; names that several products have are asked about."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def find(self, line: str, state: State, prefers: Prefers | None = None) -> Mention:
        """Return the one product that a line mentions."""
        return find_mention(line, self.context(state, prefers))

    def mask_names(self, line: str, state: State) -> str:
        """Return a line with one word for each product that it names, for the router."""
        return mask_names(line, self.context(state))

    def context(self, state: State, prefers: Prefers | None = None) -> Context:
        """Return what decides which product a word means."""
        choices = products_of(state, "choices")
        return Context(
            self._answers.graph,
            choices or products_of(state, "last_list"),
            last_product(state),
            is_answer=bool(state.get("pending_intent")),
            is_choice=bool(choices),
            prefers=prefers,
        )

    def require(self, word: str, state: State) -> ProductRef:
        """Return the product of an id, a name or a position.

        Raises:
            NotFound: there is none.
            BadInput: there are several.
        """
        for row in self._answers.graph.read("chat_products", ids=[word], line="", shown=[]):
            return ProductRef(row["product"], row["name"])
        mention = self.find(f"“{word}”" if "“" not in word else word, state)
        if mention.choices:
            raise BadInput(self._which_of(mention.choices))
        if mention.product is None:
            raise NotFound(phrase("no_product"))
        return mention.product

    def find_all(
        self,
        line: str,
        state: State,
        *,
        prefers: Prefers | None = None,
        takes_pair: bool = False,
    ) -> tuple[ProductRef, ...]:
        """Return all products that a line mentions; with `takes_pair` a name of two is both."""
        mentions = find_mentions(line, self.context(state, prefers))
        if takes_pair and len(mentions) == 1 and len(mentions[0].choices) == 2:
            return mentions[0].choices
        for mention in mentions:
            if mention.choices:
                raise AmbiguousMention(mention)
        return tuple(one.product for one in mentions if one.product is not None)

    def _which_of(self, choices: Sequence[ProductRef]) -> str:
        more = len(choices) - _MAX_CHOICES
        name = wording().name_with_id
        listed = [name(one.name, one.id) for one in choices[:_MAX_CHOICES]]
        listed += [phrase("which_more", number=more)] if more > 0 else []
        return phrase("which_of", products=join_words(listed))

    def ask_which(self, mention: Mention, intent: str, state: State, line: str = "") -> Reply:
        """Ask which product is meant: the question names the choices with their ids.

        Without choices it offers products whose names are close to words of the line.
        """
        updates: dict[str, Any] = {"pending_intent": intent}
        if line and not mention.choices and mention.missing_rank is None:
            close = close_names(self._answers.graph, line)
            if close:
                names = self._answers.names(close)
                text = phrase("did_you_mean", products=join_either(map(names, close)))
                fields = {"choices": [one.id for one in close]}
                return Reply(text, fields, updates | {"choices": [list(one) for one in close]})
        if choices := mention.choices:
            pairs = [list(one) for one in choices[:_MAX_CHOICES]]
            ids = [one.id for one in choices]
            return Reply(self._which_of(choices), {"choices": ids}, updates | {"choices": pairs})
        rank, length = mention.missing_rank, len(products_of(state, "last_list"))
        key = "which" if rank is None else "not_in_list" if length else "no_list"
        return Reply(phrase(key, rank=rank, length=length), {}, updates)


class AmbiguousMention(BadInput):
    """A line names products whose name is not unique."""

    def __init__(self, mention: Mention) -> None:
        super().__init__("a line mentions a name of several products")
        self.mention = mention


def products_of(state: State, key: str) -> list[ProductRef]:
    """Return products of the state: those of the last list, or the choices of a question."""
    return [ProductRef(*pair) for pair in state.get(key) or ()]


def last_product(state: State) -> ProductRef | None:
    """Return the product of the last answer."""
    pair = state.get("last_product")
    return ProductRef(*pair) if pair else None
