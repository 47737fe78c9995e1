"""How texts become the inputs of a model: centred by kind, on axes fixed by a training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinfolio.gnn.text.encoder import unit

REVIEWS, WHOLE, NAME, REST, EXTERNAL = "reviews", "whole", "name", "rest", "external"
"""Kinds of text of a product. External vectors are one too."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProductTexts:
    """Vectors of the texts of products: float32, shape (num_products, width of the encoder) each.

    Rows are zeros without data.
    """

    reviews: NDArray[np.float32]
    """The mean of the reviews."""
    whole: NDArray[np.float32]
    name: NDArray[np.float32]
    rest: NDArray[np.float32]
    """The text without the name."""

    def of_kind(self, kind: str) -> NDArray[np.float32]:
        """Return the vectors of one kind; zeros for external vectors."""
        found = {REVIEWS: self.reviews, WHOLE: self.whole, NAME: self.name, REST: self.rest}
        return found.get(kind, np.zeros_like(self.whole))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextProjection:
    """What a training fixed of the texts of products: encoder, kinds, means and axes."""

    encoder: str
    weights: str
    """Hash of the encoder's weights; "" if unknown."""
    most: int
    """Number of latest reviews of a product that count."""
    kinds: tuple[str, ...]
    """Kinds that had data, in the order of the gates of a head."""
    means: NDArray[np.float32]
    """Shape (len(kinds), width); mean of the unit rows of each kind."""
    mixed_mean: NDArray[np.float32]
    """Shape (width,); the same of all kinds combined."""
    text_mean: NDArray[np.float32]
    """Shape (width without external vectors,); the same of the texts alone; empty without external
    vectors."""
    axes: NDArray[np.float32]
    """Shape (width, at most the width of a head)."""

    @property
    def text_width(self) -> int:
        """Width of the encoder's vectors."""
        return len(self.text_mean) or len(self.axes)

    def mixed(self, texts: ProductTexts, dim: int) -> NDArray[np.float32]:
        """Return all kinds in one, on the axes: float32, shape (num_products, dim)."""
        combined = texts.reviews + texts.whole
        if len(self.text_mean):
            combined = self._padded(centred(combined, self.text_mean))
        return projected(centred(combined, self.mixed_mean), self.axes, dim)

    def stacked(self, texts: ProductTexts, dim: int) -> NDArray[np.float32]:
        """Return each kind on the axes: float32, shape (len(kinds), num_products, dim)."""
        found = np.zeros((len(self.kinds), len(texts.whole), dim), np.float32)
        for number, kind in enumerate(self.kinds):
            rows = self._padded(texts.of_kind(kind))
            found[number] = projected(centred(rows, self.means[number]), self.axes, dim)
        return found

    def _padded(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Append zeros in place of external vectors."""
        return np.pad(rows, ((0, 0), (0, len(self.axes) - rows.shape[1])))


def mean_of(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of the rows with data, each of unit length; zeros without any."""
    has_data = np.any(rows != 0, axis=1)
    if not has_data.any():
        return np.zeros(rows.shape[1], np.float32)
    mean: NDArray[np.float32] = unit(rows[has_data]).mean(axis=0)
    return mean


def centred(
    rows: NDArray[np.float32], mean: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Scale rows to unit length and subtract a mean, by default theirs; zeros stay zero."""
    has_data = np.any(rows != 0, axis=1)
    mean = mean_of(rows) if mean is None else mean
    return np.where(has_data[:, None], unit(rows) - mean, 0).astype(np.float32)


def projected(
    rows: NDArray[np.float32], axes: NDArray[np.float32], width: int
) -> NDArray[np.float32]:
    """Return rows on the axes, unit or zero: float32, shape (len(rows), width)."""
    found = np.zeros((len(rows), width), np.float32)
    found[:, : axes.shape[1]] = rows @ axes
    return unit(found)
