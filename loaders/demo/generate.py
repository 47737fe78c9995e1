"""Users, products, ties, holdings and reviews of the generated community.

Users belong to groups with a common taste. Ties, holdings and texts are drawn from it, and tied
users influence each other's holdings, so that graph and text have the same latent structure. All
holdings respect the user's risk tolerance and country.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinfolio.loaders.demo.vocabulary import Category, Topic, vocabulary

COUNTRIES = ("AT", "DE", "ES", "FR", "SE")
DAYS = 1_090

_NUM_GROUPS = 12
_SHARE_WITHOUT_HOLDINGS = 0.025
_SHARE_NEW = 0.05
_SHARE_WITHOUT_TIES = 0.03
_SHARE_REVIEW_ONLY = 0.08
_LATE_PRODUCTS = 4
_CLOSED_PRODUCTS = 5

Holding = tuple[float, int, int, float]
"""Day, user, product and affinity."""
Review = tuple[float, int, int, int, str]
"""Day, user, product, rating and text."""


@dataclass(frozen=True, slots=True)
class Product:
    """One generated product."""

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
class Users:
    """All generated users; row u of every array belongs to user u."""

    risk: NDArray[np.int64]
    country: NDArray[np.int64]
    taste: NDArray[np.float64]
    """Shape (num_users, num_topics)."""
    first_day: NDArray[np.int64]
    num_holdings: NDArray[np.int64]
    has_no_ties: NDArray[np.bool_]
    reviews_unheld: NDArray[np.bool_]
    """Whether the user reviews a product without holding it."""


def make_products(rng: np.random.Generator, count: int) -> list[Product]:
    """Draw products, evenly spread over the categories, each with a unique name."""
    words = vocabulary()
    num_categories = len(words.categories)
    products: list[Product] = []
    names: set[str] = set()
    for number in range(count):
        category = words.categories[number % num_categories]
        topic = category.topics[number // num_categories % 2]
        kind = category.kinds[number // (2 * num_categories) % len(category.kinds)]
        name = ""
        while not name or name in names:
            prefix = _pick(rng, words.prefixes)
            name = f"{prefix} {topic.name} {_pick(rng, words.kind_words[kind])}"
        names.add(name)
        text = _pick(rng, words.product_texts).format(
            name=name,
            kind=kind,
            about=_pick(rng, topic.about),
            cost=f"{rng.integers(2, 19) / 10:.1f}",
            horizon=_pick(rng, words.horizons),
            ending=_pick(rng, words.endings),
        )
        shift = int(rng.choice([-1, 0, 0, 1])) + (kind == "stock")
        size = int(rng.integers(1, 4))
        countries = tuple(sorted(rng.choice(COUNTRIES, size, replace=False).tolist()))
        products.append(
            Product(
                id=name.lower().replace(" ", "-"),
                name=name,
                kind=kind,
                category=category,
                topic=topic,
                text=text,
                risk=min(max(category.risk + shift, 1), 5),
                is_open=not 0 < number <= _CLOSED_PRODUCTS,
                countries=countries if rng.random() < 0.2 else (),
            )
        )
    return products


def make_users(rng: np.random.Generator, count: int) -> Users:
    """Draw users; small fractions have no holdings, are new, or have no ties."""
    num_topics = len(vocabulary().topics)
    groups = np.full((_NUM_GROUPS, num_topics), -1.0)
    for group in groups:
        group[rng.choice(num_topics, 4, replace=False)] = [1.6, 1.3, 1.0, 0.7]
        # The two topics of a category are correlated.
        group += 0.25 * group.reshape(-1, 2)[:, ::-1].ravel()
    taste = groups[rng.integers(_NUM_GROUPS, size=count)]
    taste = taste + 0.45 * rng.standard_normal((count, num_topics))
    first_day = (rng.beta(1.0, 1.6, count) * 0.8 * DAYS).astype(np.int64)
    num_holdings = np.clip(rng.poisson(8.0, count), 4, 14)
    shuffled = rng.permutation(count)
    none, new = int(_SHARE_WITHOUT_HOLDINGS * count), int(_SHARE_NEW * count)
    num_holdings[shuffled[:none]] = 0
    new_users = shuffled[none : none + new]
    first_day[new_users] = rng.integers(int(0.96 * DAYS), int(0.985 * DAYS), new)
    num_holdings[new_users] = rng.integers(2, 6, new)
    has_no_ties = rng.random(count) < _SHARE_WITHOUT_TIES
    has_no_ties[shuffled[:none]] = False
    has_no_ties[new_users[: new // 3]] = True
    reviews_unheld = rng.random(count) < _SHARE_REVIEW_ONLY
    reviews_unheld[new_users[::2]] = True
    return Users(
        risk=rng.choice(np.arange(1, 6), count, p=[0.04, 0.12, 0.28, 0.31, 0.25]),
        country=rng.choice(len(COUNTRIES), count, p=[0.15, 0.35, 0.15, 0.2, 0.15]),
        taste=taste,
        first_day=first_day,
        num_holdings=num_holdings,
        has_no_ties=has_no_ties,
        reviews_unheld=reviews_unheld,
    )


def make_ties(rng: np.random.Generator, users: Users) -> list[tuple[int, int]]:
    """Draw ties between users of similar taste; about a third are mutual."""
    taste = users.taste - users.taste.mean(axis=1, keepdims=True)
    taste /= np.linalg.norm(taste, axis=1, keepdims=True)
    similarity = 6.0 * taste @ taste.T
    similarity[users.country[:, None] == users.country] += 0.7
    np.fill_diagonal(similarity, -np.inf)
    similarity[:, users.has_no_ties] = -np.inf
    pairs: set[tuple[int, int]] = set()
    for user, row in enumerate(similarity):
        if users.has_no_ties[user]:
            continue
        weight = np.exp(row - row.max())
        count = int(rng.integers(2, 7))
        for friend in rng.choice(len(row), count, replace=False, p=weight / weight.sum()).tolist():
            pairs.add((user, friend))
            if rng.random() < 0.3:
                pairs.add((friend, user))
    return sorted(pairs)


def make_holdings(
    rng: np.random.Generator,
    users: Users,
    products: list[Product],
    ties: list[tuple[int, int]],
) -> list[Holding]:
    """Draw holdings day by day from taste, popularity and the holdings of tied users."""
    topics = vocabulary().topics
    topic_of = np.array([topics.index(product.topic.name) for product in products])
    popularity = 0.6 * rng.standard_normal(len(products))
    eligible = _eligible(users, products)
    friends: list[list[int]] = [[] for _ in users.risk]
    for user, friend in ties:
        friends[user].append(friend)
        friends[friend].append(user)
    opened = np.zeros(len(products))
    opened[-_LATE_PRODUCTS:] = 0.94 * DAYS
    closed = np.array([DAYS if product.is_open else 0.7 * DAYS for product in products])
    events = sorted(
        (float(day), user)
        for user, (first, count) in enumerate(zip(users.first_day, users.num_holdings, strict=True))
        for day in first + rng.random(count) ** 1.3 * (DAYS - first)
    )
    held = np.zeros((len(users.risk), len(products)), np.bool_)
    holdings: list[Holding] = []
    for day, user in events:
        available = eligible[user] & ~held[user] & (opened <= day) & (day <= closed)
        if not available.any():
            continue
        affinity = users.taste[user, topic_of]
        influence = np.log1p(held[friends[user]].sum(axis=0)) if friends[user] else 0.0
        noise = rng.gumbel(size=len(products))
        utility = 1.7 * affinity + popularity + 0.9 * influence + noise
        item = int(np.where(available, utility, -np.inf).argmax())
        held[user, item] = True
        holdings.append((day, user, item, float(affinity[item])))
    return holdings


def _eligible(users: Users, products: list[Product]) -> NDArray[np.bool_]:
    """Shape (num_users, num_products): risk tolerance and country allow the product."""
    risk = np.array([product.risk for product in products])
    eligible: NDArray[np.bool_] = risk[None, :] <= users.risk[:, None]
    for item, product in enumerate(products):
        if product.countries:
            countries = [COUNTRIES.index(country) for country in product.countries]
            eligible[:, item] &= np.isin(users.country, countries)
    return eligible


def make_reviews(
    rng: np.random.Generator, users: Users, products: list[Product], holdings: list[Holding]
) -> list[Review]:
    """Draw reviews of held products and of some others, sorted by day."""
    drafts = [
        (day + float(rng.exponential(25.0)), user, item, affinity)
        for day, user, item, affinity in holdings
        if rng.random() < 0.55
    ]
    topics = vocabulary().topics
    for user in np.flatnonzero(users.reviews_unheld).tolist():
        topic = topics[int(users.taste[user].argmax())]
        items = [item for item, product in enumerate(products) if product.topic.name == topic]
        if items:
            drafts.append((float(rng.random() * 0.8 * DAYS), user, int(rng.choice(items)), 1.0))
    reviews = []
    for day, user, item, affinity in sorted(drafts):
        if day < DAYS:
            rating = rating_of(affinity, 0.8 * rng.standard_normal())
            reviews.append((day, user, item, rating, _review_text(rng, products[item], rating)))
    return reviews


def rating_of(affinity: float, noise: float = 0.0) -> int:
    """Return the rating, from 1 to 5, for an affinity."""
    return int(np.clip(np.rint(3.6 + 0.6 * affinity + noise), 1, 5))


def _review_text(rng: np.random.Generator, product: Product, rating: int) -> str:
    words = vocabulary()
    mood = "good" if rating >= 4 else "fair" if rating == 3 else "poor"
    opening, closing = _pick(rng, words.openings[mood]), _pick(rng, words.closings[mood])
    order = rng.permutation(len(product.topic.reviews))
    first, second = (product.topic.reviews[number] for number in order[:2])
    if not (opening[-1] in ":;," or opening[-1].isalpha()):
        first = _capitalized(first)
    more = f" {_capitalized(second)}." if rng.random() < 0.35 else ""
    return f"{opening} {first}.{more} {closing}".strip()


def _capitalized(text: str) -> str:
    return text[0].upper() + text[1:]


def _pick(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]
