"""What happens to a score when the named evidence is taken away, or alone is left.

The score is made again from what is left, exactly; after DeYoung et al., "ERASER" (arXiv
1911.03429), comprehensiveness and sufficiency, with random evidence of the same number beside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kinfolio.llm_explain.evidence.contributions import Parts

DRAWS = 10
"""Random evidence is drawn so often for the mean; the first draw is what a case is counted by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """One pair's scores with evidence taken away."""

    score: float
    named: float
    """How much the score falls without the evidence that is named as speaking for the product."""
    random: float | None
    """How much without as much other evidence, one draw; None: there is no other."""
    random_mean: float | None
    alone: float
    """The score with the named evidence alone."""
    removed: int
    drawn: int
    """Pieces drawn; fewer than `removed` where there are not as many others."""


def deleted(parts: Parts, named: list[int], source: np.random.Generator) -> Deleted:
    """The score without the named evidence, without other evidence, and with the named alone.

    Args:
        parts: what the score is made of.
        named: places of the pieces told in words.
        source: draws the other evidence.
    """
    values = parts.contributions()
    everything = np.ones(len(values), dtype=np.bool_)
    score = parts.score(everything)
    speaking_for = [place for place in named if values[place] > 0]
    # A piece that adds nothing is no evidence, and would make a draw too easy to beat.
    others = np.setdiff1d(np.flatnonzero(values), named)
    drawn = min(len(speaking_for), len(others))

    def fall(places: list[int]) -> float:
        keep = everything.copy()
        keep[places] = False
        return score - parts.score(keep)

    draws = DRAWS if drawn else 0
    falls = [fall(list(source.choice(others, drawn, replace=False))) for _ in range(draws)]
    alone = np.zeros(len(values), dtype=np.bool_)
    alone[named] = True
    return Deleted(
        score=score,
        named=fall(speaking_for),
        random=falls[0] if falls else None,
        random_mean=float(np.mean(falls)) if falls else None,
        alone=parts.score(alone),
        removed=len(speaking_for),
        drawn=drawn,
    )
