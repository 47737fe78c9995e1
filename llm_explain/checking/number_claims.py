"""Numbers of a text in their roles: all holders, those who hold both, ratings, percentages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from kinfolio.llm_explain.explanation import Evidence

_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*")
_WHOLE_BEFORE = re.compile(
    r"\b(out of|of|among|amongst|from|with)( all| the| its| those| these| other)*\s+$",
    re.IGNORECASE,
)
_FRACTIONS = {
    r"\b(?:a|one) fifth\b": 0.2,
    r"\b(?:a|one) quarter\b": 0.25,
    r"\b(?:a|one) third\b": 1 / 3,
    r"\btwo thirds\b": 2 / 3,
    r"\bthree quarters\b": 0.75,
}
"""Parts of the holders in words, and what they are."""
_PART_AFTER = re.compile(
    r"^\s*((people|others|holders|investors) )?(out )?of\s+(the|them|whom|those|these|its|all|\d)",
    re.IGNORECASE,
)


def problems_of_numbers(
    text: str, cited: Sequence[Evidence], facts: list[dict[str, Any]], words: dict[str, int]
) -> Iterator[str]:
    """Numbers that no cited evidence has, or has in another role."""
    for fraction in _FRACTIONS:
        text = re.sub(fraction, lambda match: "_" * len(match.group()), text, flags=re.IGNORECASE)
    low = text.casefold()
    withheld = {
        number
        for fact in facts
        for value in fact.values()
        if isinstance(value, str)
        for number in re.findall(r"\d+", value)
    }
    found = [(match.group(), match.start(), match.end()) for match in _NUMBER.finditer(text)]
    found += _spelled(low, words)
    counted = [fact for fact in facts if fact.get("claim") == "together"]
    for number, start, end in sorted(found, key=lambda item: item[1]):
        ahead, behind = text[:start], text[end:]
        shown = text[start:end]
        if re.match(r"\s*(%|per ?cent\b|percent\b)", behind):
            yield from _percent(number, shown, text, cited, counted)
            continue
        if re.search(r"(fewer|less) than\s+$|\bunder\s+$", ahead, re.IGNORECASE):
            if number in withheld:
                continue
        elif re.search(
            r"(more than|over|at least|at most|nearly|almost|about|around)\s+$", ahead, re.I
        ):
            yield f"{shown} is not told exactly, but the evidence knows exact numbers"
            continue
        allowed = {
            _plain(value)
            for fact in facts
            for value in fact.values()
            if isinstance(value, (int, float))
        }
        if re.match(r"\s+of (your|what you)\b", behind) and len(cited) > 1:
            allowed = {str(sum(piece.kind == "holding" for piece in cited))}
        if _plain(number) not in allowed:
            yield f"{shown} stands in no evidence that is cited"
            continue
        if len(counted) == len(facts) == 1:
            yield from _role(number, shown, ahead, behind, counted[0], len(found))


def _spelled(text: str, words: dict[str, int]) -> list[tuple[str, int, int]]:
    """Numbers in words, like "thirty-one" or "two hundred and five", and where they stand."""
    word = "|".join(words)
    spelled = re.compile(rf"\b(?:(?:{word}|one|a)(?: and |[ -]))*(?:{word})(?:[ -]one)?\b")
    found = []
    for match in spelled.finditer(text):
        total = 0
        for part in re.findall(r"[a-z]+", match.group()):
            value = {"one": 1, "a": 1, "and": 0}.get(part) or words.get(part, 0)
            total = max(total, 1) * value if value >= 100 else total + value
        found.append((str(total), match.start(), match.end()))
    return found


def _role(
    number: str, shown: str, ahead: str, behind: str, fact: dict[str, Any], count: int
) -> Iterator[str]:
    """Whether a number of holders is told as all holders or as those who hold both."""
    holders, both = _plain(fact["holders"]), _plain(fact["both"])
    if holders == both:
        return
    clause = re.split(r"[;.]", behind)[0]
    is_part = bool(_PART_AFTER.match(behind)) or bool(
        re.match(r"\W*(\w+\W+){0,4}?(also|both|too|as well|together)\b", clause)
    )
    is_whole = bool(_WHOLE_BEFORE.search(ahead))
    if is_whole and not _PART_AFTER.match(behind):
        expected = holders
    elif is_part:
        expected = both
    elif count == 1:
        says_both = re.search(r"\b(also|both|too|as well|together|this)\b", ahead + behind)
        expected = both if says_both else holders
    else:
        return
    if _plain(number) != expected:
        what = "hold both" if expected == both else "hold it"
        yield f"{shown} is told as those who {what}; the evidence says {expected}"


def _percent(
    number: str, shown: str, text: str, cited: Sequence[Evidence], counted: list[dict[str, Any]]
) -> Iterator[str]:
    share = sum(abs(piece.share) for piece in cited) * 100
    value = float(number.replace(",", "."))
    is_share = re.search(
        r"\b(score|share|weight|reasons?|counts?|total|contribut\w+)\b", text, re.I
    )
    if is_share and abs(value - share) <= 0.51:
        return
    ratios = [100 * fact["both"] / fact["holders"] for fact in counted]
    if not is_share and any(abs(value - ratio) <= 0.51 for ratio in ratios):
        return
    yield f"{shown} percent stands in no evidence that is cited"


def problems_of_parts(text: str, facts: list[dict[str, Any]]) -> Iterator[str]:
    """Parts in words, like "most of them" or "nobody", that the evidence does not give."""
    low = text.casefold()
    if found := re.search(
        r"\b(nobody|no one|none|everyone|everybody|all of (them|whom)|every (holder|one))\b",
        low,
    ):
        yield f"{found.group()!r} stands in no evidence that is cited"
    ratios = [f["both"] / f["holders"] for f in facts if f.get("claim") == "together"]
    for pattern, lowest, highest in (
        (
            r"\bmost( of)? (of|the|them|whom|those|people|holders|others)\b|\bmajority\b",
            0.5,
            1.0,
        ),
        (r"\bhalf\b", 0.4, 0.6),
        (r"\b(nearly|almost) all\b", 0.85, 1.0),
        *((fraction, part - 0.03, part + 0.03) for fraction, part in _FRACTIONS.items()),
        (rf"^(?!.*(?:{'|'.join(_FRACTIONS)})).*\b(third|quarter|fifth)s? of\b", 2.0, 2.0),
    ):
        if re.search(pattern, low) and not any(lowest <= ratio <= highest for ratio in ratios):
            yield "the part of the people it tells stands in no evidence that is cited"


def _plain(number: Any) -> str:
    # Any: a fact is a number, a text from the page a digit string.
    text = str(number).replace(",", "")
    return text.removesuffix(".0")
