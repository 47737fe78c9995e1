"""Links between products: their formulas, and when the blend uses them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from kinfolio.gnn.blend import link_models, shortlist
from kinfolio.gnn.blend.link_models import CoOccurrence, LinkRecipe, scale_links
from kinfolio.gnn.blend.links import Links
from kinfolio.gnn.blend.popularity import Popularity
from kinfolio.gnn.blend.shortlist import large_shortlist, validation_users
from kinfolio.gnn.blend.term import Pool
from kinfolio.gnn.data import TrainingData, training_data
from kinfolio.gnn.ranking import UserMetrics
from kinfolio.gnn.training.train import read_embeddings, train
from kinfolio.run import read_json
from tests.gnn.snapshots import make_snapshot
from tests.gnn.trained import SMALL, run_of

CPU = torch.device("cpu")


def holdings(seed: int = 0, users: int = 60, products: int = 12) -> csr_array:
    rng = np.random.default_rng(seed)
    return csr_array((rng.random((users, products)) < 0.3).astype(np.float32))


def test_with_all_products_as_neighbours_links_are_the_ridge_regression_on_all_others() -> None:
    interactions = holdings()
    links = CoOccurrence(interactions).ridge(0.0, (5.0,))[5.0].toarray()
    gram = (interactions.T @ interactions).toarray()
    for product in range(gram.shape[1]):
        others = np.delete(np.arange(gram.shape[1]), product)
        expected = np.linalg.solve(
            gram[np.ix_(others, others)] + 5 * np.eye(len(others)), gram[others, product]
        )
        found = links[others, product]
        has_common = gram[others, product] > 0
        np.testing.assert_allclose(found[has_common], expected[has_common], atol=1e-5)
        assert not found[~has_common].any()
    assert not links.diagonal().any()


def test_only_the_nearest_products_are_linked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_models, "NEIGHBOURS", 3)
    interactions = holdings()
    gram = (interactions.T @ interactions).toarray()
    np.fill_diagonal(gram, 0)
    links = CoOccurrence(interactions).ridge(0.0, (5.0,))[5.0].toarray()
    for product in range(gram.shape[1]):
        linked = np.flatnonzero(links[:, product])
        assert len(linked) <= 3
        assert gram[linked, product].min() >= np.sort(gram[:, product])[-3]


def test_links_computed_in_blocks_equal_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_models, "NEIGHBOURS", 4)
    whole = CoOccurrence(holdings()).ridge(0.5, (2.0,))[2.0]
    monkeypatch.setattr(link_models, "_PRODUCTS_AT_ONCE", 7)
    monkeypatch.setattr(link_models, "_SOLVED_AT_ONCE", 3)
    parts = CoOccurrence(holdings()).ridge(0.5, (2.0,))[2.0]
    assert whole.nnz
    np.testing.assert_allclose(parts.toarray(), whole.toarray(), atol=1e-6)


def test_among_equally_near_products_the_rarer_are_linked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_models, "NEIGHBOURS", 2)
    # Product 0 has two holders, who hold all others, too; of these 1 and 3 have more holders.
    interactions = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [0, 1, 0, 1, 0], [0, 1, 0, 1, 0]])
    links = CoOccurrence(csr_array(interactions.astype(np.float32))).ridge(0.0, (1.0,))[1.0]
    assert np.flatnonzero(links.toarray()[:, 0]).tolist() == [2, 4]


def test_links_are_never_negative_and_few_from_each_product(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_models, "MOST_LINKS", 4)
    counts = CoOccurrence(holdings())
    plain = counts.ridge(0.0, (1.0,))[1.0]
    assert (plain.data < 0).any()
    links = scale_links(plain, counts.degree, 0.5)
    assert (links.data > 0).all()
    assert np.diff(links.indptr).max() <= 4
    at = np.flatnonzero(np.diff(links.indptr))[0]
    first = links[[at]].tocoo()
    expected = plain.toarray()[at, first.coords[1]] * counts.degree[first.coords[1]] ** 0.5
    np.testing.assert_allclose(first.data, expected, rtol=1e-5)


def test_co_occurrence_follows_the_formula() -> None:
    interactions = holdings()
    counts = CoOccurrence(interactions)
    links = counts.common(0.25, 0.5).toarray()
    dense = interactions.toarray()
    users = np.maximum(dense.sum(axis=1), 1)
    expected = (counts.degree**-0.5)[:, None] * (dense.T @ (users[:, None] ** -0.5 * dense))
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(links, expected, atol=1e-5)


def test_with_too_many_pairs_users_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    interactions = holdings(users=400)
    monkeypatch.setattr(link_models, "MOST_PAIRS", (np.diff(interactions.indptr) ** 2).sum() / 4)
    counts = CoOccurrence(interactions)
    assert 50 < counts.interactions.shape[0] < 150
    np.testing.assert_allclose(counts.degree, interactions.toarray().sum(axis=0))


def pool_of(score: torch.Tensor, data: TrainingData, has_links: bool = True) -> Pool:
    return Pool(
        data=data,
        heads=[],
        heads_score=lambda users: score[users].clone(),
        has_links=has_links,
    )


def test_links_are_used_when_they_improve_on_the_heads() -> None:
    data = training_data(make_snapshot(seed=4), CPU)
    rng = np.random.default_rng(0)
    noise = torch.from_numpy(rng.normal(size=(data.num_users, data.num_products))).float()
    links = Links()
    with_links = links.fit(pool_of(noise, data))
    assert links.recipe is not None
    assert links.matrix is not None
    assert links.strength > 0
    without = Links().fit(pool_of(noise, data, has_links=False))
    assert with_links is not None
    assert without is not None
    assert with_links.quality(0.0) > without.quality(0.0)
    assert len(links.trials) > 5


def test_links_are_left_out_when_the_heads_are_perfect() -> None:
    data = training_data(make_snapshot(seed=4), CPU)
    pool = pool_of(torch.from_numpy(data.validation.toarray()), data)
    links, popularity = Links(), Popularity()
    pool.candidates = links.fit(pool)
    popularity.fit(pool)
    assert (links.recipe, links.matrix, links.strength, popularity.weight) == (None, None, 0, 0)
    assert pool.shortlist().metrics(0.0)[0].mean() == 1


def test_a_trained_run_stores_its_links_and_reports_the_trials(tmp_path: Path) -> None:
    snapshot = make_snapshot(seed=4, has_valid=False)
    run = run_of(tmp_path / "run", snapshot)
    trained = train(run, replace(SMALL, text="off", links="auto"), cache=tmp_path / "texts")
    found = read_embeddings(run)
    assert len(found.link_offsets) == snapshot.num_products + 1
    assert (len(found.link_weights) > 0) == (trained.blend["recipe"] is not None)
    info = read_json(run.info)
    assert info["blend"]["trials"]
    assert info["budget"]["spent"] > 0


def test_quick_trains_nothing(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", make_snapshot(seed=4))
    trained = train(run, replace(SMALL, text="off", quick=True), cache=tmp_path / "texts")
    assert trained.epochs == 0
    assert trained.valid.recall > 0


def test_a_recipe_names_its_parameters() -> None:
    assert str(LinkRecipe("ridge", 0.5, 30.0, -0.25)) == "ridge, p 0.5, lambda 30, c -0.25"


def test_a_shortlist_in_parts_gives_the_metrics_of_all_users_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = training_data(make_snapshot(seed=4, num_users=60), CPU)
    rng = np.random.default_rng(0)
    noise = torch.from_numpy(rng.normal(size=(data.num_users, data.num_products))).float()
    other = rng.normal(size=(data.num_users, data.num_products)).astype(np.float32)

    def figures(most: int) -> tuple[UserMetrics, float]:
        monkeypatch.setattr(shortlist, "_MAX_USERS", most)
        found = large_shortlist(lambda users: noise[users], data, lambda users: other[users])
        # So large a weight that the heads, and the unit of a part, do not matter.
        return found.metrics(1000.0), found.unit

    users = len(validation_users(data))
    (whole, unit), (parts, unit_of_parts) = figures(users), figures(-(-users // 3))
    assert len(parts[0]) == users
    assert unit_of_parts == pytest.approx(unit, rel=0.2)
    np.testing.assert_allclose(parts[1], whole[1])
    # Far fewer, evenly spaced, where there are more than three times as many.
    assert len(figures(3)[0][0]) == 9
