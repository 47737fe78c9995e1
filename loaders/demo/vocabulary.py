"""Words of the generated community, read from `community.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Topic:
    """Subject of a group of products."""

    name: str
    """Word in the names of its products."""
    about: tuple[str, ...]
    """Parts of product descriptions."""
    reviews: tuple[str, ...]
    """Parts of review texts."""


@dataclass(frozen=True, slots=True)
class Category:
    """Category of products, with two topics."""

    name: str
    sector: str
    kinds: tuple[str, ...]
    risk: int
    topics: tuple[Topic, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words, by their position in a text."""

    prefixes: tuple[str, ...]
    product_texts: tuple[str, ...]
    horizons: tuple[str, ...]
    endings: tuple[str, ...]
    kind_words: dict[str, tuple[str, ...]]
    openings: dict[str, tuple[str, ...]]
    closings: dict[str, tuple[str, ...]]
    categories: tuple[Category, ...]

    @property
    def topics(self) -> list[str]:
        """Names of the topics, category by category."""
        return [topic.name for category in self.categories for topic in category.topics]


@cache
def vocabulary() -> Vocabulary:
    """Return the words in `community.toml`."""
    text = files("kinfolio.loaders.demo").joinpath("community.toml").read_text("utf-8")
    data = _tuples(tomllib.loads(text))
    categories = tuple(
        Category(**{**category, "topics": tuple(Topic(**topic) for topic in category["topics"])})
        for category in data.pop("categories")
    )
    return Vocabulary(categories=categories, **data)


def _tuples(value: Any) -> Any:  # Any: TOML values
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
