"""What each piece adds to a score: exact, because the score is linear in the messages.

With q = own + general + sum of the messages of the counted neighbours, in `heads` blocks, every
block brought to unit length, the score is q . embedding + bias; a neighbour's contribution is the
sum over the heads of (message . embedding) / |q|, that of popularity is the same of what people
hold in general, plus the bias. Pure arithmetic: knows nothing of graphs or words.
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
    """What each message adds to the score of a product.

    Args:
        messages: shape (num_pieces, heads * dim); all that the user's vector is the sum of.
        embedding: shape (heads * dim,); the product's vector.
        heads: number of blocks.

    Returns:
        Shape (num_pieces,).
    """
    pieces = len(messages)
    blocks = messages.reshape(pieces, heads, len(embedding) // heads)
    lengths = np.linalg.norm(blocks.sum(axis=0), axis=-1)
    dots = np.einsum("phd,hd->ph", blocks, embedding.reshape(heads, -1))
    # A block of zeros stays zero in the score, so its pieces add nothing.
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    result: NDArray[np.float64] = dots @ scale
    return result


def strongest(values: NDArray[np.float64]) -> tuple[list[int], NDArray[np.float64]]:
    """Positions of the contributions, largest size first, and the share of each of them.

    A share is a contribution over the sum of the sizes of all.
    """
    sizes = np.abs(values)
    total = sizes.sum()
    shares = values / total if total > 0 else np.zeros_like(values)
    return [int(i) for i in np.argsort(-sizes, kind="stable")], shares


def covering(shares: NDArray[np.float64], enough: float, at_most: int) -> int:
    """How many of the first shares reach `enough` in size; never more than `at_most`."""
    sizes = np.abs(shares)
    # The tolerance keeps a rounding error of the last share from adding a piece.
    needed = int(np.searchsorted(np.cumsum(sizes), enough - 1e-9)) + 1
    return min(needed, at_most, int(np.count_nonzero(sizes)))


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """All that a score is made of, so that it can be made again without some of it."""

    messages: NDArray[np.float64]
    """Shape (num_pieces, heads * dim)."""
    general: NDArray[np.float64]
    """Shape (heads * dim,); what people hold in general, which adds `reach` times."""
    reach: float
    """Root of the summed weights of all neighbours, with those that are no pieces; 1 without."""
    weights: NDArray[np.float64]
    """Shape (num_pieces,); of each piece in that sum, 0 for the user's own text."""
    linked: NDArray[np.float64]
    """Shape (num_pieces,); what a link from the piece to the product adds."""
    embedding: NDArray[np.float64]
    """Shape (heads * dim,); the product's vector."""
    bias: float
    """The popularity term; with what `general` adds it is the last piece."""
    heads: int

    def contributions(self) -> NDArray[np.float64]:
        """What each piece adds, popularity last; shape (num_pieces + 1,)."""
        added: NDArray[np.float64] = self._added(self._all()) + np.append(self.linked, self.bias)
        return added

    def is_general(self) -> bool:
        """Whether more of the popularity comes from `general` than from the bias."""
        general = self._added(self._all())[-1]
        return bool(general) and (general > self.bias) == (general + self.bias >= 0)

    def score(self, keep: NDArray[np.bool_]) -> float:
        """The score if only some pieces were there; what is left is brought to unit length.

        Args:
            keep: shape (num_pieces + 1,), popularity last.
        """
        return float((self._added(keep) + np.append(self.linked, self.bias)[keep]).sum())

    def _added(self, keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        """What some pieces add by their vectors, in their order."""
        # With fewer neighbours what people hold in general counts less often, with nothing never.
        left = self.reach**2 - float(self.weights[~keep[:-1]].sum())
        reach = np.sqrt(left) if left > _ROUNDING else 1.0
        reach *= self.messages[keep[:-1]].any()
        rows = np.vstack([self.messages, reach * self.general])[keep]
        return contributions(rows, self.embedding, self.heads)

    def _all(self) -> NDArray[np.bool_]:
        return np.ones(len(self.messages) + 1, np.bool_)
