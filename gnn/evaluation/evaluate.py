"""The step `evaluate`: how good the rankings of a run are on held-out interactions.

Ranks all products but the user's training ones; the protocol of `ranking.py`. A warm user has a
training interaction, a new one has none; a seen product has one, an unseen product has none.
Recommenders to compare with are those of `baselines.py` and `controls.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kinfolio.errors import BadInput, RunBroken
from kinfolio.gnn.blend.blend import with_links
from kinfolio.gnn.data import held_in
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.evaluation.ablations import fit_controls, name_of
from kinfolio.gnn.evaluation.baselines import fit_baselines
from kinfolio.gnn.evaluation.bootstrap import Interval, intervals
from kinfolio.gnn.evaluation.metrics import bands_of, by_band, over_all, per_user
from kinfolio.gnn.ranking import ScoreBlock, dot_scores, entries_of, hits_of, top
from kinfolio.gnn.text.encoder import EMBEDDED, Encoder, TextFeatures, has_texts, load_encoder
from kinfolio.gnn.training.train import read_embeddings
from kinfolio.records import Progress, no_progress
from kinfolio.run import Run
from kinfolio.snapshot import read_snapshot
from kinfolio.tabular import Tabular

K = 20
COMPARED = (f"recall@{K}", f"ndcg@{K}")
"""Measures whose differences get an interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Quality in one group of users, by names such as `recall@20`; see `measures.py`."""

    values: dict[str, float]

    @property
    def recall(self) -> float:
        """Recall@20."""
        return self.values[f"recall@{K}"]

    @property
    def ndcg(self) -> float:
        """NDCG@20."""
        return self.values[f"ndcg@{K}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(Tabular):
    """What was measured, by model and group; groups without users are absent."""

    split: str
    k: int
    kinfolio: str
    """What the run's model is: `fusion` when it reads texts, else `graph only`."""
    users: dict[str, int]
    models: dict[str, dict[str, Figures]]
    differences: dict[str, dict[str, dict[str, Interval]]]
    """Kinfolio less each other model: model, group, measure."""
    bands: list[str]
    """Bands of products by their training holdings, such as `4-15`."""
    by_band: dict[str, dict[str, list[float]]] = field(repr=False)
    """Model to `listed`, `held_out` and `found` of each band; see `measures.by_band`."""

    def _table(self) -> list[dict[str, object]]:
        return [
            {"model": model, "group": group, "users": self.users[group], **figures.values}
            for model, groups in self.models.items()
            for group, figures in groups.items()
        ]


def evaluate(
    run: Run,
    *,
    split: str = "test",
    has_baselines: bool = False,
    has_controls: bool = False,
    cache: Path | None = None,
    load: Callable[[str], Encoder] = load_encoder,
    note: Callable[[str], None] = lambda text: None,
    progress: Progress = no_progress,
) -> Evaluation:
    """The run's model, and those to compare it with when asked for, on one part of the data.

    Args:
        run: a trained run.
        split: `test` or `valid`.
        has_baselines: measure `baselines.py`'s too, and controls that were trained before.
        has_controls: train the controls of `controls.py` that are not there, which takes minutes.
        cache: file of text vectors met before; None leaves out what reads texts.
        load: makes the text encoder.
        note: told what is left out, and why.
        progress: told of every long step.

    Raises:
        NotReady: the run was not trained.
        RunBroken: the model was trained on another snapshot.
        BadInput: nobody has an interaction in that part, or the run has learned from it.
    """
    snapshot = read_snapshot(run.need_snapshot())
    embeddings = read_embeddings(run)
    if embeddings.snapshot != snapshot.hash:
        raise RunBroken(
            f"the model in {run.folder} was trained on another snapshot than the one there now; "
            f"type: kinfolio train --run {run.folder}"
        )
    info = run.need_info()
    # A run that has learned from `valid` too is masked, and its baselines are fitted, by both.
    is_final = "valid" in info.get("learned_from", ())
    if is_final and split == "valid":
        raise BadInput(
            f"the run in {run.folder} has learned from valid too (--final), so nothing can be "
            "measured on it; type: kinfolio evaluate --split test"
        )
    held, wanted = held_in(snapshot, "train"), held_in(snapshot, split)
    if is_final:
        held = csr_array(held + held_in(snapshot, "valid"))
    if not wanted.nnz:
        raise BadInput(
            f"no interaction is marked {split}, so there is nothing to measure; "
            "fill the column split of the interactions file, or choose --split"
        )
    models = {"kinfolio": score_by(embeddings, held)}
    if has_baselines or has_controls:
        if not has_texts(snapshot):
            note("no texts: text mean, EASE+text and the controls of text are left out")
            cache = None
        elif info["config"]["text"] == "off" and not has_controls:
            note("trained with --text off: text mean and EASE+text are left out")
            cache = None
        features = None
        if cache is not None:
            features = TextFeatures(
                snapshot,
                cache,
                most=int(info["config"]["reviews"]),
                encoder=str(info["config"].get("encoder", EMBEDDED)),
                load=load,
                progress=partial(progress, "reading texts"),
            )
        models |= fit_baselines(
            snapshot, held, seed=0, note=note, features=features, progress=progress
        )
        if cache is not None:
            controls = fit_controls(
                run,
                cache=cache,
                load=load,
                note=note,
                progress=progress,
                only_kept=not has_controls,
            )
            models |= {name: score_by(control, held) for name, control in controls.items()}
    return _compared(models, held, wanted, split, name_of(info), progress)


