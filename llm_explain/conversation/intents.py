"""From a line and its intent to a reply: which products, which filters, which supposition.

Fixed patterns read what the router leaves open; names and positions are looked up in the graph.
Where a line lacks information, the reply is a question.
"""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from functools import cached_property

from kinfolio.llm_explain.conversation import user_data
from kinfolio.llm_explain.conversation.answers import LIST_LENGTH, Answers, Reply
from kinfolio.llm_explain.conversation.list_filters import (
    ActiveFilters,
    opens_request,
    read_request,
)
from kinfolio.llm_explain.conversation.lookup import (
    AmbiguousMention,
    ProductLookup,
    State,
    last_product,
    products_of,
)
from kinfolio.llm_explain.conversation.mention import ProductRef, find_mentions, mask_names
from kinfolio.llm_explain.conversation.phrases import display_name, join_words, phrase, phrases

_ABOUT_ONE_PRODUCT = {
    "why_this": Answers.explain,
    "why_not": Answers.why_not,
    "similar": Answers.similar,
}
_RESUMABLE = (*_ABOUT_ONE_PRODUCT, "compare", "what_if", "influence")
"""Intents that "and the second one?" repeats for another product."""
_GREETINGS = ("hello", "hi", "hey", "good morning", "good afternoon", "good evening")
_FOLLOW_UP = re.compile(r"^(?:and|what about|how about|or)\b", re.IGNORECASE)
_OTHER_INTENT = re.compile(r"\b(?:why|if|compare|like|similar|who|remove)\b", re.IGNORECASE)
_WITHOUT = re.compile(
    r"\b(?:didn't|did not|don't|do not|doesn't|hadn't|had not|haven't|no longer|never|not|without|"
    r"sell|sold|drop(?:ped)?|remov(?:e|ed)|get rid|got rid|gave up|give up|lost|lose|left out|"
    r"leave out)\b",
    re.IGNORECASE,
)
_ADDED = re.compile(r"\b(?:also|as well|too|add(?:ed)?|bought|buy)\b", re.IGNORECASE)
_OTHER_SUPPOSITION = re.compile(
    r"\b(?:risk|country|follow(?:ed|ing)?|friends?|ties?|reviews?|rated|rating|older|younger)\b",
    re.IGNORECASE,
)
_WHOLE_LIST = re.compile(r"\b(?:list|recommendations|suggestions|these|results|picks)\b")


