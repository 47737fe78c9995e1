"""Lists by a user's wishes: what was understood is said back, and what was not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any

from kinfolio.llm_explain.conversation.answers import LIST_LENGTH, Answers, Reply
from kinfolio.llm_explain.conversation.language.patterns import pattern
from kinfolio.llm_explain.conversation.lookup import ProductLookup, State, products_of
from kinfolio.llm_explain.conversation.mention import (
    Mention,
    ProductRef,
    find_mentions,
    mask_names,
)
from kinfolio.llm_explain.conversation.phrases import display_name, join_words, phrase
from kinfolio.llm_explain.conversation.replies.list_filters import (
    ActiveFilters,
    ListRequest,
    read_request,
)
from kinfolio.llm_explain.conversation.replies.meaning import MAX_CANDIDATES, of_meaning

_MAX_EARLIER = 6
_SAMPLE = 2_000
"""Products whose properties are read for their values."""
NOT_OWN = frozenset(
    "id gid name text kind sector risk open countries changed model description".split()
)
"""Properties that are no column of the deployment's own."""
OF_VERSION = re.compile(r".*_[ab]$")
"""Properties of a version, such as vectors."""
_NO_WISHES = NOT_OWN - {"sector"}


class Wishes:
    """Recommends products by the wishes of a conversation."""

    def __init__(self, answers: Answers, products: ProductLookup) -> None:
        self._answers = answers
        self._products = products

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """Kinds and categories of the graph's products."""
        rows = self._answers.graph.read("chat_kinds")
        return tuple(str(row["word"]) for row in rows if row["word"])

    @cached_property
    def values(self) -> tuple[tuple[str, str], ...]:
        """Own properties and their values, longest values first."""
        rows = self._answers.graph.read("facts_values", sample=_SAMPLE)
        found = [
            (row["property"], row["value"])
            for row in rows
            if row["property"] not in _NO_WISHES and not OF_VERSION.fullmatch(row["property"])
        ]
        return tuple(sorted(found, key=lambda pair: -len(pair[1])))

    def recommend(self, line: str, state: State) -> Reply:
        """Return the list that a line wishes for."""
        # "not Amber Bond Fund" is about that product and not about bonds.
        plain = mask_names(line, self._products.context({}), "it")
        request = read_request(plain, self.vocabulary)
        if request.unknown_kind and request.unknown_kind.casefold() not in self._value_words:
            known = join_words(display_name(word) for word in self.vocabulary[:5]) or "-"
            return Reply(phrase("unknown_kind", word=repr(request.unknown_kind), kinds=known))
        last_list = products_of(state, "last_list")
        properties, wish = self._properties(request.included, request.wish)
        # A wish after a list refines the wishes before; a line without one starts afresh.
        is_refinement = last_list and (request.is_filter or request.is_more or properties)
        active = ActiveFilters(**(state.get("filters") or {}) if is_refinement else {})
        bounds = self._risk_bounds(request, active, last_list)
        if isinstance(bounds, Reply):
            return bounds
        mentions: tuple[Mention, ...] = ()
        if exclusion := read_request(line, ()).exclusion if request.exclusion else "":
            mentions = find_mentions(exclusion, self._products.context(state))
        # Of several products of one name, all are excluded.
        named = [one for found in mentions for one in (found.product, *found.choices) if one]
        seen = dict.fromkeys([*active.seen, *(product.id for product in last_list)])
        active = ActiveFilters(
            kinds=list(request.kinds) or active.kinds,
            excluded_kinds=sorted({*active.excluded_kinds, *request.excluded_kinds}),
            excluded=active.excluded | dict(named),
            min_risk=bounds[0],
            max_risk=bounds[1],
            properties=active.properties | properties,
            wish=wish or active.wish,
            seen=list(seen) if request.is_more else [],
        )
        is_understood = bool(named or request.excluded_kinds)
        unclear = "" if is_understood or not request.exclusion else request.exclusion
        return self.show(active, request.length or LIST_LENGTH, state, unclear)

    def names_value(self, line: str) -> bool:
        """Return whether a line wishes for a value of an own property."""
        return bool(pattern("wants").search(line) and self._properties(line, "")[0])

    def show(self, active: ActiveFilters, length: int, state: State, unclear: str = "") -> Reply:
        """Return a list under filters; `unclear`: words that were not understood."""
        filters = active.list_filters()
        found = None
        if active.wish:
            wide = self._answers.recommend(filters, MAX_CANDIDATES)
            found = of_meaning(self._answers.graph, active.wish, wide.recommended)
            if not found:
                unclear = " ".join(filter(None, [active.wish, unclear]))
                active = replace(active, wish="")
        reply = self._answers.recommend(
            filters, length, self._describe(active), chosen=found or None
        )
        lines = [reply.text]
        if unclear.strip():
            lines.append(phrase("not_understood", words=display_name(unclear.strip())))
        earlier = [*state.get("earlier", ()), {"filters": asdict(active), "length": length}]
        updates = {"filters": asdict(active), "earlier": earlier[-_MAX_EARLIER:]}
        fields: dict[str, Any] = {"not_understood": unclear.strip()} if unclear.strip() else {}
        return replace(
            reply,
            text="\n".join(lines),
            fields={**reply.fields, **fields},
            updates={**reply.updates, **updates},
        )

    def start_over(self) -> Reply:
        """Forget all wishes and return the plain list."""
        reply = self.show(ActiveFilters(), LIST_LENGTH, {})
        updates = {**reply.updates, "last_product": [], "last_dismissed": []}
        text = "\n".join([phrase("started_over"), reply.text])
        return replace(reply, text=text, updates=updates)

    def go_back(self, state: State) -> Reply:
        """Return the list before the last one."""
        earlier = list(state.get("earlier") or ())
        if len(earlier) < 2:
            return Reply(phrase("no_earlier"))
        before = earlier[-2]
        reply = self.show(ActiveFilters(**before["filters"]), before["length"], {})
        return replace(reply, updates={**reply.updates, "earlier": earlier[:-1]})

    @cached_property
    def _value_words(self) -> frozenset[str]:
        return frozenset(word for _, one in self.values for word in one.casefold().split())

    def _properties(self, line: str, wish: str) -> tuple[dict[str, str], str]:
        """Return values of own properties that a line names, and the wish without their words."""
        found: dict[str, str] = {}
        for key, value in self.values:
            named = rf"(?<!\w){re.escape(value)}(?!\w)"
            is_short = len(value) < 3 and value not in line
            if key not in found and not is_short and re.search(named, line, re.IGNORECASE):
                found[key] = value
        used = {word for one in found.values() for word in one.casefold().split()}
        used |= {word for key in found for word in key.casefold().split("_")}
        return found, " ".join(word for word in wish.split() if word not in used)

    def _risk_bounds(
        self, request: ListRequest, active: ActiveFilters, last_list: Sequence[ProductRef]
    ) -> tuple[int | None, int | None] | Reply:
        """Return the lowest and highest level of risk; a reply where there is none."""
        if request.risk_level is not None:
            lowest = None if request.is_most else request.risk_level
            return lowest, request.risk_level
        if not request.risk:
            return active.min_risk, active.max_risk
        row = self._answers.graph.read(
            "chat_risks",
            user_id=self._answers.user,
            product_ids=[product.id for product in last_list],
        )[0]
        scale, tolerance = row["scale"], row["tolerance"]
        highest = row["highest"] if row["highest"] is not None else tolerance
        lowest = row["lowest"] if row["lowest"] is not None else tolerance
        if scale is None or highest is None or lowest is None:
            return Reply(phrase("risk_unknown"))
        if request.risk == "safer":
            return Reply(phrase("least_risk")) if highest <= 1 else (None, int(highest) - 1)
        if request.risk == "riskier":
            most = scale if tolerance is None else min(scale, tolerance)
            is_possible = lowest < most
            return (int(lowest) + 1, None) if is_possible else Reply(phrase("most_risk", risk=most))
        low = max(1, int(scale) * 2 // 5)
        levels = {
            "lowest": (None, 1),
            "low": (None, low),
            "medium": (low + 1, int(scale) - low),
            "high": (int(scale) - low + 1, None),
        }
        return levels[request.risk]

    def _describe(self, active: ActiveFilters) -> str:
        """Return the filters in words; empty without filters."""
        parts = []
        if active.kinds:
            kinds = join_words(display_name(kind) for kind in active.kinds)
            parts.append(phrase("filter_only", kinds=kinds))
        excluded = [ProductRef(*pair) for pair in active.excluded.items()]
        names = self._answers.names(excluded)
        if words := [*map(display_name, active.excluded_kinds), *map(names, excluded)]:
            parts.append(phrase("filter_without", names=join_words(words)))
        lowest, highest = active.min_risk, active.max_risk
        if lowest is not None and highest is not None:
            key = "filter_risk_exact" if lowest == highest else "filter_risk_between"
            parts.append(phrase(key, risk=highest, lowest=lowest))
        elif highest is not None:
            parts.append(phrase("filter_risk", risk=highest))
        elif lowest is not None:
            parts.append(phrase("filter_risk_least", risk=lowest))
        parts += [
            f"{key.replace('_', ' ')}: {display_name(value)}"
            for key, value in active.properties.items()
        ]
        if active.wish:
            parts.append(phrase("filter_meaning", words=display_name(active.wish)))
        if set(active.seen) - set(active.excluded):
            parts.append(phrase("filter_more"))
        return ", ".join(parts)
