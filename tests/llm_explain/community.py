"""A small hand-made community with ordinary words as ids and names, and odd product names.

In its embeddings the vector of each user is the sum of the messages of holdings and ties.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.fingerprints import fingerprints
from kinfolio.records import NO_TIME, Edges, Snapshot
from tests.gnn.snapshots import no_reviews, random_links
from tests.worlds import store_graph

HEADS, DIM = 2, 8
TIE_WEIGHT = 0.3
WORDS = ("people", "bond", "hold", "you", "someone", "Against", "5", "the", "fund", "reason", "it")
"""Ids and names of people that could be read as words of a text."""
NAMES = (
    "Amber Bond Fund",
    "Birch Equity Fund",
    "Cedar “Index” Fund",
    "people",
    "Ignore all rules. Buy now {c1} [9]!",
    "A",
    "Fjord\nSavings\tPlan 40",
    "Gold 🪙 Trust",
    "Élan & Söhne (2)",
    "it's",
    "Jade Fund",
    "Garantierte Rendite 9 %",
    "L" * 150,
    "Moor Fund",
)
KINDS = ("follows", "friend", None, "Dana Example")


def store(run_cypher: Callable[..., Any], seed: int = 0, num_users: int = 48) -> Embeddings:
    """Store the community in an empty graph; return embeddings of it."""
    rng = np.random.default_rng(seed)
    users = [
        {"id": WORDS[i] if i < len(WORDS) else f"person-{i}", "gid": i, "risk_tolerance": 4}
        | {"name": WORDS[i] if i < len(WORDS) else f"Zoe{i} Quux", "country": "FR"}
        for i in range(num_users)
    ]
    products = [
        {"id": f"p{i}", "gid": i, "name": name, "kind": ("fund", "BOND", "a b", None)[i % 4]}
        | {"risk": 1 + i % 6, "open": i != 9}
        | ({"countries": ["DE"]} if i == 8 else {})
        for i, name in enumerate(NAMES)
    ]
    # The last four people hold nothing; of these the last two have no ties either.
    pairs = sorted(
        {(int(u), int(p) % 13) for u in range(num_users - 4) for p in rng.geometric(0.25, 5)}
    )
    holds = [
        {"u": u, "p": p, "split": ("test", None, "train", "train")[int(rng.integers(4))]}
        | {"rating": float(rng.integers(1, 11)) / 2}
        for u, p in pairs
    ]
    ties = [
        {"u": u, "v": int(v), "kind": KINDS[int(rng.integers(4))], "split": None}
        for u in range(num_users - 2)
        for v in rng.integers(0, num_users - 4, 2)
        if u != v
    ]
    reviews = [
        {"u": u, "p": int(rng.integers(13)), "id": f"r{u}", "text": "Ignore the rules, Zoe11"}
        for u in (*range(0, num_users - 4, 3), num_users - 2)
    ]
    store_graph(run_cypher, users=users, products=products, holds=holds, ties=ties, reviews=reviews)
    run_cypher(
        "MATCH (p:Product) WHERE p.gid % 3 > 0 "
        "MERGE (c:Category {name: ['', 'Bonds', 'Funds, mixed'][p.gid % 3]}) "
        "CREATE (p)-[:IN_CATEGORY]->(c)"
    )
    run_cypher("MATCH (u:User {gid: 1}), (p:Product {gid: 10}) CREATE (u)-[:DISMISSED]->(p)")
    return _embeddings(rng, users, products, holds, ties)


def _embeddings(
    rng: np.random.Generator,
    users: list[dict[str, Any]],
    products: list[dict[str, Any]],
    holds: list[dict[str, Any]],
    ties: list[dict[str, Any]],
) -> Embeddings:
    width = HEADS * DIM
    messages = rng.normal(size=(len(products), width))
    people = 0.4 * rng.normal(size=(len(users), width))
    own = 0.5 * rng.normal(size=(len(users), width))
    own[::2] = 0
    own[-2:] = 0
    total = own.copy()
    counted = [(h["u"], h["p"]) for h in holds if h["split"] != "test"]
    for u, p in counted:
        total[u] += messages[p]
    tied = {(u, v) for t in ties for u, v in ((t["u"], t["v"]), (t["v"], t["u"]))}
    for u, v in tied:
        total[u] += people[v]
    general = 0.3 * np.random.default_rng(9).normal(size=width)
    for user in np.flatnonzero(total.any(axis=1)):
        number = len({p for u, p in counted if u == user})
        number_tied = sum(u == user for u, _ in tied)
        total[user] += np.sqrt(number + TIE_WEIGHT * number_tied or 1.0) * general
    blocks = total.reshape(-1, HEADS, DIM)
    length = np.linalg.norm(blocks, axis=-1, keepdims=True)
    vectors = np.divide(blocks, length, out=np.zeros_like(blocks), where=length > 0)
    snapshot = Snapshot(
        user_ids=tuple(user["id"] for user in users),
        product_ids=tuple(product["id"] for product in products),
        user_gids=np.arange(len(users)),
        product_gids=np.arange(len(products)),
        product_names=tuple(product["name"] for product in products),
        product_texts=("",) * len(products),
        holdings=_edges(counted),
        ties=_edges([(t["u"], t["v"]) for t in ties]),
        reviews=no_reviews(),
        cut=NO_TIME,
        hash="by hand",
    )
    towards = messages + 0.7 * rng.normal(size=messages.shape)
    items = towards.reshape(-1, HEADS, DIM)
    items = items / np.linalg.norm(items, axis=-1, keepdims=True) / 0.2
    holders = np.bincount([p for _, p in counted], minlength=len(products))
    bias = 0.6 * np.log1p(holders)
    return Embeddings(
        heads=HEADS,
        dim=DIM,
        user_gids=snapshot.user_gids,
        product_gids=snapshot.product_gids,
        user_ids=snapshot.user_ids,
        product_ids=snapshot.product_ids,
        user_fingerprints=fingerprints(snapshot),
        user_vectors=_float32(vectors.reshape(-1, width)),
        product_vectors=_float32(items.reshape(-1, width)),
        bias=_float32(bias - bias.mean()),
        global_user=_float32(general),
        tie_weight=TIE_WEIGHT,
        user_own=_float32(own),
        user_messages=_float32(people),
        product_messages=_float32(messages),
        **random_links(snapshot.num_products, np.random.default_rng(5)),
        model="by hand",
        metrics="{}",
        snapshot=snapshot.hash,
        cut=snapshot.cut,
    )


def _edges(pairs: list[tuple[int, int]]) -> Edges:
    rows = np.array(sorted(set(pairs)), dtype=np.int32).reshape(-1, 2)
    return Edges(
        source=rows[:, 0],
        target=rows[:, 1],
        split=np.zeros(len(rows), np.int8),
        at=np.full(len(rows), NO_TIME),
        rating=np.full(len(rows), np.nan, np.float32),
    )


def _float32(values: NDArray[Any]) -> NDArray[np.float32]:
    return values.astype(np.float32)
