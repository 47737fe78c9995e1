"""The blend: terms added to the scores of the heads, fitted one after the other.

s(u, i) = heads(u, i) + sum of terms(u, i). The weights of each term are chosen on the validation
set with the terms before it: of the values no worse than the best by more than one standard error
of the paired difference, the smallest; 0 unless it is worse by two.
"""

from __future__ import annotations

from kinfolio.gnn.blend.cold_start import ColdStart
from kinfolio.gnn.blend.links import Links
from kinfolio.gnn.blend.popularity import Popularity
from kinfolio.gnn.blend.reviewers import Reviewers
from kinfolio.gnn.blend.term import Pool, Term
from kinfolio.gnn.blend.text_block import TextBlock

TERMS: tuple[type[Term], ...] = (Reviewers, TextBlock, Links, Popularity, ColdStart)
"""In the order in which they are fitted."""


def choose_blend(pool: Pool) -> list[Term]:
    """Fit each term to the score of the terms before it; the pool ends with all of them."""
    for kind in TERMS:
        term = kind()
        pool.candidates = term.fit(pool)
        pool.terms.append(term)
    return pool.terms


def refit_blend(terms: list[Term], pool: Pool) -> list[Term]:
    """Rebuild each term from the pool's data, with the weights chosen before."""
    for term in terms:
        term.refit(pool)
        pool.terms.append(term)
    return pool.terms


def report(terms: list[Term]) -> dict[str, object]:
    """Return the weights of all terms for `run.json`."""
    return {name: value for term in terms for name, value in term.report().items()}
