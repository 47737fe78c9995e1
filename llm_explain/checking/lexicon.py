"""Word lists and patterns of the check for a language, from its `check_*.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from kinfolio.errors import BadConfig
from kinfolio.llm_explain.checking.rule_table import RuleTable, read_table


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Word lists and patterns of a language; the fields are the keys of its file."""

    known: frozenset[str]
    topics: frozenset[str]
    persons: frozenset[str]
    capitals: frozenset[str]
    endings: tuple[str, ...]
    this: str
    most_unknown: float
    promises: re.Pattern[str]
    advice: re.Pattern[str]
    notice: re.Pattern[str]
    refused: re.Pattern[str]
    recommends: re.Pattern[str]
    is_ascii: bool
    """Whether a word with other letters belongs to another language."""
    table: RuleTable

    def is_known(self, word: str) -> bool:
        """Return whether a word in lower case, its parts or its stem are among the known words."""
        parts = [word, *word.replace("'", "-").split("-")]
        if word in self.known or (
            len(parts) > 2 and all(part in self.known for part in parts[1:] if part)
        ):
            return True
        stems = (word.removesuffix(ending) for ending in self.endings)
        return any(stem != word and stem in self.known for stem in stems)


@cache
def load_lexicon(language: str = "en") -> Lexicon:
    """Load the lexicon of a language.

    Raises:
        BadConfig: there is no such language, or its file lacks a key or has an invalid pattern.
    """
    name = f"check_{language}.toml"
    file = files("kinfolio.llm_explain.checking").joinpath(name)
    if not file.is_file():
        raise BadConfig(f"there is no {name}, so no text in that language can be checked")
    content = tomllib.loads(file.read_text("utf-8"))
    try:
        return Lexicon(
            known=frozenset(" ".join((content["known"], *content["numbers"])).casefold().split()),
            topics=frozenset(content["topics"].casefold().split()),
            persons=frozenset(content["persons"].casefold().split()),
            capitals=frozenset(content["capitals"].split()),
            endings=tuple(content["endings"]),
            this=content["this"],
            most_unknown=content["most_unknown"],
            promises=re.compile("|".join(content["promises"]), re.IGNORECASE),
            advice=re.compile("|".join(content["advice"]), re.IGNORECASE),
            notice=re.compile(content["notice"], re.IGNORECASE),
            refused=re.compile(content["refused"]),
            recommends=re.compile(content["recommends"], re.IGNORECASE),
            is_ascii=content["is_ascii"],
            table=read_table(content),
        )
    except KeyError as error:
        raise BadConfig(f"{name} lacks {error.args[0]}") from error
    except re.error as error:
        raise BadConfig(f"{name} has a pattern that cannot be read: {error}") from error
