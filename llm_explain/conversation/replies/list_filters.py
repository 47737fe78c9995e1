"""Requests about a list in a line: kinds, risk, properties, a length, other products, exclusions.

What is left of a line are words that only their meaning can place: the wish.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kinfolio.llm_explain.conversation.language.patterns import (
    NUMBER_WORDS,
    first_group,
    kind_words,
    pattern,
    words_of,
)
from kinfolio.records import ListFilters

MAX_LENGTH = 20
_MAX_WISH_WORDS = 8
_RISKS = ("safer", "riskier", "lowest_risk", "low_risk", "medium_risk", "high_risk")
"""Patterns in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """The request of one line about the list."""

    kinds: tuple[str, ...] = ()
    excluded_kinds: tuple[str, ...] = ()
    risk: str = ""
    """"safer", "riskier", "lowest", "low", "medium" or "high"."""
    risk_level: int | None = None
    is_most: bool = False
    """Whether lower levels than `risk_level` are meant as well."""
    is_more: bool = False
    """Requests products not listed before."""
    length: int | None = None
    unknown_kind: str = ""
    """The word after "only" that is no kind or category of the graph."""
    exclusion: str = ""
    """The words after a "not", which may name products."""
    included: str = ""
    """The words that exclude nothing."""
    wish: str = ""
    """Those of them that nothing else has understood."""

    @property
    def is_filter(self) -> bool:
        """Whether it limits the products of the list."""
        words = self.kinds or self.excluded_kinds or self.exclusion or self.unknown_kind
        return bool(words or self.risk or self.risk_level is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveFilters:
    """The filters of the last list, as the state stores them."""

    kinds: list[str] = field(default_factory=list)
    excluded_kinds: list[str] = field(default_factory=list)
    excluded: dict[str, str] = field(default_factory=dict)
    """Names of excluded products by id."""
    min_risk: int | None = None
    max_risk: int | None = None
    properties: dict[str, str] = field(default_factory=dict)
    """Values by name of an own property."""
    wish: str = ""
    """Found by its meaning."""
    seen: list[str] = field(default_factory=list)
    """Ids of products listed before, where others were requested."""

    def list_filters(self) -> ListFilters:
        """Return the filters as serving takes them."""
        return ListFilters(
            kinds=tuple(self.kinds),
            excluded_kinds=tuple(self.excluded_kinds),
            min_risk=self.min_risk,
            max_risk=self.max_risk,
            properties=tuple((key, one.casefold()) for key, one in self.properties.items()),
            excluded_products=tuple(dict.fromkeys([*self.excluded, *self.seen])),
        )


def read_request(line: str, vocabulary: Sequence[str]) -> ListRequest:
    """Read the request of a line; `vocabulary`: kinds and categories in lower case."""
    included, excluded = _split(line)
    kinds = _kinds(included, vocabulary)
    length = pattern("length").search(line)
    only = pattern("only").search(included)
    word = first_group(only) if only else ""
    risk, level, is_most = _read_risk(line)
    is_unknown = word and not kinds and not (risk or level) and not _is_no_kind(word)
    return ListRequest(
        kinds=kinds,
        excluded_kinds=_kinds(excluded, vocabulary),
        risk=risk,
        risk_level=level,
        is_most=is_most,
        is_more=bool(pattern("more").search(included)),
        length=min(_number(first_group(length)), MAX_LENGTH) if length else None,
        unknown_kind=word if is_unknown else "",
        exclusion=excluded,
        included=included,
        wish=_wish(included, kinds),
    )


def _read_risk(line: str) -> tuple[str, int | None, bool]:
    """Return the word for a risk, or the level, and whether lower levels are meant as well."""
    if match := pattern("risk_level").search(line):
        groups = {key: text for key, text in match.groupdict().items() if text}
        level = next(int(text) for key, text in groups.items() if key.startswith("level"))
        return "", level, len(groups) > 1
    found = (name for name in _RISKS if pattern(name).search(line))
    return next(found, "").removesuffix("_risk"), None, False


def _wish(text: str, kinds: Sequence[str]) -> str:
    """Return the words of a text that nothing else has understood."""
    for name in (*_RISKS, "risk_level", "length", "more", "only", "opening"):
        text = pattern(name).sub(" ", text)
    known = {part for kind in kinds for part in _singulars(kind)}
    words = []
    for word in re.findall(r"[^\W\d_][\w'’-]+", text.casefold()):
        plain = word.replace("’", "'").replace("'", "")
        is_kind = {_singular(word), word, *kind_words().get(word, ())} & known
        if not is_kind and plain not in words_of("fillers") and plain not in words_of("no_kind"):
            words.append(word)
    return " ".join(words[:_MAX_WISH_WORDS])


def opens_request(line: str) -> bool:
    """Return whether a line after a list changes its filters: "only bonds", "not that one"."""
    is_refusal = pattern("refusal_of_more").fullmatch(line)
    return bool(pattern("opening").match(line)) and not is_refusal


def _is_no_kind(word: str) -> bool:
    return bool({word.casefold(), _singular(word.casefold())} & words_of("no_kind"))


def _split(line: str) -> tuple[str, str]:
    """Split a line into the text that includes and the text that excludes."""
    # "not so risky" excludes nothing.
    line = pattern("safer").sub("safer", line)
    included, excluded = [], []
    for clause in pattern("split").split(line):
        match = pattern("not").search(clause)
        if match and not pattern("not_excluding").search(clause[: match.start()]):
            included.append(clause[: match.start()])
            excluded.append(clause[match.end() :])
        else:
            included.append(clause)
    text = " ".join(included)
    # The split dropped the word "only".
    if not excluded and (only := re.search(r"\b(?:only|nur)\b.*", line, re.IGNORECASE)):
        text = f"{text} {only.group()}"
    return text, " ".join(excluded).strip()


def _kinds(text: str, vocabulary: Sequence[str]) -> tuple[str, ...]:
    """The kinds and categories that a text names, in full or else by one specific word."""
    words = set(_singulars(text))
    for word in re.findall(r"[^\W_]+", text.casefold()):
        words |= set(kind_words().get(word, ()))
    entries = {entry: set(_singulars(entry)) for entry in vocabulary}
    if full := {entry: parts for entry, parts in entries.items() if parts and parts <= words}:
        # "green bonds" means the category of that name, not all bonds.
        return tuple(e for e, parts in full.items() if not any(parts < o for o in full.values()))
    specific = {word for word in words if len(word) >= 4} - words_of("unspecific")
    return tuple(entry for entry, parts in entries.items() if specific & parts)


def _singulars(text: str) -> list[str]:
    return [_singular(word) for word in re.findall(r"[^\W_]+", text.casefold())]


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _number(word: str) -> int:
    return max(1, int(word)) if word.isdigit() else NUMBER_WORDS[word.casefold()]
