"""Generated input folders of any size, and random embeddings; the same seed gives the same data.

The popularity of products follows a power law.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.fingerprints import fingerprints
from kinfolio.gnn.model_file import save_embeddings
from kinfolio.run import Run, write_json
from kinfolio.snapshot import read_snapshot
from kinfolio.storage.run_info import RunInfo

_FIRST, _SPAN = 1_600_000_000_000, 100_000_000_000
"""Milliseconds since 1970: start and length of the period of all times."""
TAU = 0.15
_WORDS = ("amber", "birch", "cedar", "dune", "elm", "fjord", "gold", "harbour", "ivory", "jade")


@dataclass(frozen=True, slots=True)
class Size:
    """Number of rows of each table."""

    users: int
    products: int
    holdings: int
    """Distinct pairs of user and product."""
    ties: int = 0
    reviews: int = 0


def make_folder(
    folder: Path, size: Size, seed: int = 0, *, format: Literal["tsv", "parquet"] = "tsv"
) -> Path:
    """Write users, products, interactions and, if their number is not 0, ties and reviews."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    user_ids, product_ids = _ids("u", size.users), _ids("p", size.products)
    pairs = _pairs(random, size.users, size.products, size.holdings)
    held = {
        "user": user_ids.take(pa.array(pairs // size.products)),
        "product": product_ids.take(pa.array(pairs % size.products)),
    }
    tables = {
        "users": _users(random, user_ids),
        "products": _products(random, product_ids),
        "interactions": {
            **held,
            "rating": pa.array(random.integers(1, 6, len(pairs))),
            "timestamp": pa.array(_FIRST + random.integers(0, _SPAN, len(pairs))),
        },
    }
    if size.ties:
        tables["ties"] = _ties(random, user_ids, size.ties)
    if size.reviews:
        tables["reviews"] = _reviews(random, held, size.reviews)
    for name, columns in tables.items():
        _write(pa.table(columns), folder / f"{name}.{format}")
    return folder


def _users(random: np.random.Generator, ids: Any) -> dict[str, Any]:
    return {
        "user": ids,
        "country": pa.array(np.array(["DE", "AT", "CH"])[random.integers(0, 3, len(ids))]),
        "risk_tolerance": pa.array(random.integers(1, 6, len(ids))),
    }


def _products(random: np.random.Generator, ids: Any) -> dict[str, Any]:
    return {
        "product": ids,
        "name": pa.array([f"{_WORDS[n % 10].title()} {n}" for n in range(len(ids))]),
        "category": pa.array([f"category {n % 40}" for n in range(len(ids))]),
        "risk": pa.array(random.integers(1, 6, len(ids))),
        "open": pa.array(random.random(len(ids)) < 0.97).cast(pa.string()),
    }


def _ties(random: np.random.Generator, ids: Any, count: int) -> dict[str, Any]:
    users = len(ids)
    if users < 3_000:
        tied = random.choice(users * users, count + users, replace=False)
    else:
        tied = np.unique(random.integers(0, users * users, count + users))
        random.shuffle(tied)
    tied = tied[tied // users != tied % users][:count]
    return {
        "source": ids.take(pa.array(tied // users)),
        "target": ids.take(pa.array(tied % users)),
        "kind": pa.array(np.array(["friend", "follows"])[random.integers(0, 2, len(tied))]),
    }


def _reviews(random: np.random.Generator, held: dict[str, Any], count: int) -> dict[str, Any]:
    chosen = pa.array(random.integers(0, len(held["user"]), count))
    words = np.array(_WORDS)[random.integers(0, 10, (count, 8))]
    return {
        "review": _ids("r", count),
        "user": held["user"].take(chosen),
        "product": held["product"].take(chosen),
        "timestamp": pa.array(_FIRST + random.integers(0, _SPAN, count)),
        "text": pa.array([" ".join(row) for row in words]),
    }


def store_embeddings(run: Run, width: int, seed: int = 0) -> Embeddings:
    """Store random vectors in a run as its model, clustered as trained vectors are."""
    snapshot = read_snapshot(run.need_snapshot())
    rng = np.random.default_rng(seed)
    tastes = rng.normal(size=(50, width)).astype(np.float32)

    def draw(rows: int) -> NDArray[np.float32]:
        vectors = tastes[rng.integers(0, len(tastes), rows)]
        vectors = vectors + 0.7 * rng.normal(size=(rows, width)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors, np.float32)

    holders = np.bincount(snapshot.holdings.target, minlength=snapshot.num_products)
    bias = 0.3 * np.log1p(holders)
    embeddings = Embeddings(
        heads=1,
        dim=width,
        user_gids=snapshot.user_gids,
        product_gids=snapshot.product_gids,
        user_ids=snapshot.user_ids,
        product_ids=snapshot.product_ids,
        user_fingerprints=fingerprints(snapshot),
        user_vectors=draw(snapshot.num_users),
        product_vectors=(draw(snapshot.num_products) / TAU).astype(np.float32),
        bias=(bias - bias.mean()).astype(np.float32),
        global_user=np.zeros(width, np.float32),
        tie_weight=0.3,
        user_own=np.zeros((snapshot.num_users, width), np.float32),
        user_messages=draw(snapshot.num_users),
        product_messages=draw(snapshot.num_products),
        link_offsets=np.zeros(snapshot.num_products + 1, np.int64),
        link_products=np.zeros(0, np.int32),
        link_weights=np.zeros(0, np.float32),
        model="random",
        metrics="{}",
        snapshot=snapshot.hash,
    )
    save_embeddings(embeddings, run.model)
    write_json(run.info, dict(_run_info(embeddings)))
    return embeddings


def _run_info(embeddings: Embeddings) -> RunInfo:
    return {
        "config": {"text": "off", "reviews": 8},
        "tau": TAU,
        "choice": {
            "text": False,
            "dim": embeddings.dim,
            "heads": 1,
            "cold": 0.0,
            "steps": 0,
            "final_steps": 0,
            "edge_dropout": 0.0,
        },
        "blend": {
            "text": {"seen": 0.0, "unseen": 0.0},
            "recipe": None,
            "strength": 0.0,
            "reviewers": 0.0,
            "delta": 0.0,
            "offset": 0.0,
        },
        "budget": {"cpu_seconds": 0.0, "spent": 0.0},
        "history": [],
        "epochs": 0.0,
        "seconds": 0.0,
        "data": {"snapshot": embeddings.snapshot, "training_interactions": 0},
        "metrics": {"valid": {"recall@20": 0.0, "ndcg@20": 0.0}},
        "versions": {"kinfolio": version("kinfolio")},
    }


def damage(folder: Path, share: float = 0.01, seed: int = 0) -> int:
    """Make lines of `interactions.tsv` invalid in eight alternating ways; return their number."""
    path = folder / "interactions.tsv"
    head, *lines = path.read_bytes().splitlines()
    random = np.random.default_rng(seed)
    chosen = random.choice(len(lines), int(len(lines) * share), replace=False)
    for way, number in enumerate(chosen.tolist()):
        user, product, rating, time = lines[number].split(b"\t")
        lines[number] = b"\t".join(
            (
                (b"", product, rating, time),
                (user, b" ", rating, time),
                (user, product, b"many", time),
                (user, product, rating, b"2024-02-30"),
                (user, product, rating),
                (user, product, rating, time, time),
                (user + b"\xff", product, rating, time),
                (user * 200, product, rating, time),
            )[way % 8]
        )
    path.write_bytes(b"\n".join([head, *lines, b""]))
    return len(chosen)


def _ids(letter: str, count: int) -> Any:
    return pa.array([f"{letter}{number:07}" for number in range(count)])


def _pairs(
    random: np.random.Generator, users: int, products: int, holdings: int
) -> NDArray[np.int64]:
    """Return distinct pairs as `user * products + product`, shuffled."""
    if holdings > users * products // 2:
        raise ValueError("at most half of all pairs can be held")
    popularity = 1.0 / np.arange(1, products + 1) ** 0.8
    rank = random.permutation(products)
    cumulated = np.cumsum(popularity / popularity.sum())
    found = np.arange(min(users, holdings), dtype=np.int64) * products
    found += random.integers(0, products, len(found))
    while len(found) < holdings:
        missing = int((holdings - len(found)) * 1.3) + 100
        # The square gives some users many times more holdings than others.
        user = (random.random(missing) ** 2 * users).astype(np.int64)
        place = np.searchsorted(cumulated, random.random(missing)).clip(max=products - 1)
        found = np.unique(np.concatenate([found, user * products + rank[place]]))
    random.shuffle(found)
    return found[:holdings]


def _write(table: Any, path: Path) -> None:
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return
    options = pyarrow.csv.WriteOptions(delimiter="\t", quoting_style="none", include_header=False)
    with path.open("wb") as out:
        out.write(("\t".join(table.column_names) + "\n").encode())
        pyarrow.csv.write_csv(table, out, options)
