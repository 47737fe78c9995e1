"""How names and numbers of people are displayed in one language, within a deployment's limits."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kinfolio.llm_explain.checking.parse import is_ordinary

if TYPE_CHECKING:
    from kinfolio.gnn.serving.rules import Rule

_PLAIN_NAME = re.compile(r"[A-Z0-9][\w&'’./+-]*( [\w&'’./+-]+)*")
_COMPANY = re.compile(r" (?:Inc|Co|Corp|Cos|Ltd|Bros|S\.A|N\.V|L\.P)\.$")
"""A full stop that ends no sentence: a company's name needs no quotation marks."""
_LONGEST_NAME = 120
MIN_PEOPLE = 5
"""Smaller numbers of people are withheld ("fewer than 5") unless the deployment sets a limit."""


def flat_name(name: str, most: int = _LONGEST_NAME) -> str:
    """Return a name on one line, without control characters, cut to `most` characters."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    flat = flat.translate({ord(c): "'" for c in "“”"})
    return flat if len(flat) <= most else flat[: most - 1].rstrip() + "…"


def quoted_name(name: str) -> str:
    """Return a displayed name in quotation marks, in which it is read as nothing but a name."""
    return name if name.startswith("“") and name.endswith("”") else f"“{name}”"


def name_key(name: str) -> str:
    """Return what a reader may take for the same name: without case and look-alike letters."""
    return unicodedata.normalize("NFKC", name).casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """Rules for names and numbers in the text and facts of an explanation."""

    words: dict[str, str]
    people: dict[str, tuple[str, str, str]]
    """Phrases for one tied person, another one and several, by kind and direction of the tie."""
    kinds: dict[str, str]
    """Kind of tie by its other spellings."""
    vocabulary: frozenset[str]
    """Words of the clauses and of the check in lower case; a name of such words only is quoted."""
    min_people: int = MIN_PEOPLE
    """Smaller numbers of people are withheld (k-anonymity)."""
    names_people: bool = False
    """Whether people behind ties are named."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Properties of products that are told, each with its text with the field {value}."""
    rules: tuple[Rule, ...] = ()
    """Own rules of the deployment: a product that they exclude is explained as excluded."""

    @property
    def tells_holdings_of_ties(self) -> bool:
        """Whether a text may state what a tied person holds.

        A user may have one relative, or compare two answers with a tie less between them: then
        "someone you are tied to holds it" is about one person, whatever their number. So it is
        stated only where people are named or any number of people may be stated.
        """
        return self.names_people or self.min_people <= 1

    def display_name(self, name: str) -> str:
        """Return a name on one line, quoted where it could be read as ordinary words."""
        flat = flat_name(name)
        is_sentence = re.search(r"[.!?:;] |[.!?]$", _COMPANY.sub("", flat))
        if is_sentence or is_ordinary(flat, self.vocabulary) or not _PLAIN_NAME.fullmatch(flat):
            return quoted_name(flat)
        return flat

    def distinct_names(self, names: Mapping[str, str]) -> dict[str, str]:
        """Return the displayed name of each product, by id; with the id where names are alike."""
        names = {key: name if flat_name(name) else key for key, name in names.items()}
        displayed = {key: self.display_name(name) for key, name in names.items()}
        times = Counter(map(name_key, displayed.values()))
        return {
            key: text if times[name_key(text)] == 1 else self.name_with_id(names[key], key)
            for key, text in displayed.items()
        }

    def name_with_id(self, name: str, id: str) -> str:
        """Return a name that is not unique, with the id that makes it so."""
        return f"“{flat_name(name, _LONGEST_NAME // 2)} ({flat_name(id, _LONGEST_NAME // 2)})”"

    def number(self, value: float) -> str:
        """Format a number in the language: 1,183 and 4.5, or 1.183 and 4,5."""
        signs = {",": self.words["thousands"], ".": self.words["decimal"]}
        return "".join(signs.get(sign, sign) for sign in f"{value:,.15g}")

    def count(self, number: int) -> int | str:
        """Return a number of people, or "fewer than k" below the limit."""
        if number >= self.min_people:
            return number
        return self.words["fewer"].format(k=self.min_people)

    def listed(self, names: list[str]) -> str:
        """Join names: "A", "A and B", "A, B and C"."""
        if len(names) == 1:
            return names[0]
        first = self.words["comma"].join(names[:-1])
        return self.words["and"].format(first=first, last=names[-1])

    def tie_key(self, kind: str | None, direction: str) -> str:
        """Return the key in `people` of a kind of tie; a default key for an unknown kind."""
        key = str(kind or "").strip().casefold().replace(" ", "_").replace("-", "_")
        key = f"{self.kinds.get(key, key)}_{direction}"
        return key if key in self.people else f"default_{direction}"
