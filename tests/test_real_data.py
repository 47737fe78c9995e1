"""Real files through load and export: counts agree, and training uses no data after the cut.

Uses `../shared/data`, whose licences forbid a copy here; skipped without it.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.loaders import export, load
from kinfolio.records import NO_TIME

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "stocknet"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason="REAL DATA NOT TESTED: ../shared/data/stocknet is absent"
    ),
]


def rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(FOLDER / f"{name}.tsv.gz", "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def test_stocknet_has_the_same_counts_and_cut_through_load_and_export(
    graph: Graph, tmp_path: Path
) -> None:
    report = load(graph, FOLDER)
    assert report.rejected == ()
    users = {row["user"] for name in ("interactions", "reviews") for row in rows(name)}
    listed = {row["product"] for name in ("products", "interactions") for row in rows(name)}
    assert (report.users, report.products) == (len(users), len(listed))
    for name, count in (
        ("interactions", report.interactions),
        ("ties", report.ties),
        ("reviews", report.reviews),
    ):
        assert count == sum(1 for _ in rows(name)), name

    snapshot = export(graph, tmp_path / "snapshot")
    held = snapshot.holdings.split == 0
    in_train = {
        (row["user"], row["product"]) for row in rows("interactions") if row["split"] == "train"
    }
    exported = {
        (snapshot.user_ids[user], snapshot.product_ids[product])
        for user, product in zip(
            snapshot.holdings.source[held], snapshot.holdings.target[held], strict=True
        )
    }
    assert exported == in_train
    assert snapshot.cut == snapshot.holdings.at[held].max() != NO_TIME
    reviews = snapshot.reviews
    used = reviews.describes_user | reviews.describes_product
    assert used.sum() == sum(row["split"] == "train" for row in rows("reviews"))
    assert reviews.at[used].max() <= snapshot.cut
    tied = snapshot.ties.split == 0
    assert tied.sum() == sum(row["split"] == "train" for row in rows("ties"))
    assert np.all(snapshot.ties.at[tied] <= snapshot.cut)
