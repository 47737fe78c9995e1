"""What each piece adds to a score: exact, because the score is linear in the messages.

With q = own + sum of the messages of the counted neighbours, in `heads` blocks, every block brought
to unit length, the score is q . embedding + bias; a neighbour's contribution is the sum over the
heads of (message . embedding) / |q|. Pure arithmetic: knows nothing of graphs or words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def contributions(
    messages: NDArray[np.float64], embedding: NDArray[np.float64], heads: int
) -> NDArray[np.float64]:
    """What each message adds to the score of a product, popularity left out.

    Args:
        messages: shape (num_pieces, heads * dim); the user's own text is a row like any other.
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
    linked: NDArray[np.float64]
    """Shape (num_pieces,); what a link from the piece to the product adds."""
    embedding: NDArray[np.float64]
    """Shape (heads * dim,); the product's vector."""
    bias: float
    """The popularity term, the last piece."""
    heads: int

    def contributions(self) -> NDArray[np.float64]:
        """What each piece adds, popularity last; shape (num_pieces + 1,)."""
        added = contributions(self.messages, self.embedding, self.heads) + self.linked
        return np.append(added, self.bias)

    def score(self, keep: NDArray[np.bool_]) -> float:
        """The score if only some pieces were there; what is left is brought to unit length.

        Args:
            keep: shape (num_pieces + 1,), popularity last.
        """
        kept = keep[:-1]
        left = contributions(self.messages[kept], self.embedding, self.heads)
        return float(left.sum() + self.linked[kept].sum() + keep[-1] * self.bias)
