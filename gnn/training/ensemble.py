"""The ensemble: heads and blend, which together give scores and embeddings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from torch import Tensor
from torch.nn import functional

from kinfolio.gnn.blend.blend import choose_blend, refit_blend
from kinfolio.gnn.blend.term import NewProduct, Parts, Pool, Term, add_terms
from kinfolio.gnn.data import TrainingData
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.fingerprints import fingerprints
from kinfolio.gnn.model.head import HOPS, FusionHead
from kinfolio.gnn.model.propagation import TIE_WEIGHT
from kinfolio.gnn.model_file import save_embeddings
from kinfolio.gnn.ranking import Quality, ScoreBlock, per_user_metrics
from kinfolio.gnn.recipe import Recipe, to_bytes
from kinfolio.gnn.reference import reference_of, reference_to_bytes
from kinfolio.gnn.text.projection import TextProjection
from kinfolio.gnn.training.context import TrainingContext
from kinfolio.gnn.training.head_trainer import score_heads
from kinfolio.gnn.training.heads import TrainedHead
from kinfolio.gnn.training.inputs import TrainingInputs
from kinfolio.records import Snapshot

MODEL = "kinfolio fusion, linear, text + graph"
_STORED_NAMES = {
    "message_offset": "as_held",
    "global_user": "general",
    "text_projection": "turn",
}
"""Names of parameters in the model file, where they differ."""


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """Heads trained on some data, and the terms added to their scores."""

    members: list[TrainedHead]
    data: TrainingData
    terms: list[Term]
    valid: Quality
    """On the validation set, with which the weights of the terms were chosen."""
    texts: TextProjection | None = None
    """How the texts of products became inputs; None without texts, or with permuted ones."""
    is_refitted: bool = False
    """Whether the members were trained once more, on all data."""

    @classmethod
    def fit(
        cls, members: list[TrainedHead], inputs: TrainingInputs, context: TrainingContext
    ) -> Ensemble:
        """Choose the blend of trained heads on the validation set."""
        data = inputs.data
        with context.budget.counted():
            pool = _pool(members, inputs, context)
            terms = choose_blend(pool)
            metrics = per_user_metrics(pool.score, data.interactions, data.validation)
        context.budget.end_phase("blend")
        return cls(members, data, terms, Quality.mean(metrics), _projection(members, inputs))

    def refit(
        self, members: list[TrainedHead], inputs: TrainingInputs, context: TrainingContext
    ) -> Ensemble:
        """Return the ensemble of heads trained on other data, with the weights chosen before."""
        with context.budget.counted():
            pool = _pool(members, inputs, context)
            pool.selected_on = self.data
            terms = refit_blend(self.terms, pool)
        texts = _projection(members, inputs)
        return Ensemble(members, inputs.data, terms, self.valid, texts, is_refitted=True)

    @property
    def heads(self) -> list[FusionHead]:
        """The heads alone."""
        return [one.head for one in self.members]

    def score(self) -> ScoreBlock:
        """Return the scores of the heads with all terms."""
        return add_terms(score_heads(self.heads, self.data.matrix), self.terms)

    def embeddings(self, snapshot: Snapshot, metrics: str) -> Embeddings:
        """Return vectors, messages, bias and links, from which the same scores follow.

        With D the weighted degree, z_u sqrt(D_u) = sqrt(D_u) p / 3 + sqrt(D_u) x_u / 3 + sum of
        w_un g_n / sqrt(D_n) over the neighbours n: the global user, the user's own part, and the
        messages. The common factor sqrt(D_u) does not change a cosine.
        """
        parts = self._parts()
        with torch.no_grad():
            for term in self.terms:
                term.contribute(parts)
        num_users = self.data.num_users
        bias, messages = parts.bias - parts.bias.mean(), _joined(parts.messages)
        return Embeddings(
            heads=len(parts.users),
            dim=self.heads[0].dim,
            user_ids=snapshot.user_ids,
            product_ids=snapshot.product_ids,
            user_gids=snapshot.user_gids,
            product_gids=snapshot.product_gids,
            user_fingerprints=fingerprints(snapshot),
            user_vectors=_joined(parts.users),
            product_vectors=_joined(parts.products),
            bias=bias.cpu().numpy(),
            global_user=_joined(parts.global_user)[0],
            tie_weight=TIE_WEIGHT,
            user_own=_joined(parts.own),
            user_messages=messages[:num_users] * np.float32(TIE_WEIGHT),
            product_messages=messages[num_users:],
            link_offsets=parts.links.indptr.astype(np.int64),
            link_products=parts.links.indices.astype(np.int32),
            link_weights=parts.links.data.astype(np.float32),
            model=MODEL,
            metrics=metrics,
            snapshot=snapshot.hash,
            cut=snapshot.cut,
            recipe=self._recipe(float(parts.bias.mean())),
            reference=np.frombuffer(reference_to_bytes(reference_of(snapshot)), np.uint8),
        )

    def _recipe(self, mean_bias: float) -> NDArray[np.uint8]:
        """Return the recipe for products without interactions, as bytes."""
        heads, terms = self.heads, self.terms
        new = NewProduct(bias=sum(float(head.popularity[0].detach()) for head in heads) - mean_bias)
        for term in terms:
            term.describe_new(new)
        takes_text = all(head.products_text is not None for head in heads)
        is_unused = not takes_text and new.block is None
        if self.texts is None and not is_unused:
            return np.zeros(0, np.uint8)
        kinds = 0 if self.texts is None or not takes_text else len(self.texts.kinds)
        gates = [_numpy(head.products_gate)[:kinds] for head in heads if takes_text]
        turns = [_numpy(head.text_projection)[1] for head in heads if takes_text]
        dim = heads[0].dim
        recipe = Recipe(
            dim=dim,
            taus=tuple(head.tau for head in heads),
            gates=np.array(gates, np.float32).reshape(len(gates), kinds),
            turns=np.array(turns, np.float32).reshape(len(turns), dim, dim),
            block=new.block,
            reviewers=new.reviewers,
            bias=new.bias,
            texts=None if is_unused else self.texts,
        )
        return np.frombuffer(to_bytes(recipe), np.uint8)

    def _parts(self) -> Parts:
        """Return the parts of the heads alone."""
        data, num_users = self.data, self.data.num_users
        degrees = torch.from_numpy(data.degrees.astype(np.float32)).to(data.matrix.device)
        scale = torch.where(degrees > 0, degrees, 1).sqrt()[:, None]
        size = (data.num_products, data.num_products)
        parts = Parts(
            bias=torch.zeros(data.num_products, device=data.matrix.device),
            links=csr_array(coo_array(size, dtype=np.float32)),
        )
        with torch.no_grad():
            for head in self.heads:
                z = functional.normalize(head(data.matrix), dim=1)
                parts.users.append(z[:num_users])
                parts.products.append(z[num_users:] / head.tau)
                own = head.messages_sent()[:num_users] / (HOPS + 1)
                parts.own.append(own * scale[:num_users])
                parts.messages.append(head.messages(data.matrix) / scale)
                parts.global_user.append(head.global_user[None] / (HOPS + 1))
                parts.bias += head.bias()
        return parts

    def save(
        self,
        embeddings: Embeddings,
        path: Path,
        arrays: Mapping[str, NDArray[np.generic]] | None = None,
    ) -> None:
        """Write the embeddings, the parameters of the heads and further arrays as a model file."""
        parameters = dict(arrays or {})
        for number, head in enumerate(self.heads):
            for name, parameter in head.named_parameters():
                stored = _STORED_NAMES.get(name, name)
                parameters[f"head_{number}.{stored}"] = parameter.detach().cpu().numpy()
        taus = {f"head_{n}.tau": json.dumps(head.tau) for n, head in enumerate(self.heads)}
        save_embeddings(embeddings, path, parameters=parameters, metadata=taus)


def _pool(members: list[TrainedHead], inputs: TrainingInputs, context: TrainingContext) -> Pool:
    heads, config = [one.head for one in members], context.config
    return Pool(
        data=inputs.data,
        heads=heads,
        heads_score=score_heads(heads, inputs.data.matrix),
        text=None if inputs.text is None else inputs.text(heads[0].dim).mixed,
        has_links=config.links == "auto" and config.ids,
        on_step=lambda name: context.on_step(name, 0, 0),
    )


def _projection(members: list[TrainedHead], inputs: TrainingInputs) -> TextProjection | None:
    return None if inputs.text is None else inputs.text(members[0].head.dim).projection


def _numpy(parameter: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = parameter.detach().cpu().numpy()
    return array


def _joined(blocks: list[Tensor]) -> NDArray[np.float32]:
    joined: NDArray[np.float32] = torch.cat(blocks, dim=1).cpu().numpy()
    return joined
