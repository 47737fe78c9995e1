"""Links between products: what they are made from, and how much of them goes into a score."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from torch.nn import functional

from kinfolio.errors import BadConfig
from kinfolio.gnn.blend import candidates
from kinfolio.gnn.blend import links as links_module
from kinfolio.gnn.blend.blend import Blend, choose_blend
from kinfolio.gnn.blend.candidates import added_for_more, quality_of, validation_users
from kinfolio.gnn.blend.links import CommonHolders, Recipe, scaled
from kinfolio.gnn.data import training_data
from kinfolio.gnn.model import sampled_softmax as softmax
from kinfolio.gnn.model.svd_init import SvdStart
from kinfolio.gnn.ranking import Figures
from kinfolio.gnn.training.budget import seconds_of
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.head_trainer import fit_head
from kinfolio.gnn.training.heads import FEWEST_STEPS, affordable, lowest_as_good
from kinfolio.gnn.training.train import read_embeddings, train
from tests.gnn.snapshots import make_snapshot
from tests.gnn.trained import SMALL, run_of

CPU = torch.device("cpu")


def holdings(seed: int = 0, users: int = 60, products: int = 12) -> csr_array:
    rng = np.random.default_rng(seed)
    return csr_array((rng.random((users, products)) < 0.3).astype(np.float32))


def test_with_all_products_near_a_link_is_the_ridge_of_one_product_on_the_others() -> None:
    held = holdings()
    made = CommonHolders(held).ridge(0.0, (5.0,))[5.0].toarray()
    gram = (held.T @ held).toarray()
    for product in range(gram.shape[1]):
        others = np.delete(np.arange(gram.shape[1]), product)
        expected = np.linalg.solve(
            gram[np.ix_(others, others)] + 5 * np.eye(len(others)), gram[others, product]
        )
        found = made[others, product]
        has_common = gram[others, product] > 0
        np.testing.assert_allclose(found[has_common], expected[has_common], atol=1e-5)
        assert not found[~has_common].any()
    assert not made.diagonal().any()


def test_only_the_nearest_products_are_linked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links_module, "NEIGHBOURS", 3)
    held = holdings()
    gram = (held.T @ held).toarray()
    np.fill_diagonal(gram, 0)
    made = CommonHolders(held).ridge(0.0, (5.0,))[5.0].toarray()
    for product in range(gram.shape[1]):
        linked = np.flatnonzero(made[:, product])
        assert len(linked) <= 3
        assert gram[linked, product].min() >= np.sort(gram[:, product])[-3]


def test_in_parts_links_are_those_of_all_products_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links_module, "NEIGHBOURS", 4)
    whole = CommonHolders(holdings()).ridge(0.5, (2.0,))[2.0]
    monkeypatch.setattr(links_module, "_PRODUCTS_AT_ONCE", 7)
    monkeypatch.setattr(links_module, "_SOLVED_AT_ONCE", 3)
    parts = CommonHolders(holdings()).ridge(0.5, (2.0,))[2.0]
    assert whole.nnz
    np.testing.assert_allclose(parts.toarray(), whole.toarray(), atol=1e-6)


def test_of_products_that_are_as_near_the_rarer_are_linked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(links_module, "NEIGHBOURS", 2)
    # Product 0 has two holders, who hold all others, too; of these 1 and 3 have more holders.
    held = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [0, 1, 0, 1, 0], [0, 1, 0, 1, 0]])
    made = CommonHolders(csr_array(held.astype(np.float32))).ridge(0.0, (1.0,))[1.0]
    assert np.flatnonzero(made.toarray()[:, 0]).tolist() == [2, 4]


def test_links_are_never_negative_and_few_from_each_product(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(links_module, "MOST_LINKS", 4)
    holders = CommonHolders(holdings())
    plain = holders.ridge(0.0, (1.0,))[1.0]
    assert (plain.data < 0).any()
    made = scaled(plain, holders.degree, 0.5)
    assert (made.data > 0).all()
    assert np.diff(made.indptr).max() <= 4
    at = np.flatnonzero(np.diff(made.indptr))[0]
    first = made[[at]].tocoo()
    expected = plain.toarray()[at, first.coords[1]] * holders.degree[first.coords[1]] ** 0.5
    np.testing.assert_allclose(first.data, expected, rtol=1e-5)


def test_common_holders_are_counted_by_the_formula() -> None:
    held = holdings()
    holders = CommonHolders(held)
    made = holders.common(0.25, 0.5).toarray()
    dense = held.toarray()
    users = np.maximum(dense.sum(axis=1), 1)
    expected = (holders.degree**-0.5)[:, None] * (dense.T @ (users[:, None] ** -0.5 * dense))
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(made, expected, atol=1e-5)


def test_where_users_are_too_many_some_stand_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    held = holdings(users=400)
    monkeypatch.setattr(links_module, "MOST_PAIRS", (np.diff(held.indptr) ** 2).sum() / 4)
    holders = CommonHolders(held)
    assert 50 < holders.held.shape[0] < 150
    np.testing.assert_allclose(holders.degree, held.toarray().sum(axis=0))


def test_links_are_taken_when_they_find_what_the_heads_do_not() -> None:
    snapshot = make_snapshot(seed=4)
    data = training_data(snapshot, CPU)
    rng = np.random.default_rng(0)
    noise = torch.from_numpy(rng.normal(size=(data.num_users, data.num_products))).float()
    chosen = choose_blend(lambda users: noise[users], data, CommonHolders(data.held))
    assert chosen.blend.recipe is not None
    assert chosen.links is not None
    assert chosen.blend.strength > 0
    without = choose_blend(lambda users: noise[users], data, None)
    assert chosen.quality.value > without.quality.value
    assert len(chosen.trials) > 5


def test_links_are_left_out_when_the_heads_know_all() -> None:
    snapshot = make_snapshot(seed=4)
    data = training_data(snapshot, CPU)
    known = torch.from_numpy(data.wanted.toarray())
    chosen = choose_blend(lambda users: known[users], data, CommonHolders(data.held))
    assert chosen.blend == Blend()
    assert chosen.links is None
    assert chosen.quality.recall == 1


@pytest.mark.parametrize("tau", [0.5, 0.01])
def test_the_softmax_in_parts_is_the_plain_one_with_its_gradient(
    tau: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(softmax, "_ROWS_AT_ONCE", 3)
    torch.manual_seed(0)
    rows = torch.randn(7 + 7 + 5, 5, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(20, dtype=torch.float64, requires_grad=True)
    products, negatives = torch.tensor([3, 3, 0, 19, 7, 8, 9]), torch.tensor([3, 8, 11, 0, 15])
    sent = torch.randn(20, 5, dtype=torch.float64, requires_grad=True)
    general = torch.randn(5, dtype=torch.float64, requires_grad=True)
    edges = torch.rand(7, dtype=torch.float64)
    spread = torch.rand(5, dtype=torch.float64) * 3
    # Of the last user nothing but rounding is left, and of the one before nothing was there.
    rows.data[6] = edges[6] * sent[products[6]].detach() * (1 + 1e-7)
    rows.data[5], edges[5] = 0, 0
    is_left = (torch.arange(7) < 5)[:, None]
    users = (rows[:7] - edges[:, None] * sent[products] + general) * is_left
    unit = functional.normalize(torch.cat([users, rows[7:]]), dim=1)
    right = (unit[:7] * unit[7:14]).sum(dim=1) / tau + bias[products]
    others = unit[:7] @ unit[14:].T / tau + bias[negatives] + spread
    others = others.masked_fill(products[:, None] == negatives, -torch.inf)
    plain = (torch.logaddexp(right, others.logsumexp(dim=1)) - right).mean()
    inputs = [rows, sent, general, bias]
    expected = torch.autograd.grad(plain, inputs)
    mine = softmax.sampled_softmax(
        rows, sent, edges, general, tau, bias, products, negatives, spread
    )
    assert mine.item() == pytest.approx(plain.item(), abs=1e-12)
    for one, other in zip(torch.autograd.grad(mine, inputs), expected, strict=True):
        torch.testing.assert_close(one, other)


def test_a_trained_run_keeps_its_links_and_reports_what_was_tried(tmp_path: Path) -> None:
    snapshot = make_snapshot(seed=4, has_valid=False)
    run = run_of(tmp_path / "run", snapshot)
    trained = train(run, replace(SMALL, text="off", links="auto"), cache=tmp_path / "texts")
    found = read_embeddings(run)
    assert len(found.link_offsets) == snapshot.num_products + 1
    assert (len(found.link_weights) > 0) == (trained.blend.recipe is not None)
    told = run.need_info()
    assert told["blend"]["trials"]
    assert told["budget"]["spent"] > 0


def test_quick_trains_nothing(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", make_snapshot(seed=4))
    trained = train(run, replace(SMALL, text="off", quick=True), cache=tmp_path / "texts")
    assert trained.epochs == 0
    assert trained.valid.recall > 0


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("1h", 3600), ("auto", 300)]
)
def test_a_budget_is_a_time(text: str, seconds: float) -> None:
    assert seconds_of(text, 1000) == seconds


@pytest.mark.parametrize("text", ["", "five", "5 m x", "0", "-3s"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadConfig, match="--budget is"):
        seconds_of(text, 1000)


def test_a_recipe_tells_its_numbers() -> None:
    assert str(Recipe("ridge", 0.5, 30.0, -0.25)) == "ridge, p 0.5, lambda 30, c -0.25"


def test_more_users_in_parts_give_the_figures_of_all_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = training_data(make_snapshot(seed=4, num_users=60), CPU)
    rng = np.random.default_rng(0)
    noise = torch.from_numpy(rng.normal(size=(data.num_users, data.num_products))).float()
    other = rng.normal(size=(data.num_users, data.num_products)).astype(np.float32)

    def figures(most: int) -> tuple[Figures, float]:
        monkeypatch.setattr(candidates, "_MOST_USERS", most)
        added = added_for_more(lambda users: noise[users], data, lambda users: other[users])
        # So much of it that what the heads say, and the unit of a part, do not matter.
        return quality_of(added, 1000.0), added.unit

    users = len(validation_users(data))
    (whole, unit), (parts, unit_of_parts) = figures(users), figures(-(-users // 3))
    assert len(parts[0]) == users
    assert unit_of_parts == pytest.approx(unit, rel=0.2)
    np.testing.assert_allclose(parts[1], whole[1])
    # Far fewer, evenly spaced, where there are more than three times as many.
    assert len(figures(3)[0][0]) == 9


def test_heads_get_the_steps_that_those_before_them_show_to_be_affordable() -> None:
    data = training_data(make_snapshot(seed=4), CPU)
    config = TrainConfig(dim=8, steps=200, text="off", tau=0.3, batch=64)
    start = SvdStart(data.held, 8)
    made = fit_head(data, None, config, start=start, tau=0.3, seed=0, steps=200)
    taken = made.history[-1].step
    for number in (1, 2):
        left = 1.5 * made.cpu_seconds * number
        assert affordable([made], number, 10_000, left) == pytest.approx(1.5 * taken, abs=1)
    assert affordable([made], 1, 120, 1e9) == 120
    assert affordable([made], 1, 10_000, 0.0) == FEWEST_STEPS
    untrained = fit_head(data, None, config, start=start, tau=0.3, seed=0, steps=0)
    assert affordable([untrained], 1, 70, 0.0) == 70


def test_of_temperatures_that_are_nearly_as_good_the_lowest_is_trained_in_full() -> None:
    assert lowest_as_good({0.1: 0.1081, 0.15: 0.1149, 0.2: 0.115, 0.3: 0.114}) == 0.15
    assert lowest_as_good({0.1: 0.1, 0.15: 0.115}) == 0.15
