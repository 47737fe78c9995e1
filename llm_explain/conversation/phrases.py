"""Phrases of the conversation, from `chat_en.toml`, and the format of names and lists."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from kinfolio.llm_explain.wording.clauses import load_clauses
from kinfolio.records import Recommended

if TYPE_CHECKING:
    from kinfolio.llm_explain.conversation.mention import ProductRef


@cache
def phrases() -> dict[str, dict[str, str]]:
    """All phrases by section and key."""
    file = files("kinfolio.llm_explain.conversation").joinpath("chat_en.toml")
    return tomllib.loads(file.read_text("utf-8"))


def phrase(key: str, **fields: object) -> str:
    """Return one phrase with its fields filled in."""
    return phrases()["replies"][key].format(**fields)


def display_name(name: str) -> str:
    """Return a name for use in a sentence: on one line, quoted where it could be misread."""
    return load_clauses().display_name(name)


def display_names(products: Iterable[ProductRef | Recommended]) -> str:
    """Return the names of products as a list in words."""
    return join_words(display_name(one.name) for one in products)


def join_words(words: Iterable[str]) -> str:
    """Join words as a list: a, b and c."""
    found = list(words)
    return load_clauses().listed(found) if found else ""


def list_lines(products: Iterable[Recommended]) -> list[str]:
    """Return one line a product: rank and name."""
    return [f"{one.rank}. {display_name(one.name)}" for one in products]


def percent(share: float) -> str:
    """Return an absolute share in whole percent."""
    return f"{abs(share):.0%}".replace("%", " %") if abs(share) >= 0.005 else "under 1 %"
