"""The step `evaluate`: metrics of a run's rankings on held-out interactions.

Ranks all products except the user's training ones, by the protocol of `ranking.py`. A warm user has
a training interaction, a new one has none; a seen product has one, an unseen product has none.
Recommenders to compare with are those of `baselines.py` and `ablations.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kinfolio.errors import BadInput, RunBroken, shell_command
from kinfolio.gnn.data import interactions_of
from kinfolio.gnn.evaluation.ablations import fit_ablations, name_of
from kinfolio.gnn.evaluation.baselines import fit_baselines
from kinfolio.gnn.evaluation.bootstrap import Interval, intervals
from kinfolio.gnn.evaluation.metrics import Group, bands_of, by_band, groups_of, over_all, per_user
from kinfolio.gnn.evaluation.recommender import EmbeddingModel, Recommender
from kinfolio.gnn.memory import need_memory
from kinfolio.gnn.ranking import find_hits, top_k, users_per_block
from kinfolio.gnn.text.encoder import EMBEDDED, Encoder, load_encoder
from kinfolio.gnn.text.features import TextFeatures, has_texts
from kinfolio.gnn.training.train import read_embeddings
from kinfolio.records import Progress, Snapshot, no_progress
from kinfolio.run import Run
from kinfolio.snapshot import read_snapshot
from kinfolio.tabular import Tabular

K = 20
_BYTES_PER_SCORE = 12
"""Of a block of scores: scores, those of links, and those that can enter a list."""
COMPARED = (f"recall@{K}", f"ndcg@{K}")
"""Metrics whose differences get an interval."""

Split = Literal["test", "valid"]
Comparisons = Literal["nothing", "baselines", "ablations"]
"""Models evaluated besides the run's own; `ablations` includes the baselines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMetrics:
    """Metrics in one group of users, by names such as `recall@20`; see `metrics.py`."""

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
    """Metrics by model and group; groups without users are absent."""

    split: str
    k: int
    kinfolio: str
    """`fusion` if the run's model reads texts, else `graph only`."""
    users: dict[str, int]
    models: dict[str, dict[str, GroupMetrics]]
    differences: dict[str, dict[str, dict[str, Interval]]]
    """Kinfolio minus each other model: model, group, metric."""
    bands: list[str]
    """Bands of products by their training holdings, such as `4-15`."""
    by_band: dict[str, dict[str, list[float]]] = field(repr=False)
    """Model to `listed`, `held_out` and `found` of each band; see `metrics.by_band`."""

    def _table(self) -> list[dict[str, object]]:
        return [
            {"model": model, "group": group, "users": self.users[group], **metrics.values}
            for model, groups in self.models.items()
            for group, metrics in groups.items()
        ]


def evaluate(
    run: Run,
    *,
    split: Split = "test",
    compare: Comparisons = "nothing",
    cache: Path | None = None,
    load: Callable[[str], Encoder] = load_encoder,
    warn: Callable[[str], None] = lambda text: None,
    progress: Progress = no_progress,
) -> Evaluation:
    """Evaluate the run's model, and those to compare it with, on one split.

    `baselines` includes ablations that are trained already; `ablations` trains those that are
    missing, which takes minutes. Without a cache of encoded texts, comparisons that read texts are
    left out. Calls `warn` with the reason if a comparison is left out.

    Raises:
        NotReady: the run was not trained.
        RunBroken: the model was trained on another snapshot.
        BadInput: the split is empty, or the run was trained on it.
    """
    snapshot = read_snapshot(run.need_snapshot())
    embeddings = read_embeddings(run)
    if embeddings.snapshot != snapshot.hash:
        raise RunBroken(
            f"the model in {run.folder} was trained on another snapshot than the present one; "
            f"type: {shell_command('train', '--run', run.folder)}"
        )
    interactions, held_out = _interactions(run, snapshot, split)
    block = users_per_block(snapshot.num_products) * snapshot.num_products
    need_memory("evaluating", _BYTES_PER_SCORE * block, "close other programs", progress)
    models: dict[str, Recommender] = {"kinfolio": EmbeddingModel(embeddings).fit(interactions)}
    if compare != "nothing":
        features = None
        if not _reads_texts(run, snapshot, compare, warn):
            cache = None
        if cache is not None:
            config = run.need_info()["config"]
            features = TextFeatures(
                snapshot,
                cache,
                most=config["reviews"],
                encoder=config.get("encoder", EMBEDDED),
                load=load,
                progress=partial(progress, "reading texts"),
            )
        models |= fit_baselines(
            snapshot, interactions, warn=warn, features=features, progress=progress
        )
        if cache is not None:
            only_trained = compare != "ablations"
            ablations = fit_ablations(
                run, cache=cache, load=load, warn=warn, progress=progress, only_trained=only_trained
            )
            models |= {
                name: EmbeddingModel(one).fit(interactions) for name, one in ablations.items()
            }
    return _measure_all(models, interactions, held_out, split, name_of(run.need_info()), progress)


def default_split(run: Run) -> Split:
    """Return `test`, or `valid` if the run's snapshot has no test interactions.

    Raises:
        NotReady: the run has no snapshot.
    """
    snapshot = read_snapshot(run.need_snapshot())
    return "test" if interactions_of(snapshot, "test").nnz else "valid"


