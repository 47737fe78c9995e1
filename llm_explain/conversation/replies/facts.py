"""What the graph stores about products, and which of a user's holdings are of some kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kinfolio.llm_explain.conversation.answers import Answers, Reply
from kinfolio.llm_explain.conversation.language.patterns import first_group, pattern
from kinfolio.llm_explain.conversation.mention import ProductRef
from kinfolio.llm_explain.conversation.phrases import count_of, display_name, join_words, phrase
from kinfolio.llm_explain.conversation.replies.list_filters import read_request
from kinfolio.llm_explain.conversation.replies.wishes import NOT_OWN, OF_VERSION
from kinfolio.llm_explain.display import flat_name

ASPECTS = (
    *("fact_provider", "fact_risk", "fact_category", "fact_holders", "fact_about", "fact_kind"),
)
"""Patterns of questions for one fact, in the order in which they are tried."""
_MAX_HOLDINGS = 200
_MAX_NAMED = 20
_LONGEST_TEXT = 300
_LONGEST_VALUE = 80
_PROVIDERS = (
    *("provider", "issuer", "manager", "company", "bank", "publisher", "label", "studio"),
    *("author", "artist", "director"),
)

Row = Mapping[str, Any]
"""Any: values of the graph."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Answers about products from what the graph stores of them."""

    answers: Answers

    def tell(self, aspect: str, products: Sequence[ProductRef], line: str) -> Reply:
        """Return one fact about each of some products.

        Args:
            aspect: one of `ASPECTS`, or the name of an own property.
            products: at least one.
            line: with masked names; it may name a kind, as in "is it a bond?".
        """
        found = self.answers.graph.read("facts_products", ids=[one.id for one in products])
        rows = {row["product"]: row for row in found}
        names = self.answers.names(products)
        ways: dict[str, Callable[[str, Row], str]] = {
            "fact_risk": self._risk,
            "fact_category": _category,
            "fact_holders": self._holders,
            "fact_about": self._about,
            "fact_kind": lambda name, row: _kind(name, row, line),
            "fact_provider": _provider,
        }
        way = ways.get(aspect)
        texts = [
            way(names(one), rows[one.id]) if way else _own(names(one), rows[one.id], aspect)
            for one in products
            if one.id in rows
        ]
        fields: dict[str, Any] = {"topic": aspect}
        if len(products) == 1:
            fields |= {"product": products[0].id}
        return Reply("\n".join(texts), fields, {"last_product": list(products[0])})

    def own_property(self, line: str, product: ProductRef) -> str | None:
        """Return the own property of a product whose name stands in a line."""
        for row in self.answers.graph.read("facts_products", ids=[product.id]):
            for key, _ in _own_values(row):
                word = re.escape(key.replace("_", " "))
                if re.search(rf"(?<!\w){word}s?(?!\w)", line, re.IGNORECASE):
                    return key
        return None

    def holdings(
        self, line: str, vocabulary: Sequence[str], product: ProductRef | None = None
    ) -> Reply:
        """Return which products the user holds: all, those of a kind, or whether one."""
        if product is not None:
            is_held = self.answers.holds(product)
            key = "holds_it" if is_held else "holds_it_not"
            name = self.answers.names([product])(product)
            fields = {"topic": "my_holdings", "product": product.id, "held": is_held}
            return Reply(phrase(key, product=name), fields, {"last_product": list(product)})
        rows = self.answers.graph.read(
            "facts_holdings", user_id=self.answers.user, most=_MAX_HOLDINGS
        )
        kinds = read_request(line, vocabulary).kinds
        rows = [row for row in rows if not kinds or _kinds_of(row) & set(kinds)]
        held = [ProductRef(row["product"], row["name"]) for row in rows]
        names = self.answers.names(held[:_MAX_NAMED])
        listed = names.listed(held[:_MAX_NAMED])
        if len(held) > _MAX_NAMED:
            listed = phrase("and_more", names=listed, number=len(held) - _MAX_NAMED)
        key = ("holds_kind" if held else "holds_kind_none") if kinds else "holds_all"
        if not kinds and not held:
            key = "holds_nothing"
        words = join_words(display_name(kind) for kind in kinds)
        text = phrase(key, number=count_of(len(held), "product"), names=listed, kinds=words)
        return Reply(text, {"topic": "my_holdings", "holdings": [one.id for one in held]})

    def _risk(self, name: str, row: Row) -> str:
        if row["risk"] is None:
            return phrase("fact_no_risk", product=name)
        read = self.answers.graph.read
        found = read("chat_risks", user_id=self.answers.user, product_ids=[row["product"]])[0]
        text = phrase("fact_risk", product=name, risk=row["risk"], scale=found["scale"])
        if found["tolerance"] is not None:
            text = " ".join([text, phrase("fact_tolerance", risk=found["tolerance"])])
        return text

    def _holders(self, name: str, row: Row) -> str:
        number = self.answers.wording.count(row["holders"])
        if isinstance(number, int):
            return phrase("fact_holders", product=name, number=count_of(number, "person"))
        return phrase("fact_few_holders", product=name, number=number)

    def _about(self, name: str, row: Row) -> str:
        """Return everything that may be told about a product."""
        lines = [_kind(name, row, "")]
        if row["risk"] is not None:
            lines.append(self._risk(name, row))
        lines.append(self._holders(name, row))
        lines += [_own(name, row, key) for key, _ in _own_values(row)]
        if not row["is_open"]:
            lines.append(phrase("fact_closed", product=name))
        if text := flat_name(row["text"] or "", _LONGEST_TEXT):
            lines.append(phrase("fact_text", text=text.replace("“", "'").replace("”", "'")))
        return " ".join(lines)