class IntentHandler:
    """Replies to a user's lines after the router has found their intents."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.products = ProductLookup(answers)

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """Kinds and categories of the graph's products."""
        rows = self.answers.graph.read("chat_kinds")
        return tuple(str(row["word"]) for row in rows if row["word"])

    def read_follow_up(self, line: str, state: State, guess: str | None = None) -> str | None:
        """Return the intent of a line that depends on the last one; None for any other line.

        `guess` is the router's intent where its confidence is low.
        """
        last_intent = state.get("last_intent")
        if guess == "recommend" or (last_intent == "recommend" and opens_request(line)):
            request = read_request(line, self.vocabulary)
            if request.is_filter or request.is_more:
                return "recommend"
        if (
            last_intent in _RESUMABLE
            and _FOLLOW_UP.search(line)
            and not _OTHER_INTENT.search(line)
            and self.products.find(line, state).product is not None
        ):
            return str(last_intent)
        return None

    def reply(self, intent: str, line: str, state: State) -> Reply:
        """Reply to a line."""
        handlers = {
            "recommend": self._recommend,
            "compare": self._compare,
            "what_if": self._what_if,
            "influence": self._influence,
            "dismiss": self._dismiss,
            "my_data": self._my_data,
            "small_talk": _small_talk,
        }
        if intent in handlers:
            try:
                return handlers[intent](line, state)
            except AmbiguousMention as error:
                return self.products.ask_which(error.mention, intent, state)
        if intent not in _ABOUT_ONE_PRODUCT:
            return decline(line)
        mention = self.products.find(line, state)
        if mention.product is None:
            return self.products.ask_which(mention, intent, state)
        return _ABOUT_ONE_PRODUCT[intent](self.answers, mention.product)

    def _recommend(self, line: str, state: State) -> Reply:
        # "not Amber Bond Fund" is about that product and not about bonds.
        plain = mask_names(line, self.products.context({}), "it")
        request = read_request(plain, self.vocabulary)
        if request.unknown_kind:
            known = join_words(display_name(word) for word in self.vocabulary[:5]) or "-"
            return Reply(phrase("unknown_kind", word=repr(request.unknown_kind), kinds=known))
        last_list = products_of(state, "last_list")
        # A filter after a list refines the filters before; a line without one starts afresh.
        is_refinement = last_list and (request.is_filter or request.is_more)
        active = ActiveFilters(**(state.get("filters") or {}) if is_refinement else {})
        max_risk = active.max_risk
        if request.is_safer:
            highest = self._read_highest_risk(last_list)
            if highest is None or highest <= 1:
                return Reply(phrase("risk_unknown" if highest is None else "least_risk"))
            max_risk = highest - 1
        exclusion = read_request(line, ()).exclusion if request.exclusion else ""
        mentions = find_mentions(exclusion, self.products.context(state)) if exclusion else ()
        # Of several products of one name, all are excluded.
        named = [one for found in mentions for one in (found.product, *found.choices) if one]
        seen = dict.fromkeys([*active.seen, *(product.id for product in last_list)])
        active = ActiveFilters(
            kinds=list(request.kinds) or active.kinds,
            excluded_kinds=sorted({*active.excluded_kinds, *request.excluded_kinds}),
            excluded=active.excluded | dict(named),
            max_risk=max_risk,
            seen=list(seen) if request.is_more else [],
        )
        length = request.length or LIST_LENGTH
        reply = self.answers.recommend(active.list_filters(), length, self._describe(active))
        return replace(reply, updates={**reply.updates, "filters": asdict(active)})

    def _read_highest_risk(self, products: list[ProductRef]) -> int | None:
        """The highest risk level of some products, or else the user's risk tolerance."""
        row = self.answers.graph.read(
            "chat_risks",
            user_id=self.answers.user,
            product_ids=[product.id for product in products],
        )[0]
        highest = row["highest"] if row["highest"] is not None else row["tolerance"]
        return None if highest is None else int(highest)

    def _compare(self, line: str, state: State) -> Reply:
        found = self.products.find_all(line, state, takes_pair=True)
        last = last_product(state)
        if len(found) == 1 and last is not None and last.id != found[0].id:
            found = (last, *found)
        if len(found) < 2:
            return Reply(phrase("compare_which"), {}, {"pending_intent": "compare"})
        return self.answers.compare(found[0], found[1])

    def _what_if(self, line: str, state: State) -> Reply:
        is_removal, is_addition = bool(_WITHOUT.search(line)), bool(_ADDED.search(line))
        holds = self.answers.holds
        found = self.products.find_all(
            line,
            state,
            prefers=holds if is_removal or not is_addition else lambda one: not holds(one),
        )
        if not found:
            if _OTHER_SUPPOSITION.search(line):
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
        if not _WHOLE_LIST.search(line):
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
        is_undo = bool(user_data.UNDO.search(line))
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
        if user_data.DELETE.search(line):
            return user_data.ask_delete(self.answers)
        return user_data.show_data(self.answers)

    def _describe(self, active: ActiveFilters) -> str:
        """Return the filters in words; empty without filters."""
        parts = []
        if active.kinds:
            kinds = join_words(display_name(kind) for kind in active.kinds)
            parts.append(phrase("filter_only", kinds=kinds))
        excluded = [ProductRef(*pair) for pair in active.excluded.items()]
        names = self.answers.names(excluded)
        if words := [*map(display_name, active.excluded_kinds), *map(names, excluded)]:
            parts.append(phrase("filter_without", names=join_words(words)))
        if active.max_risk is not None:
            parts.append(phrase("filter_risk", risk=active.max_risk))
        if set(active.seen) - set(active.excluded):
            parts.append(phrase("filter_more"))
        return ", ".join(parts)


def decline(line: str) -> Reply:
    """Return the refusal that fits a line."""
    patterns = phrases()["refusal_patterns"].items()
    key = next((key for key, pattern in patterns if re.search(pattern, line, re.I)), "unsupported")
    return Reply(phrases()["refusals"][key], {"declined": key})


def ask_intent(intent: str) -> Reply:
    """Ask which of two intents a line has, where the router's confidence is low."""
    offers = phrases()["offers"]
    other = "why_this" if intent == "recommend" else "recommend"
    return Reply(phrase("unsure", first=offers[intent], second=offers[other]))


def _small_talk(line: str, _: State) -> Reply:
    plain = line.casefold().strip(" .!?")
    if plain in _GREETINGS:
        return Reply(phrase("hello"))
    return Reply(phrase("thanks" if "thank" in plain else "small_talk"))