def _interactions(run: Run, snapshot: Snapshot, split: Split) -> tuple[csr_array, csr_array]:
    """Return training and held-out interactions: ones, shape (num_users, num_products)."""
    # A final run is trained on `valid` too: its lists exclude and its baselines learn both.
    is_final = "valid" in run.need_info().get("learned_from", ())
    if is_final and split == "valid":
        raise BadInput(
            f"the run in {run.folder} has learned from valid too (--final), so nothing can be "
            "measured on it; type: kinfolio evaluate --split test"
        )
    training, valid = interactions_of(snapshot, "train"), interactions_of(snapshot, "valid")
    held_out = valid if split == "valid" else interactions_of(snapshot, split)
    if not held_out.nnz:
        fix = (
            "fill the column split of the interactions file, or type: kinfolio load FOLDER --split "
            "random:0.1; then export and train again"
        )
        if split == "test" and valid.nnz and not is_final:
            again = shell_command("evaluate", "--run", run.folder, "--split", "valid")
            fix = f"type: {again}"
        raise BadInput(f"no interaction is marked {split}, so there is nothing to measure; {fix}")
    return csr_array(training + valid) if is_final else training, held_out


def _reads_texts(
    run: Run, snapshot: Snapshot, compare: Comparisons, warn: Callable[[str], None]
) -> bool:
    if not has_texts(snapshot):
        warn("no texts: text mean, EASE+text and the controls of text are left out")
        return False
    if run.need_info()["config"]["text"] == "off" and compare != "ablations":
        warn("trained with --text off: text mean and EASE+text are left out")
        return False
    return True


def _measure_all(
    models: dict[str, Recommender],
    interactions: csr_array,
    held_out: csr_array,
    split: str,
    kinfolio: str,
    progress: Progress,
) -> Evaluation:
    groups = groups_of(interactions, held_out)
    bands, band = bands_of(np.bincount(interactions.indices, minlength=interactions.shape[1]))
    metrics: dict[str, dict[str, GroupMetrics]] = {}
    compared: dict[str, dict[str, NDArray[np.float64]]] = {}
    shares: dict[str, dict[str, list[float]]] = {}
    for done, (name, model) in enumerate(models.items()):
        progress("ranking", done, len(models))
        metrics[name], compared[name], shares[name] = _measure(model, groups, band, len(bands))
    progress("ranking", len(models), len(models))
    return Evaluation(
        split=split,
        k=K,
        kinfolio=kinfolio,
        users={name: len(group.users) for name, group in groups.items()},
        models=metrics,
        differences=_differences(compared),
        bands=bands,
        by_band=shares,
    )


def _measure(
    model: Recommender, groups: dict[str, Group], band: NDArray[np.int64], num_bands: int
) -> tuple[dict[str, GroupMetrics], dict[str, NDArray[np.float64]], dict[str, list[float]]]:
    """Measure one fitted model; `band`: int64, shape (num_products,).

    Returns the metrics and each user's `COMPARED` metrics, (num_users, 2), by group, and `by_band`.
    """
    all_users = groups["all"]
    metrics, compared, lists = measure_groups(model, groups)
    hits = find_hits(lists, all_users.users, all_users.held_out)
    targets = all_users.held_out.indices.astype(np.int64)
    shares = by_band(lists, hits, band, targets, num_bands)
    return metrics, compared, {key: values.tolist() for key, values in shares.items()}


def measure_groups(
    model: Recommender, groups: dict[str, Group]
) -> tuple[dict[str, GroupMetrics], dict[str, NDArray[np.float64]], NDArray[np.int64]]:
    """Return the metrics of a fitted model by group, each user's `COMPARED` ones, and the lists.

    The metrics of each user have shape (num_users, 2). The lists are those of the group `all`.
    """
    interactions, all_users = model.interactions, groups["all"]
    num_users, num_products = interactions.shape
    holders = np.bincount(interactions.indices, minlength=num_products)
    lists_of_all = top_k(model.score, all_users.users, interactions, K, all_users.candidates)
    metrics, compared = {}, {}
    for name, group in groups.items():
        if group.candidates is all_users.candidates:
            lists = lists_of_all[np.searchsorted(all_users.users, group.users)]
        else:
            lists = top_k(model.score, group.users, interactions, K, group.candidates)
        candidates = group.candidates
        num_candidates = num_products if candidates is None else int(candidates.sum())
        hits = find_hits(lists, group.users, group.held_out)
        each = per_user(hits, np.diff(group.held_out.indptr).astype(np.int64)[group.users])
        metrics[name] = GroupMetrics(
            values={metric: float(values.mean()) for metric, values in each.items()}
            | over_all(lists, holders, num_users, num_candidates)
        )
        compared[name] = np.stack([each[metric] for metric in COMPARED], axis=1)
    return metrics, compared, lists_of_all


def _differences(
    per_user: dict[str, dict[str, NDArray[np.float64]]],
) -> dict[str, dict[str, dict[str, Interval]]]:
    """Return kinfolio minus each other model, with intervals: model, group, metric."""
    others = [model for model in per_user if model != "kinfolio"]
    found: dict[str, dict[str, dict[str, Interval]]] = {model: {} for model in others}
    for group, ours in per_user["kinfolio"].items() if others else ():
        # One array, so that all models share the draws of users.
        columns = np.concatenate([ours - per_user[model][group] for model in others], axis=1)
        results = iter(intervals(columns))
        for model in others:
            found[model][group] = {metric: next(results) for metric in COMPARED}
    return found
