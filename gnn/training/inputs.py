"""What heads are trained on: data, texts and initial ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from kinfolio.gnn.blend.text_block import TextVectors
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.model.svd_init import SvdInit
from kinfolio.gnn.ranking import ScoreBlock
from kinfolio.gnn.text.features import TextFeatures, shuffled
from kinfolio.gnn.text.projection import TextProjection
from kinfolio.gnn.training.config import TrainConfig


@dataclass(frozen=True, slots=True)
class TextTensors:
    """Texts of one width on the device, unit or zero rows."""

    mixed: Tensor
    """Float32, shape (num_nodes, dim); all kinds of text in one."""
    users: Tensor
    """Float32, shape (kinds, num_users, dim)."""
    products: Tensor
    """Float32, shape (kinds, num_products, dim)."""
    projection: TextProjection | None = None
    """How the products' rows were computed; None of permuted texts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingInputs:
    """Data with a validation set, texts by width, initial ids."""

    data: TrainingData
    text: Callable[[int], TextTensors] | None
    """Texts of a width; None without texts."""
    initial_ids: SvdInit

    def text_kinds(self, dim: int) -> tuple[Tensor, Tensor] | None:
        """Return the kinds of text of users and of products, as `FusionHead` takes them."""
        if self.text is None:
            return None
        found = self.text(dim)
        return found.users, found.products

    def cold_score(self, dim: int) -> ScoreBlock | None:
        """Return the cosine of texts, which ranks cold products for heads without texts.

        None without texts, and where cold products are not ranked separately.
        """
        if self.text is None or self.data.cold_products is None:
            return None
        return TextVectors(self.text(dim).mixed, self.data).cosines


def training_inputs(
    data: TrainingData, features: TextFeatures | None, config: TrainConfig, max_dim: int
) -> TrainingInputs:
    """Return the inputs of heads; texts of each width are built once.

    Args:
        data: to train on.
        features: texts of users and products; None without texts.
        config: seed and control options.
        max_dim: largest width of a head.
    """

    @cache
    def build(dim: int) -> TextTensors:
        assert features is not None
        rows = features.rows(dim, data.held_back_pairs)
        if config.shuffled_text:
            rows = shuffled(rows, config.seed)
        mixed, users, products = (
            torch.from_numpy(one).to(data.matrix.device)
            for one in (rows.mixed, rows.users, rows.products)
        )
        return TextTensors(mixed, users, products, rows.projection)

    return TrainingInputs(
        data=data,
        text=None if features is None else build,
        initial_ids=SvdInit(data.interactions, max_dim),
    )
