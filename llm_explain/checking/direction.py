"""Which way a text tells a piece of evidence, for or against, and how heavily."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kinfolio.llm_explain.explanation import Evidence

_HARD_AGAINST = re.compile(
    r"\b(against|lower(s|ed)?|drawbacks?|draws? back|downsides?|weak(ens?|ness(es)?)"
    r"|reduc(e|es|ed)|hurts?|sets? [^,.]* (back|apart)|apart|worse|minus|speaks? less"
    r"|pulls? \w+ down|away from|opposite)\b",
    re.IGNORECASE,
)
_ONLY_FEW = re.compile(
    r"\b(only|merely|just|no more than|as few as) (\d|few|fewer|a few|\w+ people)", re.IGNORECASE
)
_SOFT_AGAINST = re.compile(
    r"\b(but|however|though|although|despite|yet|nevertheless|still|on the other hand|less|few)\b",
    re.IGNORECASE,
)
_FOR = re.compile(
    r"\b(because|fits?|suits?|speaks? (strongly |also |clearly )?for|in (its |your )?favou?r"
    r"|supports?|helps?|raises?|advantage|strengths?|good (sign|reason|news)|another reason"
    r"|reasons? (for|why)|recommended|picked|pushes \w+ up|plus|positive)\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"(\b(not|never|no|none|nobody|neither|nor|without|hardly|barely|cannot|lacks?|nothing)\b|n['’]t\b)",
    re.IGNORECASE,
)


def problems_of_direction(text: str, before: str, cited: Sequence[Evidence]) -> Iterator[str]:
    """What is told as a reason for though it speaks against, or the other way round."""
    signs = {piece.contribution > 0 for piece in cited if piece.contribution}
    bare = re.sub(r"\bonly a (little|bit)\b", "", text, flags=re.IGNORECASE)
    hard = _HARD_AGAINST.search(bare) or _ONLY_FEW.search(bare)
    if re.search(
        r"(not|never|n['’]t|nothing|hardly)\s+(\w+\s+){0,3}?"
        r"(against|drawbacks?|problem|matter|hurt|lower)",
        bare,
        re.I,
    ):
        yield "it denies what speaks against"
    elif signs == {True}:
        if hard:
            yield f"it tells as speaking against ({hard.group()!r}) what speaks for the product"
        elif found := _NEGATION.search(re.sub(r"not only", "", bare, flags=re.IGNORECASE)):
            yield f"it denies something ({found.group()!r}) that the evidence affirms"
    elif signs == {False}:
        soft = _SOFT_AGAINST.search(bare) or _HARD_AGAINST.search(before)
        if found := _FOR.search(re.sub(r"speaks? (\w+ )?against", "", bare)):
            yield f"it tells as a reason for ({found.group()!r}) what speaks against the product"
        elif not (hard or soft or _NEGATION.search(bare) or _ONLY_FEW.search(before)):
            yield "it does not say that this speaks against the product"
    elif signs and not (hard or _SOFT_AGAINST.search(before + bare)):
        yield "it mixes what speaks for and against without saying so"


def problems_of_weight(
    text: str, cited: Sequence[Evidence], told: Sequence[Evidence]
) -> Iterator[str]:
    """What is called main, strongest, small or the only reason, and is not."""
    low = text.casefold()
    share = sum(abs(piece.share) for piece in cited)
    largest = max((abs(p.share) for p in told if p.contribution > 0), default=0.0)
    is_largest = any(abs(piece.share) >= largest - 1e-9 for piece in cited)
    if (
        re.search(
            r"\b(mainly|mostly|chiefly|primarily|largely|the main|main reason|most of)\b", low
        )
        and share < 0.35
        and not is_largest
    ):
        yield "it calls main what is a small share of the score"
    if (
        re.search(
            r"\b(strongest|biggest|largest|most important|above all|first of all|most strongly)\b",
            low,
        )
        and not is_largest
        and share < largest
    ):
        yield "it calls strongest what is not"
    if (
        re.search(r"\b(slight(ly)?|a little|minor|smaller reason|lesser degree|a bit)\b", low)
        and share > 0.4
    ):
        yield "it calls small what is a large share of the score"
    if (
        re.search(
            r"\b(only|sole|single|one) reason\b|\b(solely|entirely|purely|exclusively)\b", low
        )
        and share < 0.99
    ):
        yield "it calls the only reason what is one of several"
