"""Scores after evidence is deleted, and with the stated evidence alone.

Comprehensiveness and sufficiency (DeYoung et al., "ERASER", arXiv 1911.03429), compared with as
much random evidence; scores are recomputed exactly from the remaining components.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kinfolio.llm_explain.evidence.contributions import LinearScore

DRAWS = 10
"""Draws of random evidence for the mean; pairs are counted by the first draw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """One pair's score, and how much it falls without some evidence."""

    score: float
    named: float
    """Fall without the stated evidence that speaks for the product."""
    random: float | None
    """Fall without as much other evidence, one draw; None: there is no other."""
    random_mean: float | None
    alone: float
    """Score with the stated evidence alone."""
    removed: int
    drawn: int
    """Components drawn; fewer than `removed` where there are not as many others."""


def delete_evidence(score: LinearScore, stated: list[int], rng: np.random.Generator) -> Deletion:
    """Recompute a score without the stated components, without others, and with them alone.

    `stated` are indices of components; `rng` draws the others.
    """
    values = score.contributions()
    everything = np.ones(len(values), dtype=np.bool_)
    total = score.score(everything)
    positive = [index for index in stated if values[index] > 0]
    # A component of zero is no evidence; drawing it would make the comparison too easy.
    others = np.setdiff1d(np.flatnonzero(values), stated)
    num_drawn = min(len(positive), len(others))

    def fall(indices: list[int]) -> float:
        keep = everything.copy()
        keep[indices] = False
        return total - score.score(keep)

    draws = DRAWS if num_drawn else 0
    falls = [fall(list(rng.choice(others, num_drawn, replace=False))) for _ in range(draws)]
    alone = np.zeros(len(values), dtype=np.bool_)
    alone[stated] = True
    return Deletion(
        score=total,
        named=fall(positive),
        random=falls[0] if falls else None,
        random_mean=float(np.mean(falls)) if falls else None,
        alone=score.score(alone),
        removed=len(positive),
        drawn=num_drawn,
    )
