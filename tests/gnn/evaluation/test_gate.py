"""Models compared on what neither has learned: as they serve, and with wrong labels."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kinfolio.errors import NotReady
from kinfolio.gnn.data import interactions_of, pair_keys
from kinfolio.gnn.evaluation.gate import HeldOut, compare, compare_runs
from kinfolio.gnn.evaluation.served import as_served
from kinfolio.gnn.training.earlier import Earlier
from kinfolio.gnn.training.train import read_embeddings, train
from kinfolio.records import Snapshot
from kinfolio.snapshot import with_hash
from tests.api.refreshing.worlds import CONFIG as WITHOUT_TEXT
from tests.api.refreshing.worlds import PRODUCTS, USERS, rows
from tests.gnn.snapshots import make_edges, make_snapshot
from tests.gnn.trained import SMALL, run_of, trained, with_texts

CONFIG = replace(SMALL, edge_dropout=0.0)


def six_tastes(*, has_valid: bool) -> Snapshot:
    """The graph of the tests of `refresh` as a snapshot."""
    found = [row.split("\t") for row in rows(has_valid=True)]
    user, product = (np.array([int(row[place][1:]) for row in found]) for place in (0, 1))
    split = np.array([int(row[2] == "valid" and has_valid) for row in found])
    empty = make_snapshot(seed=3, num_users=USERS, num_products=PRODUCTS)
    return with_hash(replace(empty, holdings=make_edges(user, product, split)))


def without_valid(snapshot: Snapshot) -> Snapshot:
    """Count the split `valid` as `train`."""
    split = np.where(snapshot.holdings.split == 1, 0, snapshot.holdings.split).astype(np.int8)
    return with_hash(replace(snapshot, holdings=replace(snapshot.holdings, split=split)))


def shuffled(snapshot: Snapshot, chosen: NDArray[np.bool_]) -> Snapshot:
    """Permute the products of some interactions."""
    holdings = snapshot.holdings
    target = holdings.target.copy()
    target[chosen] = np.random.default_rng(0).permutation(target[chosen])
    _, first = np.unique(np.stack([holdings.source, target]), axis=1, return_index=True)
    columns = {name: getattr(holdings, name)[first] for name in ("source", "split", "at", "rating")}
    return with_hash(replace(snapshot, holdings=replace(holdings, **columns, target=target[first])))


@pytest.mark.parametrize("has_valid", [True, False])
def test_a_model_serves_the_snapshot_of_its_training_as_it_was_trained(
    tmp_path: Path, has_valid: bool
) -> None:
    snapshot = with_texts(make_snapshot(seed=3))
    snapshot = snapshot if has_valid else without_valid(snapshot)
    model = read_embeddings(trained(tmp_path, snapshot, CONFIG))
    served, is_known = as_served(model, snapshot, interactions_of(snapshot, "train"))
    assert is_known.all()
    assert np.abs(served.user_vectors - model.user_vectors).max() < 1e-4
    assert (served.link_weights == model.link_weights).all()
    fewer = replace(model, product_ids=("other", *model.product_ids[1:]))
    served, is_known = as_served(fewer, snapshot, interactions_of(snapshot, "train"))
    assert not is_known[0]
    assert is_known[1:].all()


@pytest.mark.parametrize("has_valid", [True, False])
def test_the_same_training_passes_and_wrong_labels_are_refused(
    tmp_path: Path, has_valid: bool
) -> None:
    snapshot = six_tastes(has_valid=has_valid)
    earlier = Earlier.read(trained(tmp_path, snapshot, WITHOUT_TEXT))
    again = run_of(tmp_path / "again", snapshot)
    train(again, earlier.config, cache=tmp_path / "texts", earlier=earlier)
    gate = compare_runs(earlier, again)
    assert not gate.failed
    assert gate.before["all"] == pytest.approx(gate.after["all"], abs=0.01)
    assert gate.before["all"]["ndcg@20"] > 0.5
    # What was held back keeps its product, all else gets one by chance.
    keys = pair_keys(snapshot, np.ones(len(snapshot.holdings.split), np.bool_))
    wrong = shuffled(snapshot, np.isin(keys, earlier.learned))
    worse = run_of(tmp_path / "worse", wrong)
    train(worse, earlier.config, cache=tmp_path / "texts", earlier=earlier)
    failed = {check.name for check in compare_runs(earlier, worse).failed}
    assert {"recall@20 without the changes", "ndcg@20 without the changes"} <= failed


def test_what_was_held_back_is_held_back_again(tmp_path: Path) -> None:
    snapshot = without_valid(with_texts(make_snapshot(seed=3)))
    earlier = Earlier.read(trained(tmp_path, snapshot, CONFIG))
    mask = earlier.validation_mask(snapshot, 7)
    assert mask is not None
    assert mask.sum() == len(earlier.held_back) > 0
    assert not np.isin(earlier.held_back, earlier.learned).any()
    holdings = snapshot.holdings
    assert len(earlier.learned) + mask.sum() == (holdings.split == 0).sum()


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    snapshot = with_texts(make_snapshot(seed=3))
    model = read_embeddings(trained(tmp_path, snapshot, CONFIG))
    broken = replace(model, bias=np.full_like(model.bias, np.nan))
    interactions = interactions_of(snapshot, "train")
    targets = interactions_of(snapshot, "valid")
    held_out = HeldOut(
        snapshot=snapshot, interactions=interactions, targets=targets, learned=interactions
    )
    (failed,) = compare(model, broken, held_out).failed
    assert failed.name == "finite"
    assert "bias" in failed.detail


def test_a_run_of_an_older_kinfolio_is_told(tmp_path: Path) -> None:
    run = trained(tmp_path, with_texts(make_snapshot(seed=3)), CONFIG)
    info = json.loads(run.info.read_text("utf-8"))
    del info["held_back"]
    run.info.write_text(json.dumps(info), "utf-8")
    with pytest.raises(NotReady, match="trained by an older kinfolio"):
        Earlier.read(run)
