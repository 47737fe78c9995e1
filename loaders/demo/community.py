"""A small made-up community of people and financial products, for the demo and the tests.

People belong to circles of shared taste. Whom they follow, what they hold and what they write all
come from that taste, and what the people they follow hold pulls them too. So holdings, ties and
words carry the same hidden structure, and a model can learn it. Nobody holds a product above their
risk tolerance or one that is not sold in their country. The same seed gives the same files.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.loaders.demo.community_words import (
    CATEGORIES,
    CLOSINGS,
    ENDINGS,
    HORIZONS,
    KIND_WORDS,
    OPENINGS,
    PREFIXES,
    PRODUCT_TEXTS,
    Category,
    Topic,
)
from kinfolio.run import whole_file

COUNTRIES = ("AT", "DE", "ES", "FR", "SE")
TIE_KINDS = ("follows", "family", "colleague")
CHANNELS = ("app", "branch", "adviser")
START = datetime(2023, 1, 2, 8, tzinfo=UTC)
DAYS = 1_090

_NUM_CIRCLES = 12
_NO_HOLDINGS = 0.025
_NEWCOMERS = 0.05
_ALONE = 0.03
_LOOKING = 0.08
_LATE_PRODUCTS = 4
_CLOSED_PRODUCTS = 5


@dataclass(frozen=True, slots=True)
class _Product:
    id: str
    name: str
    kind: str
    category: Category
    topic: Topic
    text: str
    risk: int
    is_open: bool
    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _People:
    risk: NDArray[np.int64]
    country: NDArray[np.int64]
    taste: NDArray[np.float64]
    """Shape (num_users, num_topics)."""
    first_day: NDArray[np.int64]
    holdings: NDArray[np.int64]
    """How many products each will hold."""
    is_alone: NDArray[np.bool_]
    """Who has no ties."""
    is_looking: NDArray[np.bool_]
    """Who writes about a product without holding it."""


def write_community(
    folder: Path, seed: int = 7, num_users: int = 600, num_products: int = 120
) -> None:
    """Write the users, products, interactions, ties and reviews of a community to a folder."""
    rng = np.random.default_rng(seed)
    products = _make_products(rng, num_products)
    people = _make_people(rng, num_users)
    ties = _make_ties(rng, people)
    holdings = _make_holdings(rng, people, products, ties)
    reviews = _make_reviews(rng, people, products, holdings)
    folder.mkdir(parents=True, exist_ok=True)
    _write_users(folder / "users.csv", rng, people)
    _write_products(folder / "products.jsonl", products)
    _write_interactions(folder / "interactions.tsv", rng, products, holdings)
    _write_ties(folder / "ties.tsv", rng, ties)
    _write_reviews(folder / "reviews.csv", products, reviews)


def _make_products(rng: np.random.Generator, count: int) -> list[_Product]:
    products: list[_Product] = []
    names: set[str] = set()
    for number in range(count):
        category = CATEGORIES[number % len(CATEGORIES)]
        topic = category.topics[number // len(CATEGORIES) % 2]
        kind = category.kinds[number // (2 * len(CATEGORIES)) % len(category.kinds)]
        name = ""
        while not name or name in names:
            name = f"{_pick(rng, PREFIXES)} {topic.name} {_pick(rng, KIND_WORDS[kind])}"
        names.add(name)
        text = _pick(rng, PRODUCT_TEXTS).format(
            name=name,
            kind=kind,
            about=_pick(rng, topic.about),
            cost=f"{rng.integers(2, 19) / 10:.1f}",
            horizon=_pick(rng, HORIZONS),
            ending=_pick(rng, ENDINGS),
        )
        shift = int(rng.choice([-1, 0, 0, 1])) + (kind == "stock")
        size = int(rng.integers(1, 4))
        sold_in = tuple(sorted(rng.choice(COUNTRIES, size, replace=False).tolist()))
        products.append(
            _Product(
                id=name.lower().replace(" ", "-"),
                name=name,
                kind=kind,
                category=category,
                topic=topic,
                text=text,
                risk=min(max(category.risk + shift, 1), 5),
                is_open=not 0 < number <= _CLOSED_PRODUCTS,
                countries=sold_in if rng.random() < 0.2 else (),
            )
        )
    return products


def _make_people(rng: np.random.Generator, count: int) -> _People:
    num_topics = 2 * len(CATEGORIES)
    circles = np.full((_NUM_CIRCLES, num_topics), -1.0)
    for circle in circles:
        circle[rng.choice(num_topics, 4, replace=False)] = [1.6, 1.3, 1.0, 0.7]
        # Who likes one topic of a shelf is not far from the other.
        circle += 0.25 * circle.reshape(-1, 2)[:, ::-1].ravel()
    taste = circles[rng.integers(_NUM_CIRCLES, size=count)]
    taste = taste + 0.45 * rng.standard_normal((count, num_topics))
    first_day = (rng.beta(1.0, 1.6, count) * 0.8 * DAYS).astype(np.int64)
    holdings = np.clip(rng.poisson(8.0, count), 4, 14)
    odd = rng.permutation(count)
    none, new = int(_NO_HOLDINGS * count), int(_NEWCOMERS * count)
    holdings[odd[:none]] = 0
    newcomers = odd[none : none + new]
    first_day[newcomers] = rng.integers(int(0.96 * DAYS), int(0.985 * DAYS), new)
    holdings[newcomers] = rng.integers(2, 6, new)
    is_alone = rng.random(count) < _ALONE
    is_alone[odd[:none]] = False
    is_alone[newcomers[: new // 3]] = True
    is_looking = rng.random(count) < _LOOKING
    is_looking[newcomers[::2]] = True
    return _People(
        risk=rng.choice(np.arange(1, 6), count, p=[0.04, 0.12, 0.28, 0.31, 0.25]),
        country=rng.choice(len(COUNTRIES), count, p=[0.15, 0.35, 0.15, 0.2, 0.15]),
        taste=taste,
        first_day=first_day,
        holdings=holdings,
        is_alone=is_alone,
        is_looking=is_looking,
    )


def _make_ties(rng: np.random.Generator, people: _People) -> list[tuple[int, int]]:
    """Ties between people of like taste, some of them returned."""
    taste = people.taste - people.taste.mean(axis=1, keepdims=True)
    taste /= np.linalg.norm(taste, axis=1, keepdims=True)
    likeness = 6.0 * taste @ taste.T
    likeness[people.country[:, None] == people.country] += 0.7
    np.fill_diagonal(likeness, -np.inf)
    likeness[:, people.is_alone] = -np.inf
    pairs: set[tuple[int, int]] = set()
    for user, row in enumerate(likeness):
        if people.is_alone[user]:
            continue
        chance = np.exp(row - row.max())
        count = int(rng.integers(2, 7))
        for friend in rng.choice(len(row), count, replace=False, p=chance / chance.sum()).tolist():
            pairs.add((user, friend))
            if rng.random() < 0.3:
                pairs.add((friend, user))
    return sorted(pairs)


def _make_holdings(
    rng: np.random.Generator,
    people: _People,
    products: list[_Product],
    ties: list[tuple[int, int]],
) -> list[tuple[float, int, int, float]]:
    """Day, person, product and liking of each holding, in the order of time."""
    topics = [topic.name for category in CATEGORIES for topic in category.topics]
    topic_of = np.array([topics.index(product.topic.name) for product in products])
    fame = 0.6 * rng.standard_normal(len(products))
    risk = np.array([product.risk for product in products])
    allowed = risk[None, :] <= people.risk[:, None]
    for item, product in enumerate(products):
        if product.countries:
            sold_in = [COUNTRIES.index(country) for country in product.countries]
            allowed[:, item] &= np.isin(people.country, sold_in)
    friends: list[list[int]] = [[] for _ in people.risk]
    for user, friend in ties:
        friends[user].append(friend)
        friends[friend].append(user)
    opened = np.zeros(len(products))
    opened[-_LATE_PRODUCTS:] = 0.94 * DAYS
    closed = np.array([DAYS if product.is_open else 0.7 * DAYS for product in products])
    events = sorted(
        (float(day), user)
        for user, (first, count) in enumerate(zip(people.first_day, people.holdings, strict=True))
        for day in first + rng.random(count) ** 1.3 * (DAYS - first)
    )
    held = np.zeros((len(people.risk), len(products)), np.bool_)
    found: list[tuple[float, int, int, float]] = []
    for day, user in events:
        may = allowed[user] & ~held[user] & (opened <= day) & (day <= closed)
        if not may.any():
            continue
        liking = people.taste[user, topic_of]
        pull = np.log1p(held[friends[user]].sum(axis=0)) if friends[user] else 0.0
        wish = 1.7 * liking + fame + 0.9 * pull + rng.gumbel(size=len(products))
        item = int(np.where(may, wish, -np.inf).argmax())
        held[user, item] = True
        found.append((day, user, item, float(liking[item])))
    return found


def _make_reviews(
    rng: np.random.Generator,
    people: _People,
    products: list[_Product],
    holdings: list[tuple[float, int, int, float]],
) -> list[tuple[float, int, int, int, str]]:
    """Day, person, product, rating and text of each review, in the order of time."""
    told = [
        (day + float(rng.exponential(25.0)), user, item, liking)
        for day, user, item, liking in holdings
        if rng.random() < 0.55
    ]
    topics = [topic.name for category in CATEGORIES for topic in category.topics]
    for user in np.flatnonzero(people.is_looking).tolist():
        wanted = topics[int(people.taste[user].argmax())]
        near = [item for item, product in enumerate(products) if product.topic.name == wanted]
        if near:
            told.append((float(rng.random() * 0.8 * DAYS), user, int(rng.choice(near)), 1.0))
    reviews = []
    for day, user, item, liking in sorted(told):
        if day >= DAYS:
            continue
        rating = int(np.clip(np.rint(3.6 + 0.6 * liking + 0.8 * rng.standard_normal()), 1, 5))
        reviews.append((day, user, item, rating, _review_text(rng, products[item], rating)))
    return reviews


def _review_text(rng: np.random.Generator, product: _Product, rating: int) -> str:
    mood = "good" if rating >= 4 else "fair" if rating == 3 else "poor"
    opening, closing = _pick(rng, OPENINGS[mood]), _pick(rng, CLOSINGS[mood])
    said = [product.topic.said[number] for number in rng.permutation(len(product.topic.said))]
    first = said[0] if opening[-1] in ":;," or opening[-1].isalpha() else _sentence(said[0])
    second = f" {_sentence(said[1])}." if rng.random() < 0.35 else ""
    return f"{opening} {first}.{second} {closing}".strip()


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _pick(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]


def _person(number: int) -> str:
    return f"p{number + 1:03d}"


def _time(day: float) -> str:
    moment = START + timedelta(seconds=round(day * 86_400))
    return moment.isoformat().replace("+00:00", "Z")


def _write_users(path: Path, rng: np.random.Generator, people: _People) -> None:
    segments = ("starter", "saver", "family", "retired")
    rows = [
        [_person(user), COUNTRIES[country], risk, segments[int(rng.integers(len(segments)))]]
        for user, (country, risk) in enumerate(zip(people.country, people.risk, strict=True))
    ]
    _write_table(path, ["user", "country", "risk_tolerance", "segment"], rows)


def _write_products(path: Path, products: list[_Product]) -> None:
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
    path: Path,
    rng: np.random.Generator,
    products: list[_Product],
    holdings: list[tuple[float, int, int, float]],
) -> None:
    train, valid = int(0.8 * len(holdings)), int(0.9 * len(holdings))
    rows: list[list[object]] = []
    for number, (day, user, item, liking) in enumerate(holdings):
        rating = int(np.clip(np.rint(3.6 + 0.6 * liking), 1, 5)) if rng.random() < 0.6 else ""
        split = "train" if number < train else "valid" if number < valid else "test"
        channel = CHANNELS[int(rng.integers(len(CHANNELS)))]
        rows.append([_person(user), products[item].id, rating, _time(day), split, channel])
    _write_table(path, ["user", "product", "rating", "timestamp", "split", "channel"], rows)


def _write_ties(path: Path, rng: np.random.Generator, ties: list[tuple[int, int]]) -> None:
    rows = [
        [_person(user), _person(friend), rng.choice(TIE_KINDS, p=[0.7, 0.1, 0.2]),
         _time(rng.random() * 0.85 * DAYS)]
        for user, friend in ties
    ]  # fmt: skip
    _write_table(path, ["source", "target", "kind", "timestamp"], rows)


def _write_reviews(
    path: Path, products: list[_Product], reviews: list[tuple[float, int, int, int, str]]
) -> None:
    rows = [
        [f"r{number + 1:04d}", _person(user), products[item].id, _time(day), rating, text]
        for number, (day, user, item, rating, text) in enumerate(reviews)
    ]
    _write_table(path, ["review", "user", "product", "timestamp", "rating", "text"], rows)


def _write_table(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as out:
        if path.suffix == ".tsv":
            out.writelines("\t".join(map(str, row)) + "\n" for row in [header, *rows])
        else:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerows([header, *rows])


def community_ids(folder: Path) -> tuple[list[str], list[str]]:
    """Ids of the people and of the products in the files that `write_community` wrote."""
    with (folder / "users.csv").open(encoding="utf-8", newline="") as file:
        users = [row["user"] for row in csv.DictReader(file)]
    with (folder / "products.jsonl").open(encoding="utf-8") as file:
        products = [json.loads(line)["product"] for line in file]
    return users, products
