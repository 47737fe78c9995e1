"""Requests about a list in a line: kinds, less risk, a length, other products, exclusions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kinfolio.llm_explain.conversation.mention import NUMBER_WORDS
from kinfolio.records import ListFilters

MAX_LENGTH = 20
_LENGTH = re.compile(
    r"\b(?:top|best|give me|show me|find me|list|suggest|me|recommend|your|my|next)\s+"
    rf"(?:the\s+|my\s+|top\s+|best\s+)?(\d{{1,4}}|{'|'.join(NUMBER_WORDS)})\b(?!\s+of\b)",
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
_OPENING = re.compile(
    r"^(?:and |but |or |please |ok(?:ay)?,? |even |still |much |a bit |a little )*"
    r"(?:not|no|only|just|nothing but|without|except|less|safer?|lower|something|anything|"
    r"some|any|more|others?|next|what else|another|different)\b",
    re.IGNORECASE,
)
_NO_KIND = frozenset("one the that this show give what my for a want".split())
"""Words after "only" that name no kind, in the singular."""
_UNSPECIFIC = frozenset(
    """
    fund funds product products plan plans and or the other with for of list one ones
    something anything thing things risk risky level more less
    """.split()
)
"""Words that alone do not identify a kind or category."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """The request of one line about the list."""

    kinds: tuple[str, ...] = ()
    excluded_kinds: tuple[str, ...] = ()
    is_safer: bool = False
    is_more: bool = False
    """Requests products not listed before."""
    length: int | None = None
    unknown_kind: str = ""
    """The word after "only" that is no kind or category of the graph."""
    exclusion: str = ""
    """The words after a "not", which may name products."""

    @property
    def is_filter(self) -> bool:
        """Whether it limits the products of the list."""
        words = self.kinds or self.excluded_kinds or self.exclusion or self.unknown_kind
        return self.is_safer or bool(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveFilters:
    """The filters of the last list, as the state stores them."""

    kinds: list[str] = field(default_factory=list)
    excluded_kinds: list[str] = field(default_factory=list)
    excluded: dict[str, str] = field(default_factory=dict)
    """Names of excluded products by id."""
    max_risk: int | None = None
    seen: list[str] = field(default_factory=list)
    """Ids of products listed before, where others were requested."""

    def list_filters(self) -> ListFilters:
        """Return the filters as serving takes them."""
        return ListFilters(
            kinds=tuple(self.kinds),
            excluded_kinds=tuple(self.excluded_kinds),
            max_risk=self.max_risk,
            excluded_products=tuple(dict.fromkeys([*self.excluded, *self.seen])),
        )


def read_request(line: str, vocabulary: Sequence[str]) -> ListRequest:
    """Read the request of a line; `vocabulary`: kinds and categories in lower case."""
    included, excluded = _split(line)
    kinds = _kinds(included, vocabulary)
    length = _LENGTH.search(line)
    only = _ONLY.search(included)
    is_safer = bool(_SAFER.search(line))
    is_unknown = only and not kinds and not is_safer and _singular(only[1]) not in _NO_KIND
    return ListRequest(
        kinds=kinds,
        excluded_kinds=_kinds(excluded, vocabulary),
        is_safer=is_safer,
        is_more=bool(_MORE.search(included)),
        length=min(_number(length[1]), MAX_LENGTH) if length else None,
        unknown_kind=only[1] if only and is_unknown else "",
        exclusion=excluded,
    )


def opens_request(line: str) -> bool:
    """Return whether a line after a list changes its filters: "only bonds", "not that one"."""
    return bool(_OPENING.match(line)) and not re.match(r"no+[,.!]? *(thanks?.*)?$", line, re.I)


def _split(line: str) -> tuple[str, str]:
    """Split a line into the text that includes and the text that excludes."""
    if _SAFER.search(line):
        line = re.sub(r"\bnot (?:so|as|that|too) risky\b", "safer", line, flags=re.IGNORECASE)
    included, excluded = [], []
    for clause in re.split(r"[,;.]|\bbut\b(?! not)|\bonly\b(?= )(?<!not only)", line):
        match = _NOT.search(clause)
        # "why not" and "if not" exclude nothing.
        if match and not re.search(r"\b(?:why|if|or)\s*$", clause[: match.start()], re.I):
            included.append(clause[: match.start()])
            excluded.append(clause[match.end() :])
        else:
            included.append(clause)
    text = " ".join(included)
    # The split dropped the word "only".
    if not excluded and (only := re.search(r"\bonly\b.*", line, re.IGNORECASE)):
        text = f"{text} {only.group()}"
    return text, " ".join(excluded).strip()


def _kinds(text: str, vocabulary: Sequence[str]) -> tuple[str, ...]:
    """The kinds and categories that a text names, in full or else by one specific word."""
    words = set(_singulars(text))
    entries = {entry: set(_singulars(entry)) for entry in vocabulary}
    if full := {entry: parts for entry, parts in entries.items() if parts and parts <= words}:
        # "green bonds" means the category of that name, not all bonds.
        return tuple(e for e, parts in full.items() if not any(parts < o for o in full.values()))
    specific = {word for word in words if len(word) >= 4 and word not in _UNSPECIFIC}
    return tuple(entry for entry, parts in entries.items() if specific & parts)


def _singulars(text: str) -> list[str]:
    return [_singular(word) for word in re.findall(r"[^\W_]+", text.casefold())]


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _number(word: str) -> int:
    return max(1, int(word)) if word.isdigit() else NUMBER_WORDS[word.casefold()]