def _kinds_of(row: Row) -> set[str]:
    found = [row["kind"], *row["categories"]]
    return {str(word).casefold() for word in found if word}


def _kind(name: str, row: Row, line: str) -> str:
    categories = join_words(display_name(str(one)) for one in row["categories"] if one)
    asked = pattern("fact_kind").search(line) if line else None
    if asked and any(asked.groupdict().values()):
        words = first_group(asked)
        kinds = read_request(words, sorted(_kinds_of(row))).kinds
        key = "fact_is_kind" if kinds else "fact_is_other_kind"
        return phrase(
            key, product=name, asked=display_name(words), kind=display_name(row["kind"] or "?")
        )
    key = "fact_kind" if row["kind"] else "fact_no_kind"
    key = f"{key}_in" if categories else key
    kind = display_name(row["kind"]) if row["kind"] else ""
    return phrase(key, product=name, kind=kind, categories=categories)


def _category(name: str, row: Row) -> str:
    parts = [*row["categories"], row["sector"]]
    words = join_words(dict.fromkeys(display_name(str(one)) for one in parts if one))
    key = "fact_category" if words else "fact_no_category"
    return phrase(key, product=name, categories=words)


def _provider(name: str, row: Row) -> str:
    values = dict(_own_values(row))
    keys = {key.casefold(): key for key in values}
    key = next((keys[one] for one in _PROVIDERS if one in keys), None)
    return _own(name, row, key) if key else phrase("fact_unknown", product=name)


def _own(name: str, row: Row, key: str) -> str:
    value = dict(_own_values(row)).get(key)
    if value is None:
        return phrase("fact_unknown", product=name)
    return phrase(
        "fact_own", product=name, property=key.replace("_", " "), value=display_name(value)
    )


def _own_values(row: Row) -> Iterator[tuple[str, str]]:
    """Yield the names of a product's own properties and their values as short texts."""
    for key, value in sorted(row["own"].items()):
        is_own = key not in NOT_OWN and not OF_VERSION.fullmatch(key)
        if is_own and isinstance(value, str | int | float) and str(value).strip():
            yield key, flat_name(str(value), _LONGEST_VALUE)
