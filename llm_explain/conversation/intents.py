"""From a line and its intent to a reply: which products, which filters, which supposition.

Fixed patterns read what the router leaves open; names and positions are looked up in the graph.
Where a line lacks information, the reply is a question.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from kinfolio.llm_explain.conversation import user_data
from kinfolio.llm_explain.conversation.answers import LIST_LENGTH, Answers, Reply
from kinfolio.llm_explain.conversation.language.folding import content_words
from kinfolio.llm_explain.conversation.language.patterns import pattern
from kinfolio.llm_explain.conversation.lookup import (
    AmbiguousMention,
    ProductLookup,
    State,
    last_product,
    products_of,
)
from kinfolio.llm_explain.conversation.mention import ProductRef
from kinfolio.llm_explain.conversation.phrases import phrase, phrases
from kinfolio.llm_explain.conversation.replies.details import against, would_change
from kinfolio.llm_explain.conversation.replies.facts import ASPECTS, Facts
from kinfolio.llm_explain.conversation.replies.list_filters import opens_request, read_request
from kinfolio.llm_explain.conversation.replies.wishes import Wishes
from kinfolio.llm_explain.wording.plan import Length

_ABOUT_ONE_PRODUCT = {
    "why_not": Answers.why_not,
    "similar": Answers.similar,
    "against": against,
    "would_change": would_change,
}
_EXPLANATIONS: dict[str, Length] = {"why_this": "normal", "shorter": "short", "longer": "long"}
_RESUMABLE = (
    *(*_ABOUT_ONE_PRODUCT, *_EXPLANATIONS, "compare", "what_if", "influence"),
    *(*ASPECTS, "own_property"),
)
"""Intents that "and the second one?" repeats for another product."""
_MAX_EXPLAINED = 3


class IntentHandler:
    """Replies to a user's lines after their intents were found."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.products = ProductLookup(answers)
        self.wishes = Wishes(answers, self.products)
        self.facts = Facts(answers)

    def read_follow_up(self, line: str, state: State, guess: str | None = None) -> str | None:
        """Return the intent of a line that depends on the last one; None for any other line.

        `guess` is the router's intent where its confidence is low.
        """
        last_intent = state.get("last_intent")
        is_after_list = last_intent in ("recommend", "start_over", "go_back")
        if guess is not None and self.wishes.names_value(self.products.mask_names(line, state)):
            return "recommend"
        if guess == "recommend" or (is_after_list and opens_request(line)):
            plain = self.products.mask_names(line, state)
            request = read_request(plain, self.wishes.vocabulary)
            is_wish = bool(request.wish) and pattern("wants").search(plain)
            if request.is_filter or request.is_more or request.length or is_wish:
                return "recommend"
        if (
            last_intent in _RESUMABLE
            and pattern("follow_up").search(line)
            and not pattern("other_intent").search(line)
            and self.products.find(line, state).product is not None
        ):
            return str(last_intent)
        return None

    def own_property(self, line: str, state: State) -> bool:
        """Return whether a line asks for an own property of a product."""
        if not pattern("question_start").match(line) or pattern("no_fact").search(line):
            return False
        product = self.products.find(line, state).product
        return product is not None and self.facts.own_property(line, product) is not None

    def reply(self, intent: str, line: str, state: State) -> Reply:
        """Reply to a line."""
        handlers: dict[str, Callable[[str, State], Reply]] = {
            "recommend": self.wishes.recommend,
            "compare": self._compare,
            "what_if": self._what_if,
            "influence": self._influence,
            "dismiss": self._dismiss,
            "my_data": self._my_data,
            "small_talk": _small_talk,
            "start_over": lambda _line, _state: self.wishes.start_over(),
            "go_back": lambda _, state: self.wishes.go_back(state),
            "my_holdings": self._my_holdings,
            **dict.fromkeys(_EXPLANATIONS, partial(self._explain, intent)),
            **dict.fromkeys((*ASPECTS, "own_property"), partial(self._tell, intent)),
        }
        try:
            if intent in handlers:
                return handlers[intent](line, state)
            if intent not in _ABOUT_ONE_PRODUCT:
                return decline(line)
            mention = self.products.find(line, state)
            if mention.product is None:
                return self.products.ask_which(mention, intent, state, line)
            return _ABOUT_ONE_PRODUCT[intent](self.answers, mention.product)
        except AmbiguousMention as error:
            return self.products.ask_which(error.mention, intent, state)

    def _explain(self, intent: str, line: str, state: State) -> Reply:
        """Explain one product, or both of "why both?"; the line may say how long."""
        length = _EXPLANATIONS[intent]
        if length == "normal":
            asked = [one for one in ("shorter", "longer") if pattern(one).search(line)]
            length = _EXPLANATIONS[asked[0]] if asked else length
        last = last_product(state)
        if intent != "why_this" and last is not None:
            return self.answers.explain(last, length)
        mention = self.products.find(line, state)
        several = self.products.find_all(line, state) if not mention.choices else ()
        if len(several) > 1:
            replies = [self.answers.explain(one, length) for one in several[:_MAX_EXPLAINED]]
            fields = {
                "products": [one.id for one in several[:_MAX_EXPLAINED]],
                "explanations": [one.fields["explanation"] for one in replies],
            }
            text = "\n\n".join(one.text for one in replies)
            return Reply(text, fields, replies[-1].updates)
        if mention.product is None:
            return self.products.ask_which(mention, "why_this", state, line)
        return self.answers.explain(mention.product, length)

    def _tell(self, aspect: str, line: str, state: State) -> Reply:
        """Tell a fact about the products of a line, or of the list, or the last one."""
        masked = self.products.mask_names(line, state)
        shown = products_of(state, "last_list")
        if shown and pattern("whole_list_of", is_word=True).search(masked):
            return self.facts.tell(aspect, shown[:LIST_LENGTH], masked)
        found = self.products.find_all(line, state)
        mention = self.products.find(line, state)
        last = None if content_words(masked) else last_product(state)
        product = found[0] if found else mention.product or last
        if product is None or mention.choices:
            return self.products.ask_which(mention, aspect, state, line)
        if aspect == "own_property":
            aspect = self.facts.own_property(line, product) or "fact_about"
        return self.facts.tell(aspect, found or (product,), masked)

    def _my_holdings(self, line: str, state: State) -> Reply:
        mentions = self.products.find_all(line, {})
        product = mentions[0] if mentions else None
        masked = self.products.mask_names(line, state)
        if product is None and pattern("holding_it", is_word=True).search(masked):
            product = self.products.find(line, state).product
        return self.facts.holdings(masked, self.wishes.vocabulary, product)

    def _compare(self, line: str, state: State) -> Reply:
        found = self.products.find_all(line, state, takes_pair=True)
        last = last_product(state)
        if len(found) == 1 and last is not None and last.id != found[0].id:
            found = (last, *found)
        if len(found) < 2:
            return Reply(phrase("compare_which"), {}, {"pending_intent": "compare"})
        return self.answers.compare(found[0], found[1])

    def _what_if(self, line: str, state: State) -> Reply:
        is_removal, is_addition = (
            bool(pattern("without").search(line)),
            bool(pattern("added").search(line)),
        )
        holds = self.answers.holds
        found = self.products.find_all(
            line,
            state,
            prefers=holds if is_removal or not is_addition else lambda one: not holds(one),
        )
        if not found:
            if pattern("other_supposition").search(line):
                return Reply(phrase("what_if_only_holdings"))
            return Reply(phrase("what_if_which"), {}, {"pending_intent": "what_if"})
        last = last_product(state)
        # "would it still be first if I sold X" names two: the last product is not supposed.
        supposed = tuple(product for product in found if product != last) or found
        scored = last if last not in supposed else None
        if is_removal:
            return self.answers.what_if(supposed, (), scored)
        if is_addition:
            return self.answers.what_if((), supposed, scored)
        held = tuple(product for product in supposed if holds(product))
        new = tuple(product for product in supposed if product not in held)
        return self.answers.what_if(held, new, scored)

    def _influence(self, line: str, state: State) -> Reply:
        if not pattern("whole_list").search(line):
            mention = self.products.find(line, state)
            if mention.choices:
                return self.products.ask_which(mention, "influence", state)
            if mention.product is not None:
                return self.answers.influence([mention.product], is_list=False)
        products = products_of(state, "last_list") or [
            ProductRef(one["product"], one["name"])
            for one in self.answers.recommend().fields["products"]
        ]
        if not products:
            return Reply(phrase("empty_list"))
        return self.answers.influence(products[:LIST_LENGTH], is_list=True)

    def _dismiss(self, line: str, state: State) -> Reply:
        dismissed, has_dismissed = state.get("last_dismissed"), self.answers.has_dismissed
        is_undo = bool(pattern("undo").search(line))
        mention = self.products.find(line, state, prefers=has_dismissed if is_undo else None)
        if mention.choices:
            return self.products.ask_which(mention, "dismiss", state)
        if state.get("choices") and mention.product is not None:
            # The line that was asked about may have been "undo".
            is_undo = is_undo or has_dismissed(mention.product)
        if is_undo:
            named = mention.product if mention.product != last_product(state) else None
            undone = ProductRef(*dismissed) if dismissed else None
            return user_data.ask_undo(self.answers, named or undone or mention.product)
        if mention.product is None:
            return self.products.ask_which(mention, "dismiss", state)
        return user_data.ask_dismiss(self.answers, mention.product)

    def _my_data(self, line: str, _: State) -> Reply:
        if not pattern("own_data").search(line):
            # Nothing is shown, and nothing is deleted, on words that may mean something else.
            return user_data.ask_show(self.answers)
        if pattern("delete").search(line):
            return user_data.ask_delete(self.answers)
        parts = [one for one in user_data.PARTS if pattern(f"data_{one}").search(line)]
        return user_data.show_data(self.answers, parts)


def decline(line: str) -> Reply:
    """Return the refusal that fits a line."""
    patterns = phrases()["refusal_patterns"].items()
    key = next((key for key, pattern in patterns if re.search(pattern, line, re.I)), "unsupported")
    return Reply(phrases()["refusals"][key], {"declined": key})


def ask_intent(intent: str, line: str) -> Reply:
    """Ask which of two intents a line has, where the router's confidence is low."""
    offers = phrases()["offers"]
    other = "why_this" if intent == "recommend" else "recommend"
    text = phrase("unsure", first=offers[intent], second=offers[other])
    return Reply(text, {}, {"offers": [intent, other], "unclear": line})


def _small_talk(line: str, _: State) -> Reply:
    plain = line.casefold().strip(" .!?")
    if pattern("greeting").fullmatch(plain):
        return Reply(phrase("hello"))
    return Reply(phrase("thanks" if pattern("thanks").search(plain) else "small_talk"))
