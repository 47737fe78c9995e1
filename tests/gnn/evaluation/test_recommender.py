"""Every recommender fulfils the contract; the baselines equal brute-force computations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kinfolio.gnn.evaluation.baselines import Popularity, TextMean, TiesMean
from kinfolio.gnn.evaluation.ease import EASE
from kinfolio.gnn.evaluation.recommender import EmbeddingModel, Recommender
from kinfolio.gnn.ranking import top_k
from kinfolio.gnn.text.encoder import unit
from tests.gnn.conftest import random_world
from tests.gnn.snapshots import no_links

NUM_USERS, NUM_PRODUCTS = 20, 30
ALL = np.arange(NUM_USERS)


def random_interactions(num_products: int = NUM_PRODUCTS) -> csr_array:
    """Twenty users; the last one holds nothing."""
    chosen = np.random.default_rng(0).random((NUM_USERS, num_products)) < 0.3
    chosen[-1] = False
    return csr_array(chosen.astype(np.float32))


def random_text() -> NDArray[np.float32]:
    rows = np.random.default_rng(1).normal(size=(NUM_USERS + NUM_PRODUCTS, 6))
    return unit(rows.astype(np.float32))


class RecommenderContract(ABC):
    """Tests that every recommender runs."""

    @abstractmethod
    def build(self) -> Recommender:
        """Build the recommender with equal arguments each time."""

    def test_training_interactions_are_excluded_from_lists(self) -> None:
        interactions = random_interactions()
        lists = top_k(self.build().fit(interactions).score, ALL, interactions, 10)
        assert not interactions.toarray()[ALL[:, None], lists].any()

    def test_scores_have_one_row_per_user_and_are_finite(self) -> None:
        model = self.build().fit(random_interactions())
        for users in (ALL, ALL[3:4], ALL[:0]):
            scores = model.score(users)
            assert scores.shape == (len(users), NUM_PRODUCTS)
            assert scores.dtype == torch.float32
            assert scores.isfinite().all()

    def test_equal_fits_give_equal_scores(self) -> None:
        one = self.build().fit(random_interactions()).score(ALL).clone()
        assert torch.equal(one, self.build().fit(random_interactions()).score(ALL))

    def test_scores_do_not_depend_on_the_other_users_of_the_block(self) -> None:
        model = self.build().fit(random_interactions())
        whole = model.score(ALL).clone()
        torch.testing.assert_close(model.score(ALL[5:7]), whole[5:7])


class TestPopularity(RecommenderContract):
    def build(self) -> Recommender:
        return Popularity()


class TestTiesMean(RecommenderContract):
    def build(self) -> Recommender:
        tied = np.random.default_rng(2).random((NUM_USERS, NUM_USERS)) < 0.1
        return TiesMean(csr_array((tied | tied.T).astype(np.float32)))


class TestTextMean(RecommenderContract):
    def build(self) -> Recommender:
        return TextMean(random_text(), 0.5)


class TestEASE(RecommenderContract):
    def build(self) -> Recommender:
        return EASE(3.0)


class TestEASEWithTexts(RecommenderContract):
    def build(self) -> Recommender:
        return EASE(3.0, random_text()[NUM_USERS:], 2.0)


class TestEmbeddingModel(RecommenderContract):
    def build(self) -> Recommender:
        return EmbeddingModel(random_world(3, NUM_USERS, NUM_PRODUCTS).embeddings())


class TestAblationWithoutLinks(RecommenderContract):
    def build(self) -> Recommender:
        embeddings = random_world(3, NUM_USERS, NUM_PRODUCTS).embeddings()
        without: Any = no_links(NUM_PRODUCTS)  # Any: three fields of different types
        return EmbeddingModel(replace(embeddings, **without))


def test_links_add_to_the_dot_product() -> None:
    embeddings = random_world(3, NUM_USERS, NUM_PRODUCTS).embeddings()
    interactions = random_interactions()
    links = csr_array(
        (embeddings.link_weights, embeddings.link_products, embeddings.link_offsets),
        shape=(NUM_PRODUCTS, NUM_PRODUCTS),
    )
    expected = embeddings.user_vectors @ embeddings.product_vectors.T + embeddings.bias
    expected += interactions @ links.toarray()
    scores = EmbeddingModel(embeddings).fit(interactions).score(ALL).numpy()
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_popularity_counts_the_holders() -> None:
    interactions = csr_array(np.array([[1.0, 1, 0], [0, 1, 0]]))
    assert Popularity().fit(interactions).score(np.array([1, 0])).tolist() == [[1, 2, 0], [1, 2, 0]]


def test_ease_is_the_regression_of_each_product_on_the_others() -> None:
    rng = np.random.default_rng(5)
    interactions = (rng.random((40, 9)) < 0.4).astype(np.float32)
    scores = EASE(3.0).fit(csr_array(interactions)).score(np.arange(40)).numpy()
    for product in range(9):
        others = [other for other in range(9) if other != product]
        x, y = interactions[:, others].astype(float), interactions[:, product].astype(float)
        weights = np.linalg.solve(x.T @ x + 3.0 * np.eye(8), x.T @ y)
        popular = 1e-6 * interactions[:, product].sum()
        np.testing.assert_allclose(scores[:, product], x @ weights + popular, atol=1e-4)


@pytest.mark.parametrize("shape", [(40, 9), (9, 40)])
@pytest.mark.parametrize("text_weight", [0.0, 2.0])
def test_ease_is_the_same_by_users_and_by_products(
    shape: tuple[int, int], text_weight: float
) -> None:
    rng = np.random.default_rng(6)
    interactions = (rng.random(shape) < 0.3).astype(np.float32)
    text = rng.normal(size=(shape[1], 4)).astype(np.float32)
    gram = interactions.T @ interactions + text_weight * text @ text.T
    inverse = np.linalg.inv(gram + 3.0 * np.eye(shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    users = np.arange(shape[0])[::2]
    scores = (
        EASE(3.0, text if text_weight else None, text_weight)
        .fit(csr_array(interactions))
        .score(users)
        .numpy()
    )
    np.testing.assert_allclose(
        scores,
        interactions[users] @ weights + 1e-6 * interactions.sum(axis=0),
        rtol=1e-3,
        atol=1e-4,
    )


def test_ties_mean_is_the_share_of_ties_that_hold_a_product() -> None:
    interactions = csr_array(np.array([[1.0, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 0, 1]]))
    tied = csr_array(np.array([[0.0, 0, 1, 0], [0, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]]))
    scores = TiesMean(tied).fit(interactions).score(np.array([2, 3])).numpy()
    np.testing.assert_allclose(scores[0], [0.5, 1, 0, 0.5], atol=1e-5)
    # Without ties: scaled popularity.
    np.testing.assert_allclose(scores[1], 1e-6 * interactions.toarray().sum(axis=0))


def test_text_mean_compares_products_with_holdings_and_own_texts() -> None:
    interactions = csr_array(np.array([[1.0, 0, 0], [0, 0, 0]]))
    text = np.array([[0.0, 1], [0, 1], [1, 0], [0.6, 0.8], [0, 0]], np.float32)
    without = TextMean(text, 0.0).fit(interactions).score(np.array([0, 1])).numpy()
    np.testing.assert_allclose(without, [[1.0, 0.6, 0.0], [0.0, 0.0, 0.0]], atol=1e-5)
    own = TextMean(text, 1.0).fit(interactions).score(np.array([0, 1])).numpy()
    half = float(np.sqrt(0.5))
    np.testing.assert_allclose(own, [[half, 1.4 * half, 0.0], [0.0, 0.8, 0.0]], atol=1e-5)
