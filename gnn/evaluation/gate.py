"""The gate: whether a new model may replace the one that serves.

Both rank the same held-out interactions, from which neither has learned, on the graph as it is now.
A metric may be lower by chance: by as much as its paired bootstrap interval over users allows, and
by what two trainings of the same data differ in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kinfolio.gnn.data import (
    interactions_at,
    interactions_of,
    interactions_of_keys,
    keys_of,
    pair_keys,
)
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.evaluation.bootstrap import Interval, intervals
from kinfolio.gnn.evaluation.evaluate import COMPARED, GroupMetrics, K, measure_groups
from kinfolio.gnn.evaluation.metrics import Group, groups_of
from kinfolio.gnn.evaluation.recommender import EmbeddingModel
from kinfolio.gnn.evaluation.served import as_served
from kinfolio.gnn.model_file import read_model, read_validated
from kinfolio.gnn.ranking import select_columns
from kinfolio.gnn.training.earlier import Earlier
from kinfolio.records import Check, Snapshot
from kinfolio.run import Run
from kinfolio.snapshot import read_snapshot

SPREAD = 0.01
"""Part of a metric by which trainings with different seeds differ."""
GROUP_SPREAD = 0.05
"""The same in a group of users, which is smaller; several are tested at once."""
MIN_COVERAGE = 0.8
"""Of the coverage of the serving model."""
_GROUPS = ("warm", "new", "seen", "unseen", "unseen_among_all")
_COVERAGE = f"coverage@{K}"

Metrics = dict[str, dict[str, float]]
"""Metrics by group of users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The metrics of the serving model and of the new one, and what follows from them."""

    before: Metrics
    after: Metrics
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not pass; empty: the new model may serve."""
        return tuple(check for check in self.checks if not check.ok)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldOut:
    """The newer snapshot and what both models are tested with."""

    snapshot: Snapshot
    interactions: csr_array
    """What counts as held; the new model has learned from it."""
    targets: csr_array
    """Interactions from which neither model has learned: shape of `interactions`."""
    learned: csr_array
    """What counted as held at the training of the serving model."""


def compare_runs(earlier: Earlier, run: Run) -> Gate:
    """Compare the model of an earlier run with that of a run on a newer snapshot."""
    snapshot = read_snapshot(run.need_snapshot())
    info, embeddings = read_model(run)
    held_out, interactions = interactions_of(snapshot, "valid"), interactions_of(snapshot, "train")
    if info.get("held_back"):
        embeddings, keys = read_validated(run)
        is_train = snapshot.holdings.split == 0
        is_held_back = is_train & np.isin(pair_keys(snapshot, np.ones_like(is_train)), keys)
        held_out = interactions_at(snapshot, is_held_back)
        interactions = interactions_at(snapshot, is_train & ~is_held_back)
    return compare(
        earlier.embeddings,
        embeddings,
        HeldOut(
            snapshot=snapshot,
            interactions=interactions,
            targets=_not_learned(snapshot, held_out, earlier.learned),
            learned=interactions_of_keys(snapshot, earlier.learned),
        ),
    )


def _not_learned(snapshot: Snapshot, held_out: csr_array, learned: NDArray[np.int64]) -> csr_array:
    """Return the held-out interactions that the older model has not learned from."""
    pairs = held_out.tocoo()
    keys = keys_of(snapshot, pairs.coords[0], pairs.coords[1])
    is_new = ~np.isin(keys, learned)
    rows, columns = (ends[is_new] for ends in pairs.coords)
    ones = np.ones(len(rows), np.float32)
    return csr_array((ones, (rows, columns)), shape=held_out.shape)


