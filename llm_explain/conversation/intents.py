"""From a line and its intent to an answer: which products, which wishes, which supposition.

What a router leaves open is read here with fixed patterns; names and places are looked up in the
graph. Where a line does not say enough, the answer is a question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from kinfolio.errors import NotFound
from kinfolio.llm_explain.conversation import own_data
from kinfolio.llm_explain.conversation.answers import LIST_LENGTH, Answers, Said
from kinfolio.llm_explain.conversation.list_filters import opens_a_wish, read_wish
from kinfolio.llm_explain.conversation.mention import Listed, Mention, find_mention, find_mentions
from kinfolio.llm_explain.conversation.phrases import listed, say, shown, texts
from kinfolio.records import Wishes

ABOUT_A_PRODUCT = ("why_this", "why_not", "similar", "compare", "what_if", "influence", "dismiss")
_GREETINGS = ("hello", "hi", "hey", "good morning", "good afternoon", "good evening")
_GOES_ON = re.compile(r"^(?:and|what about|how about|or)\b", re.IGNORECASE)
_WITHOUT = re.compile(
    r"\b(?:didn't|did not|don't|do not|doesn't|hadn't|had not|haven't|no longer|never|not|without|"
    r"sell|sold|drop(?:ped)?|remov(?:e|ed)|get rid|got rid|gave up|give up|lost|lose|left out|"
    r"leave out)\b",
    re.IGNORECASE,
)
_OTHER_SUPPOSITION = re.compile(
    r"\b(?:risk|country|follow(?:ed|ing)?|friends?|ties?|reviews?|rated|rating|older|younger)\b",
    re.IGNORECASE,
)

State = Mapping[str, Any]
"""What the conversation keeps. Any: JSON values."""


class Lines:
    """Answers to a user's lines once their intent is known."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """Kinds and categories of the graph's products."""
        rows = self._answers.graph.read("chat_kinds")
        return tuple(str(row["word"]) for row in rows if row["word"])

    def goes_on(self, line: str, state: State, guess: str | None = None) -> str | None:
        """The intent of a line that only makes sense after the last one; None: any other line.

        Args:
            line: what was typed.
            state: what the conversation keeps.
            guess: what a router thinks that it wants, where it is not sure.
        """
        before = state.get("told")
        if guess == "recommend" or (before == "recommend" and opens_a_wish(line)):
            wish = read_wish(line, self.vocabulary)
            if wish.narrows or wish.is_more:
                return "recommend"
        if before in ABOUT_A_PRODUCT and before != "dismiss" and _GOES_ON.search(line):
            names_more = re.search(r"\b(?:why|if|compare|like|similar|who|remove)\b", line, re.I)
            if not names_more and self.mention(line, state).product is not None:
                return str(before)
        return None

    def answer(self, intent: str, line: str, state: State) -> Said:
        """The answer to a line."""
        ways = {
            "recommend": self._recommend,
            "compare": self._compare,
            "what_if": self._what_if,
            "influence": self._influence,
            "dismiss": self._dismiss,
            "my_data": self._my_data,
            "small_talk": _small_talk,
        }
        if way := ways.get(intent):
            return way(line, state)
        if intent not in ("why_this", "why_not", "similar"):
            return decline(line)
        mention = self.mention(line, state)
        if mention.product is None:
            return _ask_which(mention, intent, state)
        answers = self._answers
        about = {"why_this": answers.explain, "why_not": answers.why_not}
        return about.get(intent, answers.similar)(mention.product)

    def mention(self, line: str, state: State) -> Mention:
        """The one product that a line means."""
        return find_mention(line, self._answers.graph, _listed(state), _last(state))

    def need_product(self, word: str, state: State) -> Listed:
        """The product that a single word or name means.

        Raises:
            NotFound: there is none.
        """
        for row in self._answers.graph.read("chat_products", ids=[word], line=""):
            return Listed(row["product"], row["name"])
        product = self.mention(f"“{word}”" if "“" not in word else word, state).product
        if product is None:
            raise NotFound(say("no_product"))
        return product

    def _recommend(self, line: str, state: State) -> Said:
        named = self._mentions(line, {})
        plain = line
        for one in named:
            # "not Amber Bond Fund" is about that product and not about bonds.
            plain = re.sub(re.escape(one.name), "it", plain, flags=re.IGNORECASE)
        wish = read_wish(plain, self.vocabulary)
        if wish.unknown:
            known = listed(shown(word) for word in self.vocabulary[:5]) if self.vocabulary else "-"
            return Said(say("wish_unknown", word=repr(wish.unknown), kinds=known))
        # A wish after a list goes on from the wishes before; a line without one begins anew.
        is_on = bool(state.get("listed")) and (wish.narrows or wish.is_more)
        kept = dict(state.get("wishes") or {}) if is_on else {}
        if wish.kinds:
            kept["kinds"] = list(wish.kinds)
        kept["not_kinds"] = sorted({*kept.get("not_kinds", ()), *wish.not_kinds})
        refused = dict(kept.get("refused") or {})
        if wish.refused:
            for one in self._mentions(read_wish(line, ()).refused, state):
                refused[one.product] = one.name
        kept["refused"] = refused
        if wish.is_safer:
            answer = self._safer(state, kept)
            if answer is not None:
                return answer
        seen = list(kept.get("seen") or ()) if wish.is_more else []
        if wish.is_more:
            seen += [one.product for one in _listed(state) if one.product not in seen]
        kept["seen"] = seen
        wishes = Wishes(
            kinds=tuple(kept.get("kinds") or ()),
            not_kinds=tuple(kept["not_kinds"]),
            most_risk=kept.get("most_risk"),
            left_out=tuple(dict.fromkeys([*refused, *seen])),
        )
        said = self._answers.recommend(wishes, wish.length or LIST_LENGTH, _told(wishes, refused))
        return Said(said.text, said.fields, {**said.keeps, "wishes": kept})

    def _safer(self, state: State, kept: dict[str, Any]) -> Said | None:
        """Lowers the risk in the wishes; an answer where that cannot be."""
        ids = [one.product for one in _listed(state)]
        graph, user = self._answers.graph, self._answers.user
        row = graph.read("chat_risks", user_id=user, product_ids=ids)[0]
        highest = row["highest"] if row["highest"] is not None else row["tolerance"]
        if highest is None:
            return Said(say("risk_unknown"))
        if highest <= 1:
            return Said(say("least_risk"))
        kept["most_risk"] = int(highest) - 1
        return None

    def _compare(self, line: str, state: State) -> Said:
        found = self._mentions(line, state)
        last = _last(state)
        if len(found) == 1 and last is not None and last.product != found[0].product:
            found = (last, *found)
        if len(found) < 2:
            return Said(say("compare_which"), {}, {"pending": "compare"})
        return self._answers.compare(found[0], found[1])

    def _what_if(self, line: str, state: State) -> Said:
        found = self._mentions(line, state)
        if not found:
            if _OTHER_SUPPOSITION.search(line):
                return Said(say("what_if_only_holdings"))
            return Said(say("what_if_which"), {}, {"pending": "what_if"})
        last = _last(state)
        # "would it still be first if I sold X" speaks of two: the one spoken of is not supposed.
        supposed = tuple(one for one in found if one != last) or found
        asked = last if last is not None and last not in supposed else None
        if _WITHOUT.search(line):
            return self._answers.what_if(supposed, (), asked)
        if re.search(r"\b(?:also|as well|too|add(?:ed)?|bought|buy)\b", line, re.IGNORECASE):
            return self._answers.what_if((), supposed, asked)
        held = tuple(one for one in supposed if self._answers.holds(one))
        return self._answers.what_if(held, tuple(x for x in supposed if x not in held), asked)

    def _influence(self, line: str, state: State) -> Said:
        of_list = re.search(r"\b(?:list|recommendations|suggestions|these|results|picks)\b", line)
        mention = Mention(None) if of_list else self.mention(line, state)
        if mention.product is not None:
            return self._answers.influence([mention.product], is_list=False)
        products = list(_listed(state)) or [
            Listed(one["product"], one["name"])
            for one in self._answers.recommend(Wishes()).fields["products"]
        ]
        if not products:
            return Said(say("empty_list"))
        return self._answers.influence(products[:LIST_LENGTH], is_list=True)

    def _dismiss(self, line: str, state: State) -> Said:
        mention = self.mention(line, state)
        if own_data.is_undo(line):
            before = state.get("dismissed")
            undone = Listed(before[0], before[1]) if before else None
            named = mention.product if mention.product != _last(state) else None
            return own_data.ask_undo(self._answers, named or undone or mention.product)
        if mention.product is None:
            return _ask_which(mention, "dismiss", state)
        return own_data.ask_dismiss(self._answers, mention.product)

    def _my_data(self, line: str, _: State) -> Said:
        if own_data.is_delete(line):
            return own_data.ask_delete(self._answers)
        return own_data.my_data(self._answers)

    def _mentions(self, line: str, state: State) -> tuple[Listed, ...]:
        return find_mentions(line, self._answers.graph, _listed(state), _last(state))


def decline(line: str) -> Said:
    """A polite no that fits what was asked for."""
    words = texts()["never_words"]
    key = next((key for key, word in words.items() if re.search(word, line, re.I)), "unsupported")
    return Said(texts()["never"][key], {"declined": key})


def unsure(intent: str) -> Said:
    """The question back where the router is not sure."""
    offers = texts()["offers"]
    others = [other for other in ("recommend", "why_this") if other != intent]
    return Said(say("unsure", first=offers[intent], second=offers[others[0]]))


def _small_talk(line: str, _: State) -> Said:
    plain = line.casefold().strip(" .!?")
    if plain in _GREETINGS:
        return Said(say("hello"))
    return Said(say("thanks" if "thank" in plain else "small_talk"))


def _ask_which(mention: Mention, intent: str, state: State) -> Said:
    if mention.missing_rank is not None:
        length = len(state.get("listed") or ())
        text = say("not_in_list", rank=mention.missing_rank, length=length)
    else:
        text = say("which")
    return Said(text, {}, {"pending": intent})


def _told(wishes: Wishes, refused: Mapping[str, str]) -> str:
    parts = []
    if wishes.kinds:
        parts.append(say("wish_only", kinds=listed(shown(kind) for kind in wishes.kinds)))
    without = [*map(shown, wishes.not_kinds), *map(shown, refused.values())]
    if without:
        parts.append(say("wish_not", names=listed(without)))
    if wishes.most_risk is not None:
        parts.append(say("wish_risk", risk=wishes.most_risk))
    if set(wishes.left_out) - set(refused):
        parts.append(say("wish_more"))
    return ", ".join(parts)


def _listed(state: State) -> list[Listed]:
    return [Listed(product, name) for product, name in state.get("listed") or []]


def _last(state: State) -> Listed | None:
    last = state.get("last")
    return Listed(last[0], last[1]) if last else None
