"""What a page says about a user or a product: its name, facts in words, holdings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from kinfolio.records import NodeView, Source

_INTERNAL = re.compile(
    r"(changed|gid|id|name|text|countries|(counted|market|similar|embedding|message)_[ab].*)"
)
_MOST_CHARACTERS = 80
SOURCES: dict[Source, str] = {
    "stored": "the user's embedding in this version",
    "folded_in": "computed now from the user's holdings and ties, which are newer than the version",
    "ties": "the people whom the user is tied to; there is no embedding yet",
    "text": "the user's own texts; there are no holdings and ties yet",
    "popularity": "popularity; nothing is known about the user yet",
}
SEARCHES = {
    "exact": "every eligible product was compared",
    "index": "candidates by the vector index, then exact scores",
    None: "no vectors were compared",
}
WRITERS = {
    "none": "written by fixed rules, without a language model",
    "embedded": "written by the embedded language model, under a grammar of the evidence",
}


@dataclass(frozen=True, slots=True)
class Profile:
    """A user or a product for display."""

    id: str
    name: str
    facts: tuple[tuple[str, str], ...]
    counts: dict[str, int]
    samples: dict[str, tuple[dict[str, Any], ...]]
    """Any: as in `NodeView`."""
    text: str

    @property
    def holdings(self) -> list[tuple[str, str]]:
        """Ids and names of the products that a user holds."""
        return [(one["product"], str(one["name"] or one["product"])) for one in self._held]

    @property
    def _held(self) -> tuple[dict[str, Any], ...]:
        return self.samples.get("holds", ())


def profile_of(view: NodeView) -> Profile:
    """Return the profile of a node."""
    name = view.properties.get("name")
    text = view.properties.get("text")
    facts = [
        (_capital(key.replace("_", " ")), _in_words(value))
        for key, value in view.properties.items()
        if not _INTERNAL.fullmatch(key)
        and isinstance(value, str | int | float | list)
        and value != ""
    ]
    countries = view.properties.get("countries")
    if countries:
        facts.append(("Sold in", _in_words(countries)))
    return Profile(
        view.id,
        name if isinstance(name, str) and name.strip() else view.id,
        tuple(facts),
        view.counts,
        view.samples,
        text if isinstance(text, str) else "",
    )


def writer_in_words(writer: str) -> str:
    """Return who wrote a text."""
    return WRITERS.get(writer, f"written by {writer}, with the facts of the graph")


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:,.6g}"
    text = str(value)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
