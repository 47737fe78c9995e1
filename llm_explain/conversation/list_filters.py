"""What a line asks a list to hold: kinds, less risk, so many, others than before, without some.

Reads words only; what the kinds are called comes from the graph.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LONGEST_LIST = 20
_NUMBERS = {
    word: number
    for number, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], start=1
    )
}
_LENGTH = re.compile(
    r"\b(?:top|best|give me|show me|find me|list|suggest|me|recommend|your|my|next)\s+"
    rf"(?:the\s+|my\s+|top\s+|best\s+)?(\d{{1,4}}|{'|'.join(_NUMBERS)})\b(?!\s+of\b)",
    re.IGNORECASE,
)
_SAFER = re.compile(
    r"\b(?:less|lower|lowest|low|smaller|reduced?) ?-?(?:in )?risk(?:y|s)?\b|\bless risk|\bsafer?\b"
    r"|\bnot (?:so|as|that|too) risky\b|\brisk(?:y)? (?:is |was )?too (?:high|much)\b|\btoo risky\b"
    r"|\bless volatile\b|\b(?:more )?(?:conservative|cautious|careful)\b|\blower risk level\b",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\b(?:more (?:ideas|suggestions|products|of them|like that)?|what else|anything else|"
    r"something else|others?|next|another|different ones?)\b",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:but not|not|no|without|except(?: for)?|excluding|other than|apart from|don't want)\b"
    r"|\bn't\b",
    re.IGNORECASE,
)
_ONLY = re.compile(r"\b(?:only|just|nothing but)\s+(?:the\s+)?([a-z]\w+)", re.IGNORECASE)
_OPENS = re.compile(
    r"^(?:and |but |or |please |ok(?:ay)?,? |even |still |much |a bit |a little )*"
    r"(?:not|no|only|just|nothing but|without|except|less|safer?|lower|something|anything|"
    r"some|any|more|others?|next|what else|another|different)\b",
    re.IGNORECASE,
)
_EMPTY_WORDS = frozenset(
    """
    fund funds product products plan plans and or the other with for of list one ones
    something anything thing things risk risky level more less
    """.split()
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What one line wishes."""

    kinds: tuple[str, ...] = ()
    not_kinds: tuple[str, ...] = ()
    is_safer: bool = False
    is_more: bool = False
    """Others than those shown before."""
    length: int | None = None
    unknown: str = ""
    """A kind asked for by "only" that there is none of."""
    refused: str = ""
    """The words after a "not": products named there are to be left out."""

    @property
    def narrows(self) -> bool:
        """Whether it says what the list may hold."""
        return bool(self.kinds or self.not_kinds or self.is_safer or self.refused or self.unknown)


def read_wish(line: str, vocabulary: Sequence[str]) -> Wish:
    """The wish in a line.

    Args:
        line: what was typed.
        vocabulary: kinds and categories in small letters, the frequent ones first.
    """
    asked, refused = _parts(line)
    kinds = _kinds(asked, vocabulary)
    length = _LENGTH.search(line)
    only = _ONLY.search(asked)
    safer = bool(_SAFER.search(line))
    unknown = ""
    if only and not kinds and not safer and _one(only.group(1)) not in _ONES:
        unknown = only.group(1)
    return Wish(
        kinds=kinds,
        not_kinds=_kinds(refused, vocabulary),
        is_safer=safer,
        is_more=bool(_MORE.search(asked)),
        length=min(_number(length.group(1)), LONGEST_LIST) if length else None,
        unknown=unknown,
        refused=refused,
    )


def opens_a_wish(line: str) -> bool:
    """Whether a line, after a list, goes on wishing: "only bonds", "not that one"."""
    return bool(_OPENS.match(line)) and not re.match(r"no+[,.!]? *(thanks?.*)?$", line, re.I)


def _parts(line: str) -> tuple[str, str]:
    """What is asked for and what is refused."""
    if _SAFER.search(line):
        line = re.sub(r"\bnot (?:so|as|that|too) risky\b", "safer", line, flags=re.IGNORECASE)
    asked, refused = [], []
    for clause in re.split(r"[,;.]|\bbut\b(?! not)|\bonly\b(?= )(?<!not only)", line):
        match = _NOT.search(clause)
        # "why not" and "if not" refuse nothing.
        if match and not re.search(r"\b(?:why|if|or)\s*$", clause[: match.start()], re.I):
            asked.append(clause[: match.start()])
            refused.append(clause[match.end() :])
        else:
            asked.append(clause)
    # The word that was split at still tells that only this is wanted.
    text = " ".join(asked)
    only = re.search(r"\bonly\b.*", line, re.IGNORECASE)
    return (f"{text} {only.group()}" if only and not refused else text), " ".join(refused).strip()


def _kinds(text: str, vocabulary: Sequence[str]) -> tuple[str, ...]:
    """The kinds and categories that a text names, whole ones before parts."""
    words = [_one(word) for word in re.findall(r"[^\W_]+", text.casefold())]
    there = set(words)
    tokens = {entry: [_one(w) for w in re.findall(r"[^\W_]+", entry)] for entry in vocabulary}
    whole = [entry for entry, parts in tokens.items() if parts and there.issuperset(parts)]
    if whole:
        # "green bonds" means the category of that name, not all bonds.
        longest = [e for e in whole if not any(_inside(tokens[e], tokens[o]) for o in whole)]
        return tuple(longest)
    telling = {word for word in words if len(word) >= 4 and word not in _EMPTY_WORDS}
    return tuple(entry for entry, parts in tokens.items() if telling.intersection(parts))


def _inside(parts: Iterable[str], other: Iterable[str]) -> bool:
    return set(parts) < set(other)


def _one(word: str) -> str:
    """A word without its plural ending."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


_ONES = frozenset("one the that this show give what my for a want".split())


def _number(word: str) -> int:
    return max(1, int(word)) if word.isdigit() else _NUMBERS[word.casefold()]
