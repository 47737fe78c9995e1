"""What people do, feel and compare, and what products are: claims of which evidence tells nothing.

Evidence knows holding, rating, writing, ties and numbers of holders; English verbs know more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kinfolio.llm_explain.explanation import Evidence

_MASK = "\ue000-\uf8ff"
_PEOPLE = r"(?:people|others|holders|investors|users|members|of (?:the )?\d+)"
_TIED = r"(?:follow|trust|mentioned|replied|are tied)"


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_SEVERAL_TIED = _any(
    r"\b(?<!one of )(?<!some of )(?:(?:many|several|some|most|all|few) of )?"
    r"your (?:friends|relatives|colleagues|followers)\b",
    r"(?<!in )(?<!of )your family (?:also |all )?(?:hold|own|has|have|rate|gave|like|love)\w*",
    r"\b(?<!one of )(?<!one of the )(?:friends|colleagues|relatives) of yours\b",
    rf"\b(?<!one of the )people (?:whom |that )?you (?:also )?{_TIED}\b",
    r"\b(?<!one of the )people (?:who (?:follow|trust|mentioned|replied)|tied to you"
    r"|in your family)\b",
)
_FEELING = _any(
    r"\b(?:someone|somebody|person|member|friends?|family|colleagues?|people|others|holders|who|and)"
    r"\b(?: \w+){0,4}? (?:really |also |clearly |is |are )?(?:likes?|liked|loves?|loved|enjoys?"
    r"|enjoyed|prefers?|preferred|thinks?|believes?|feels?|recommends?|knows?|wants?|hopes?|happy"
    r"|pleased|satisfied|fond)\b(?! you\b)",
    rf"\byou (?:do not |don['’]t )?(?:dislike|like|love|hate|prefer|enjoy)d? [{_MASK}]",
)
_LIKENESS = _any(
    r"\byou (?:are|seem|look) (?:\w+ )?(?:like|similar|close|the same)\b",
    r"\b(?:people|investors|users) like you\b",
)
_COMPARED = _any(
    r"\b(?:better|worse|greater|finer|more \w+) than\b(?! \d)",
    r"\b(?:the|among the|one of the) best (?:of|\w+ (?:that|of|in))\b",
    r"\b(?:the )?most (?:popular|held|loved|chosen|widely|wanted)\b",
    r"\bahead of\b|\bsoon\b|\bmore and more\b|\bearly\b|\brather special\b|\brising\b",
    r"\b(?:a|is) (?:\w+ )?(?:good|strong|great|fine) (?:fund|bond|stock|product|choice|plan)\b",
)
_DEEDS = _any(
    r"\b(?:used to|once|no longer|former(?:ly)?|plans? to|planning to|about to|intends? to)\b",
    r"\b(?:(?:gave|gives?|given|giving) up|got rid of|told you|asked you|instead of|rather than)\b",
    r"\b(?:the|among the|one of the|your) (?:first|last|earliest|only) "
    r"(?!(?:of all|reason|is|thing|point|piece|one against|thing against)\b)",
    rf"\b(?:is|are) (?:a )?(?:part|piece) of (?=this|your|[{_MASK}])",
    r"\b(?:the same|identical) (?:as|to)\b",
    r"\b(?:includes?|contains?|consists? of|replaces?)\b",
    rf"\b(?:follows?|trusts?|knows?) (?=this|[{_MASK}])",
    r"\b\d+ (?:units|pieces|shares|parts) of\b|\byour (?:own )?ratings?\b",
    rf"\b{_PEOPLE} (?:who )?(?:also )?(?:wrote|reviewed|said|mentioned)\b(?! you\b)",
    r"\b(?:wrote|written|reviews?|reviewed) (?:\w+ )?(?:of|about|on) (?:this|it|\ue000)",
)
_HOLDING_PRODUCT = re.compile(rf"[{_MASK}] (?:also |already )?(?:holds|owns)\b")
_HOLDS_MORE = re.compile(r"\b(?:holds|owns)\b[^,;:.]*[\ue001-\uf8ff]")
_HELD_BY_BOTH = re.compile(
    r"\byou and [^,;:.]*\b(?:hold|own|have) (?:it|this|\ue000)", re.IGNORECASE
)
_HELD_TOGETHER = re.compile(r"\b(?:held|hold|own|owned) (?:\w+ )?together\b", re.IGNORECASE)
_THIS_HAS = re.compile(r"(?:\bthis \w+|\ue000) has (?:only )?\d", re.IGNORECASE)


def problems_of_deeds(text: str, cited: Sequence[Evidence]) -> Iterator[str]:
    """What a part of a sentence says of people or products that evidence never knows."""
    kinds = {piece.kind for piece in cited}
    claims = {dict(piece.facts).get("claim") for piece in cited}
    ties = sum(piece.kind == "tie" for piece in cited)
    if ties == 1 and (crowd := _SEVERAL_TIED.search(text)):
        yield f"{crowd.group()!r} are several people, and the cited evidence has one"
    if _FEELING.search(text):
        yield "it tells what somebody feels or thinks, which no evidence holds"
    if _LIKENESS.search(text):
        yield "it likens you to somebody, which no evidence does"
    if found := _COMPARED.search(text):
        yield f"it compares ({found.group()!r}), and no cited evidence does"
    if found := _DEEDS.search(text):
        yield f"it tells of what no evidence knows ({found.group().strip()!r})"
    is_named = any(piece.kind == "tie" and "name" in dict(piece.facts) for piece in cited)
    if _HOLDING_PRODUCT.search(text) and not is_named:
        yield "it says that a product holds something"
    if _HOLDS_MORE.search(text) and "tie" in kinds:
        yield "it says of somebody tied to you more than that they hold the product"
    if _HELD_BY_BOTH.search(text) and "itself" not in claims:
        yield "it says that you hold the product, and no evidence does"
    if _HELD_TOGETHER.search(text) and not claims & {"together", "few"}:
        yield "it says what is held together, and no cited evidence does"
    if "popularity" not in kinds and _THIS_HAS.search(text):
        yield "it says how many hold the product, and no cited evidence does"
    if (
        claims <= {"many", "against_many"}
        and claims
        and re.search(r"\b(?:only |just |very )?few\b", text, re.IGNORECASE)
        and not re.search(r"\bfewer than\b", text, re.IGNORECASE)
    ):
        yield "it calls few what are many"