def score_by(embeddings: Embeddings, held: csr_array) -> ScoreBlock:
    """Scores as the graph computes them: user vector . product vector + popularity term + links.

    Args:
        embeddings: of a run.
        held: what counts as held, shape (num_users, num_products), ones.
    """
    heads = dot_scores(embeddings.user_vectors, embeddings.product_vectors, embeddings.bias)
    links = csr_array(
        (embeddings.link_weights, embeddings.link_products, embeddings.link_offsets),
        shape=(held.shape[1], held.shape[1]),
    )
    return with_links(heads, held, links, None)


_Group = tuple[NDArray[np.int64], csr_array, NDArray[np.bool_] | None]
"""Users, what their lists should hold, and the products that are candidates (None: all)."""


def groups_of(held: csr_array, wanted: csr_array) -> dict[str, _Group]:
    """The groups that are not empty: name to users, what counts, and candidates.

    Args:
        held: training holdings, shape (num_users, num_products).
        wanted: held-out holdings, the same shape.
    """
    is_warm = np.diff(held.indptr) > 0
    is_seen = np.asarray(held.sum(axis=0)).ravel() > 0
    has_some = np.diff(wanted.indptr) > 0
    groups: dict[str, _Group] = {}

    def add(
        name: str,
        chosen: NDArray[np.bool_],
        counted: csr_array,
        candidates: NDArray[np.bool_] | None = None,
    ) -> None:
        users = np.flatnonzero(chosen & (np.diff(counted.indptr) > 0))
        if len(users):
            groups[name] = (users, counted, candidates)

    add("all", has_some, wanted)
    add("warm", is_warm, wanted)
    add("new", ~is_warm, wanted)
    add("seen", is_warm, entries_of(wanted, is_seen))
    add("unseen", is_warm, entries_of(wanted, ~is_seen), ~is_seen)
    add("unseen_among_all", is_warm, entries_of(wanted, ~is_seen))
    return groups


def _compared(
    models: dict[str, ScoreBlock],
    held: csr_array,
    wanted: csr_array,
    split: str,
    kinfolio: str,
    progress: Progress,
) -> Evaluation:
    groups = groups_of(held, wanted)
    everybody = groups["all"][0]
    holders = np.bincount(held.indices, minlength=held.shape[1])
    bands, band = bands_of(holders)
    figures: dict[str, dict[str, Figures]] = {}
    singly: dict[str, dict[str, NDArray[np.float64]]] = {}
    shares: dict[str, dict[str, list[float]]] = {}
    for done, (model, score) in enumerate(models.items()):
        progress("ranking", done, len(models))
        among_all = top(score, everybody, held, K)
        figures[model], singly[model] = {}, {}
        for name, (users, counted, candidates) in groups.items():
            # Ranked once for all groups that may be offered the same products.
            lists = (
                among_all[np.searchsorted(everybody, users)]
                if candidates is None
                else top(score, users, held, K, candidates)
            )
            hits = hits_of(lists, users, counted)
            each = per_user(hits, np.diff(counted.indptr).astype(np.int64)[users])
            offered = held.shape[1] if candidates is None else int(candidates.sum())
            figures[model][name] = Figures(
                values={measure: float(values.mean()) for measure, values in each.items()}
                | over_all(lists, holders, held.shape[0], offered)
            )
            singly[model][name] = np.stack([each[measure] for measure in COMPARED], axis=1)
            if name == "all":
                parts = by_band(lists, hits, band, wanted.indices.astype(np.int64), len(bands))
                shares[model] = {key: values.tolist() for key, values in parts.items()}
    progress("ranking", len(models), len(models))
    return Evaluation(
        split=split,
        k=K,
        kinfolio=kinfolio,
        users={name: len(users) for name, (users, _, _) in groups.items()},
        models=figures,
        differences=_differences(singly),
        bands=bands,
        by_band=shares,
    )


def _differences(
    singly: dict[str, dict[str, NDArray[np.float64]]],
) -> dict[str, dict[str, dict[str, Interval]]]:
    """Kinfolio less each other model, with intervals: model, group, measure."""
    others = [model for model in singly if model != "kinfolio"]
    found: dict[str, dict[str, dict[str, Interval]]] = {model: {} for model in others}
    for group, ours in singly["kinfolio"].items() if others else ():
        # Side by side, so that users are drawn once for all models.
        columns = np.concatenate([ours - singly[model][group] for model in others], axis=1)
        parts = iter(intervals(columns))
        for model in others:
            found[model][group] = {measure: next(parts) for measure in COMPARED}
    return found
