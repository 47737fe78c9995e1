"""The generated community: reproducible, consistent with its rules, and learnable."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kinfolio.loaders import write_community

Matrix = NDArray[np.float64]


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows, delimiter="\t" if name.endswith("tsv") else ","))


def products(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "products.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def parts(community: Path) -> dict[str, Matrix]:
    """Return the holdings of each split: shape (600, 120)."""
    users = {row["user"]: number for number, row in enumerate(table(community, "users.csv"))}
    items = {row["product"]: number for number, row in enumerate(products(community))}
    found = {split: np.zeros((len(users), len(items))) for split in ("train", "valid", "test")}
    for row in table(community, "interactions.tsv"):
        found[row["split"]][users[row["user"]], items[row["product"]]] = 1.0
    return found


def ndcg(scores: Matrix, train: Matrix, test: Matrix, users: NDArray[np.bool_]) -> float:
    """Return the mean NDCG@20 of some users, without training products."""
    rank = np.argsort(-np.where(train > 0, -np.inf, scores), axis=1, kind="stable")[:, :20]
    gain = np.take_along_axis(test, rank, axis=1) / np.log2(np.arange(20) + 2)
    best = np.cumsum(1 / np.log2(np.arange(20) + 2))[np.minimum(test.sum(1), 20).astype(int) - 1]
    chosen = users & (test.sum(1) > 0)
    return float((gain.sum(1)[chosen] / best[chosen]).mean())


def test_the_same_seed_gives_the_same_files(tmp_path: Path, community: Path) -> None:
    write_community(tmp_path / "again")
    write_community(tmp_path / "other", seed=8)
    for path in sorted(community.iterdir()):
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()
        assert (tmp_path / "other" / path.name).read_bytes() != path.read_bytes()


def test_it_has_the_documented_size(community: Path, parts: dict[str, Matrix]) -> None:
    assert len(table(community, "users.csv")) == 600
    assert len(products(community)) == 120
    held = sum(parts.values())
    assert isinstance(held, np.ndarray)
    assert 6 <= held.sum() / (held.sum(1) > 0).sum() <= 10
    shares = [parts[split].sum() / held.sum() for split in ("train", "valid", "test")]
    assert np.allclose(shares, [0.8, 0.1, 0.1], atol=0.01)
    times = [row["timestamp"] for row in table(community, "interactions.tsv")]
    assert times == sorted(times)
    assert "2023-01-01" <= times[0] < times[-1] < "2026"
    kinds = {row["kind"] for row in products(community)}
    assert kinds >= {"fund", "bond", "savings", "insurance", "stock"}
    assert {row["risk"] for row in products(community)} == {1, 2, 3, 4, 5}
    assert 0 < sum(not row["open"] for row in products(community)) < 10
    assert len({row["name"] for row in products(community)}) == 120


def test_some_users_are_new_and_some_have_ties_only(
    community: Path, parts: dict[str, Matrix]
) -> None:
    only_in_test = (parts["train"] + parts["valid"]).sum(1) == 0
    assert (only_in_test & (parts["test"].sum(1) > 0)).sum() >= 10
    held = {row["user"] for row in table(community, "interactions.tsv")}
    ties = table(community, "ties.tsv")
    tied = {row["source"] for row in ties} | {row["target"] for row in ties}
    everyone = {row["user"] for row in table(community, "users.csv")}
    assert len(tied - held) >= 5
    assert len(everyone - tied) >= 5
    assert tied <= everyone


def test_holdings_respect_risk_and_country(community: Path) -> None:
    users = {row["user"]: row for row in table(community, "users.csv")}
    items = {row["product"]: row for row in products(community)}
    for row in table(community, "interactions.tsv"):
        user, item = users[row["user"]], items[row["product"]]
        assert item["risk"] <= int(user["risk_tolerance"])
        assert user["country"] in item.get("countries", [user["country"]])


def test_no_two_ties_or_holdings_are_the_same(community: Path) -> None:
    ties = Counter((row["source"], row["target"]) for row in table(community, "ties.tsv"))
    held = Counter((row["user"], row["product"]) for row in table(community, "interactions.tsv"))
    assert max(ties.values()) == max(held.values()) == 1
    assert all(source != target for source, target in ties)


def test_co_holdings_predict_better_than_popularity(parts: dict[str, Matrix]) -> None:
    train, test = parts["train"], parts["test"]
    gram = train.T @ train + 100.0 * np.eye(train.shape[1])
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    warm = train.sum(1) > 0
    popular = ndcg(np.tile(train.sum(0), (len(train), 1)), train, test, warm)
    assert ndcg(train @ weights, train, test, warm) > 1.4 * popular


def test_ties_predict_the_first_holdings_of_new_users(
    community: Path, parts: dict[str, Matrix]
) -> None:
    users = {row["user"]: number for number, row in enumerate(table(community, "users.csv"))}
    tied = np.zeros((len(users), len(users)))
    for row in table(community, "ties.tsv"):
        source, target = users[row["source"]], users[row["target"]]
        tied[source, target] = tied[target, source] = 1.0
    train, test = parts["train"], parts["test"]
    new = (train.sum(1) == 0) & (tied.sum(1) > 0)
    popular = np.tile(train.sum(0), (len(train), 1))
    by_ties = ndcg(tied @ train + 1e-4 * popular, train, test, new)
    assert by_ties > 1.2 * ndcg(popular, train, test, new)


def test_reviews_reveal_the_category_of_their_product(community: Path) -> None:
    category = {row["product"]: row["category"] for row in products(community)}
    reviews = table(community, "reviews.csv")
    assert len({row["text"] for row in reviews}) > 0.7 * len(reviews)
    words = [
        set(row["text"].lower().replace(".", " ").replace(",", " ").split()) for row in reviews
    ]
    half = len(reviews) // 2
    seen: dict[str, Counter[str]] = {}
    for row, found in zip(reviews[:half], words[:half], strict=True):
        seen.setdefault(category[row["product"]], Counter()).update(found)
    total = sum(seen.values(), Counter[str]())
    guesses = [
        max(seen, key=lambda name: sum(seen[name][word] / (total[word] + 1) for word in found))
        for found in words[half:]
    ]
    right = [
        guess == category[row["product"]]
        for guess, row in zip(guesses, reviews[half:], strict=True)
    ]
    assert np.mean(right) > 0.8
