"""A small generated community of users and financial products, for the demo and the tests.

The same seed gives the same files.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from kinfolio.loaders.demo.generate import (
    COUNTRIES,
    DAYS,
    Holding,
    Product,
    Review,
    Users,
    make_holdings,
    make_products,
    make_reviews,
    make_ties,
    make_users,
    rating_of,
)
from kinfolio.run import whole_file

_START = datetime(2023, 1, 2, 8, tzinfo=UTC)
_TIE_KINDS = ("follows", "family", "colleague")
_CHANNELS = ("app", "branch", "adviser")
_SEGMENTS = ("starter", "saver", "family", "retired")


def write_community(
    folder: Path, seed: int = 7, num_users: int = 600, num_products: int = 120
) -> None:
    """Write the users, products, interactions, ties and reviews of a community to a folder."""
    rng = np.random.default_rng(seed)
    products = make_products(rng, num_products)
    users = make_users(rng, num_users)
    ties = make_ties(rng, users)
    holdings = make_holdings(rng, users, products, ties)
    reviews = make_reviews(rng, users, products, holdings)
    _write_users(folder / "users.csv", rng, users)
    _write_products(folder / "products.jsonl", products)
    _write_interactions(folder / "interactions.tsv", rng, products, holdings)
    _write_ties(folder / "ties.tsv", rng, ties)
    _write_reviews(folder / "reviews.csv", products, reviews)


def community_ids(folder: Path) -> tuple[list[str], list[str]]:
    """Return the ids of the users and of the products that `write_community` wrote."""
    with (folder / "users.csv").open(encoding="utf-8", newline="") as file:
        users = [row["user"] for row in csv.DictReader(file)]
    with (folder / "products.jsonl").open(encoding="utf-8") as file:
        products = [json.loads(line)["product"] for line in file]
    return users, products


def _user_id(index: int) -> str:
    return f"p{index + 1:03d}"


def _timestamp(day: float) -> str:
    moment = _START + timedelta(seconds=round(day * 86_400))
    return moment.isoformat().replace("+00:00", "Z")


def _write_users(path: Path, rng: np.random.Generator, users: Users) -> None:
    rows = [
        [_user_id(user), COUNTRIES[country], risk, _SEGMENTS[int(rng.integers(len(_SEGMENTS)))]]
        for user, (country, risk) in enumerate(zip(users.country, users.risk, strict=True))
    ]
    _write_table(path, ["user", "country", "risk_tolerance", "segment"], rows)


def _write_products(path: Path, products: list[Product]) -> None:
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as out:
        for product in products:
            row: dict[str, Any] = {  # Any: a row of JSON
                "product": product.id,
                "name": product.name,
                "kind": product.kind,
                "category": product.category.name,
                "sector": product.category.sector,
                "text": product.text,
                "risk": product.risk,
                "open": product.is_open,
            }
            if product.countries:
                row["countries"] = list(product.countries)
            out.write(json.dumps(row) + "\n")


def _write_interactions(
    path: Path, rng: np.random.Generator, products: list[Product], holdings: list[Holding]
) -> None:
    train, valid = int(0.8 * len(holdings)), int(0.9 * len(holdings))
    rows: list[list[object]] = []
    for number, (day, user, item, liking) in enumerate(holdings):
        rating = rating_of(liking) if rng.random() < 0.6 else ""
        split = "train" if number < train else "valid" if number < valid else "test"
        channel = _CHANNELS[int(rng.integers(len(_CHANNELS)))]
        rows.append([_user_id(user), products[item].id, rating, _timestamp(day), split, channel])
    _write_table(path, ["user", "product", "rating", "timestamp", "split", "channel"], rows)


def _write_ties(path: Path, rng: np.random.Generator, ties: list[tuple[int, int]]) -> None:
    rows = []
    for user, friend in ties:
        kind = rng.choice(_TIE_KINDS, p=[0.7, 0.1, 0.2])
        time = _timestamp(rng.random() * 0.85 * DAYS)
        rows.append([_user_id(user), _user_id(friend), kind, time])
    _write_table(path, ["source", "target", "kind", "timestamp"], rows)


def _write_reviews(path: Path, products: list[Product], reviews: list[Review]) -> None:
    rows = [
        [f"r{number + 1:04d}", _user_id(user), products[item].id, _timestamp(day), rating, text]
        for number, (day, user, item, rating, text) in enumerate(reviews)
    ]
    _write_table(path, ["review", "user", "product", "timestamp", "rating", "text"], rows)


def _write_table(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as out:
        if path.suffix == ".tsv":
            out.writelines("\t".join(map(str, row)) + "\n" for row in [header, *rows])
        else:
            csv.writer(out, lineterminator="\n").writerows([header, *rows])