def compare(before: Embeddings, after: Embeddings, held_out: HeldOut) -> Gate:
    """Compare the serving model with the new one, on the products that both know."""
    if not_finite := _not_finite(after):
        detail = f"{not_finite} has numbers that are not finite"
        return Gate(before={}, after={}, checks=(Check("finite", False, detail),))
    served, is_common = as_served(before, held_out.snapshot, held_out.interactions)
    targets = select_columns(held_out.targets, is_common)
    groups = {
        name: Group(
            group.users,
            group.held_out,
            is_common if group.candidates is None else is_common & group.candidates,
        )
        for name, group in groups_of(held_out.interactions, targets).items()
    }
    finite = Check("finite", True, "all numbers of the new model are finite")
    if not groups:
        nothing = Check(f"recall@{K}", True, "nothing is held out, so nothing was compared")
        return Gate(before={}, after={}, checks=(finite, nothing))
    (of_served, per_user, _), (of_new, per_user_new, _) = (
        measure_groups(EmbeddingModel(one).fit(held_out.interactions), groups)
        for one in (served, after)
    )
    checks = _checks(of_served, of_new, per_user, per_user_new)
    return Gate(
        before=_told(of_served),
        after=_told(of_new),
        checks=(finite, *checks, *_without_changes(before, after, held_out, groups["all"])),
    )


def _without_changes(
    before: Embeddings, after: Embeddings, held_out: HeldOut, group: Group
) -> Iterator[Check]:
    """Compare with the serving model on users as they were: wrong data makes both models worse."""
    old, _ = as_served(before, held_out.snapshot, held_out.learned)
    served = EmbeddingModel(old).fit(held_out.learned)
    served.interactions = held_out.interactions  # left out of the lists of both models
    is_known = np.diff(held_out.learned.indptr)[group.users] > 0
    if not is_known.any():
        return
    known = {"all": replace(group, users=group.users[is_known])}
    metrics, per_user, _ = measure_groups(served, known)
    new, per_user_new, _ = measure_groups(EmbeddingModel(after).fit(held_out.interactions), known)
    found = intervals(per_user_new["all"] - per_user["all"])
    for metric, interval in zip(COMPARED, found, strict=True):
        values = metrics["all"].values[metric], new["all"].values[metric]
        check = _metric("all", metric, *values, interval)
        yield replace(check, name=f"{metric} without the changes")


def _checks(
    before: dict[str, GroupMetrics],
    after: dict[str, GroupMetrics],
    per_user: dict[str, NDArray[np.float64]],
    per_user_new: dict[str, NDArray[np.float64]],
) -> Iterator[Check]:
    for group in ("all", *_GROUPS):
        if group in before:
            found = intervals(per_user_new[group] - per_user[group])
            for metric, interval in zip(COMPARED, found, strict=True):
                old, new = before[group].values[metric], after[group].values[metric]
                yield _metric(group, metric, old, new, interval)
    old, new = before["all"].values[_COVERAGE], after["all"].values[_COVERAGE]
    detail = f"{new:.4f}, before {old:.4f}; at least {MIN_COVERAGE:.0%} of that"
    yield Check(_COVERAGE, new >= MIN_COVERAGE * old, detail)


def _metric(group: str, metric: str, old: float, new: float, interval: Interval) -> Check:
    allowed = (SPREAD if group == "all" else GROUP_SPREAD) * old
    detail = (
        f"{new:.4f}, before {old:.4f}; difference {interval.low:+.4f} to {interval.high:+.4f}, "
        f"allowed down to -{allowed:.4f}"
    )
    name = metric if group == "all" else f"{metric} {group}"
    return Check(name, interval.high >= -allowed, detail)


def _told(metrics: dict[str, GroupMetrics]) -> Metrics:
    names = (*COMPARED, _COVERAGE)
    return {group: {name: one.values[name] for name in names} for group, one in metrics.items()}


def _not_finite(model: Embeddings) -> str:
    """Return the name of the first array with numbers that are not finite; "" if there is none."""
    for field in fields(model):
        numbers = getattr(model, field.name)
        if isinstance(numbers, np.ndarray) and not np.isfinite(numbers).all():
            return field.name
    return ""
