"""What the conversation says, from `chat_en.toml`, and how it says names and lists."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from kinfolio.llm_explain.wording.clauses import load_clauses
from kinfolio.records import Recommended


@cache
def texts() -> dict[str, dict[str, str]]:
    """All sentences, by section and key."""
    file = files("kinfolio.llm_explain.conversation").joinpath("chat_en.toml")
    return tomllib.loads(file.read_text("utf-8"))


def say(key: str, **fields: object) -> str:
    """One sentence with its fields filled in."""
    return texts()["say"][key].format(**fields)


def shown(name: str) -> str:
    """A product's name as it may stand in a sentence: one line, quoted where it looks odd."""
    return load_clauses().shown_name(name)


def listed(words: Iterable[str]) -> str:
    """Words as a list: a, b and c."""
    return load_clauses().listed(list(words))


def numbered(products: Iterable[Recommended]) -> list[str]:
    """A line for each product."""
    return [f"{one.rank}. {shown(one.name)}" for one in products]


def percent(share: float) -> str:
    """A share in whole percent."""
    return f"{abs(share):.0%}".replace("%", " %") if abs(share) >= 0.005 else "under 1 %"
