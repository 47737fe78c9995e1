"""Made-up folders of any size for `kinfolio load`, the same for the same seed.

Products are held as in life: a few by very many, most by few. Knows nothing of the graph.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

_FIRST, _SPAN = 1_600_000_000_000, 100_000_000_000
"""Milliseconds since 1970; times lie in the three years after."""
_WORDS = ("amber", "birch", "cedar", "dune", "elm", "fjord", "gold", "harbour", "ivory", "jade")


def make_folder(
    folder: Path,
    users: int,
    products: int,
    holdings: int,
    seed: int = 0,
    *,
    ties: int = 0,
    reviews: int = 0,
    format: Literal["tsv", "parquet"] = "tsv",
) -> Path:
    """The folder, with users, products, interactions and, where asked for, ties and reviews.

    Args:
        folder: where the files go.
        users: how many there are; a few hold many times more than most.
        products: how many there are, by popularity of Zipf's form.
        holdings: different pairs of user and product, in no order.
        seed: of everything.
        ties: different pairs of users.
        reviews: by holders of products.
        format: of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    user_ids = _ids("u", users)
    product_ids = _ids("p", products)
    pairs = _pairs(random, users, products, holdings)
    user, product = pairs // products, pairs % products
    tables = {
        "users": {
            "user": user_ids,
            "country": pa.array(np.array(["DE", "AT", "CH"])[random.integers(0, 3, users)]),
            "risk_tolerance": pa.array(random.integers(1, 6, users)),
        },
        "products": {
            "product": product_ids,
            "name": pa.array([f"{_WORDS[n % 10].title()} {n}" for n in range(products)]),
            "category": pa.array([f"category {n % 40}" for n in range(products)]),
            "risk": pa.array(random.integers(1, 6, products)),
            "open": pa.array(random.random(products) < 0.97).cast(pa.string()),
        },
        "interactions": {
            "user": user_ids.take(pa.array(user)),
            "product": product_ids.take(pa.array(product)),
            "rating": pa.array(random.integers(1, 6, len(pairs))),
            "timestamp": pa.array(_FIRST + random.integers(0, _SPAN, len(pairs))),
        },
    }
    if ties:
        tied = random.choice(users * users, ties + users, replace=False) if users < 3_000 else None
        if tied is None:
            tied = np.unique(random.integers(0, users * users, ties + users))
            random.shuffle(tied)
        tied = tied[tied // users != tied % users][:ties]
        tables["ties"] = {
            "source": user_ids.take(pa.array(tied // users)),
            "target": user_ids.take(pa.array(tied % users)),
            "kind": pa.array(np.array(["friend", "follows"])[random.integers(0, 2, len(tied))]),
        }
    if reviews:
        chosen = random.integers(0, len(pairs), reviews)
        words = np.array(_WORDS)[random.integers(0, 10, (reviews, 8))]
        tables["reviews"] = {
            "review": _ids("r", reviews),
            "user": user_ids.take(pa.array(user[chosen])),
            "product": product_ids.take(pa.array(product[chosen])),
            "timestamp": pa.array(_FIRST + random.integers(0, _SPAN, reviews)),
            "text": pa.array([" ".join(row) for row in words]),
        }
    for name, columns in tables.items():
        _write(pa.table(columns), folder / f"{name}.{format}")
    return folder


def damage(folder: Path, share: float = 0.01, seed: int = 0) -> int:
    """How many lines of `interactions.tsv` were damaged, in eight ways by turns."""
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
    """Different pairs as `user * products + product`, shuffled."""
    if holdings > users * products // 2:
        raise ValueError("at most half of all pairs can be held")
    popularity = 1.0 / np.arange(1, products + 1) ** 0.8
    rank = random.permutation(products)
    cumulated = np.cumsum(popularity / popularity.sum())
    found = np.arange(min(users, holdings), dtype=np.int64) * products
    found += random.integers(0, products, len(found))
    while len(found) < holdings:
        missing = int((holdings - len(found)) * 1.3) + 100
        # The square makes some users hold many times more than others.
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
