"""Phrases of the conversation in the language of the answer, and the format of names and lists."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from kinfolio.llm_explain.conversation.language.speech import language
from kinfolio.llm_explain.wording.clauses import Clauses, load_clauses
from kinfolio.records import Recommended

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph
    from kinfolio.llm_explain.conversation.mention import ProductRef


def phrases() -> dict[str, dict[str, str]]:
    """All phrases of the language of the answer, by section and key."""
    return load_phrases(language())


@cache
def load_phrases(code: str) -> dict[str, dict[str, str]]:
    """All phrases of a language, by section and key."""
    folder = files("kinfolio.llm_explain.conversation.language")
    return tomllib.loads(folder.joinpath(f"chat_{code}.toml").read_text("utf-8"))


def phrase(key: str, **fields: object) -> str:
    """Return one phrase with its fields filled in."""
    return phrases()["replies"][key].format(**fields)


def wording() -> Clauses:
    """Return the clauses of the language of the answer, for names, numbers and lists."""
    return load_clauses(language())


def display_name(name: str) -> str:
    """Return a name for use in a sentence: on one line, quoted where it could be misread."""
    return wording().display_name(name)


def decimal(value: float) -> str:
    """Return a number with two decimals, like 0.42 or 0,42."""
    return f"{value:.2f}".replace(".", wording().words["decimal"])


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun: "no products", "1 product", "3 products"."""
    none, one, several = phrases()["counts"][noun].split("|")
    text = none if number == 0 else one if number == 1 else several
    return text.format(number=wording().number(number))


class ProductNames:
    """The names of products in one answer: with the id where a name is not unique."""

    def __init__(self, graph: Graph, products: Iterable[ProductRef | Recommended]) -> None:
        names = {_id(one): str(one.name).strip() or _id(one) for one in products}
        keys = sorted({name.lower() for name in names.values()})
        rows = graph.read("chat_shared_names", names=keys) if keys else []
        shared = {row["name"] for row in rows}
        clauses = wording()
        self._names = clauses.distinct_names(names) | {
            key: clauses.name_with_id(name, key)
            for key, name in names.items()
            if name.lower() in shared
        }

    def __call__(self, product: ProductRef | Recommended) -> str:
        """Return the name of a product of the answer."""
        return self._names[_id(product)]

    def listed(self, products: Iterable[ProductRef | Recommended]) -> str:
        """Return the names of products as a list in words."""
        return join_words(map(self, products))

    def lines(self, products: Iterable[Recommended]) -> list[str]:
        """Return one line a product: rank and name; negative scores are marked."""
        return [
            f"{one.rank}. {self(one)}{phrase('negative') if one.score < 0 else ''}"
            for one in products
        ]


def _id(product: ProductRef | Recommended) -> str:
    return product.product if isinstance(product, Recommended) else product.id


def join_words(words: Iterable[str]) -> str:
    """Join words as a list: a, b and c."""
    found = list(words)
    return wording().listed(found) if found else ""


def join_either(words: Iterable[str]) -> str:
    """Join words as alternatives: a, b or c."""
    *first, last = words
    return phrase("either", first=", ".join(first), last=last) if first else last


def percent(share: float) -> str:
    """Return an absolute share in whole percent."""
    if abs(share) < 0.005:
        return phrase("under_one_percent")
    return f"{abs(share):.0%}".replace("%", " %")


def supposition(
    removed: Sequence[ProductRef], new: Sequence[ProductRef], names: ProductNames
) -> str:
    """Return removed and added holdings as the beginning of a sentence."""
    parts = []
    if removed:
        parts.append(phrase("what_if_without", products=names.listed(removed)))
    if new:
        parts.append(phrase("what_if_added", products=names.listed(new)))
    text = join_words(parts)
    return text[:1].upper() + text[1:]


def list_changes(
    before: Sequence[Recommended],
    after: Sequence[Recommended],
    supposed: str,
    names: ProductNames,
) -> list[str]:
    """Return a supposed list and its differences from the present one."""
    if not after:
        return [phrase("what_if_empty", supposed=supposed)]
    lines = [phrase("what_if_list", supposed=supposed), *names.lines(after)]
    ids_before, ids_after = ([one.product for one in products] for products in (before, after))
    if new := [one for one in after if one.product not in ids_before]:
        lines.append(phrase("what_if_new", products=names.listed(new)))
    if gone := [one for one in before if one.product not in ids_after]:
        lines.append(phrase("what_if_gone", products=names.listed(gone)))
    if ids_after == ids_before:
        lines.append(phrase("what_if_same", number=len(after)))
    return lines
