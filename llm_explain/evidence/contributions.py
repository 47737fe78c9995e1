"""The contribution of each component to a score; exact, because the score is linear in messages.

With q = own + prior + sum of the messages of the user's neighbours, in `heads` blocks, each block
of unit length, the score is q . embedding + bias. The contribution of a neighbour is the sum over
the heads of (message . embedding) / |q|; that of popularity is the same of the
prior, plus the bias.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDING = 1e-6


def contributions(
    messages: NDArray[np.float64], embedding: NDArray[np.float64], heads: int
) -> NDArray[np.float64]:
    """Return the contribution of each message to the score of a product.

    Args:
        messages: shape (num_components, heads * dim); their sum is the user's vector.
        embedding: shape (heads * dim,); the product's vector.
        heads: number of blocks.

    Returns:
        Shape (num_components,).
    """
    blocks = messages.reshape(len(messages), heads, len(embedding) // heads)
    lengths = np.linalg.norm(blocks.sum(axis=0), axis=-1)
    dots = np.einsum("phd,hd->ph", blocks, embedding.reshape(heads, -1))
    # A block of zeros stays zero in the score, so its components contribute nothing.
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    result: NDArray[np.float64] = dots @ scale
    return result


def rank_by_size(values: NDArray[np.float64]) -> tuple[list[int], NDArray[np.float64]]:
    """Return the indices of the contributions, largest absolute value first, and their shares.

    A share is a contribution over the sum of the absolute values of all.
    """
    sizes = np.abs(values)
    total = sizes.sum()
    shares = values / total if total > 0 else np.zeros_like(values)
    return [int(i) for i in np.argsort(-sizes, kind="stable")], shares


def num_covering(shares: NDArray[np.float64], min_covered: float, limit: int) -> int:
    """Return how many of the first shares sum to `min_covered` in size; at most `limit`."""
    sizes = np.abs(shares)
    # Without the tolerance a rounding error of the last share adds a component.
    needed = int(np.searchsorted(np.cumsum(sizes), min_covered - 1e-9)) + 1
    return min(needed, limit, int(np.count_nonzero(sizes)))


@dataclass(frozen=True, slots=True, eq=False)
class LinearScore:
    """The components of one score, so that it can be recomputed without some of them."""

    messages: NDArray[np.float64]
    """Shape (num_components, heads * dim)."""
    prior: NDArray[np.float64]
    """Shape (heads * dim,); the global mean user, added `prior_weight` times."""
    prior_weight: float
    """Root of the summed weights of all neighbours; 1 without any."""
    weights: NDArray[np.float64]
    """Shape (num_components,); weight of each in that sum, 0 for the user's own text."""
    link_weights: NDArray[np.float64]
    """Shape (num_components,); contribution of the links from the component to the product."""
    embedding: NDArray[np.float64]
    """Shape (heads * dim,); the product's vector."""
    bias: float
    """The popularity term; with the contribution of the prior it is the last component."""
    heads: int

    def contributions(self) -> NDArray[np.float64]:
        """Contribution of each component, popularity last; shape (num_components + 1,)."""
        return self._contributions_of(np.ones(len(self.messages) + 1, np.bool_))

    def is_mostly_prior(self) -> bool:
        """Whether more of the popularity contribution comes from the prior than from the bias."""
        total = self.contributions()[-1]
        prior = total - self.bias
        return bool(prior) and (prior > self.bias) == (total >= 0)

    def score(self, keep: NDArray[np.bool_]) -> float:
        """Recompute the score from some components; their sum is brought to unit length.

        Args:
            keep: shape (num_components + 1,), popularity last.
        """
        return float(self._contributions_of(keep).sum())

    def _contributions_of(self, keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        # The prior counts less often with fewer neighbours, and not at all without any message.
        left = self.prior_weight**2 - float(self.weights[~keep[:-1]].sum())
        weight = np.sqrt(left) if left > _ROUNDING else 1.0
        weight *= self.messages[keep[:-1]].any()
        rows = np.vstack([self.messages, weight * self.prior])[keep]
        added = contributions(rows, self.embedding, self.heads)
        result: NDArray[np.float64] = added + np.append(self.link_weights, self.bias)[keep]
        return result
