"""Which names in a graph resemble a role or property, by the words in `words.toml`."""

from __future__ import annotations

import tomllib
from importlib.resources import files

WORDS = tomllib.loads(files("kinfolio.cypher.inspection").joinpath("words.toml").read_text("utf-8"))
"""Words by role, separated by spaces, in order of preference; `properties`: by line."""
PROPERTIES: dict[str, str] = WORDS["properties"]


def is_like(name: str, words: str) -> bool:
    """Return whether a name resembles one of some words."""
    return likeness(name, words) > 0


def likeness(name: str, words: str) -> float:
    """Return how early a name stands among some words, ignoring case, `_`, `-` and plural.

    2.0 for the first word, decreasing to 1.0; 0.5 for a plural; 0.0 for no word.
    """
    listed = [_plain(word) for word in words.split()]
    plain = _plain(name)
    if plain in listed:
        return 1.0 + 1.0 / (1 + listed.index(plain))
    return 0.5 if plain.rstrip("s") in listed else 0.0


def _plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")
