"""Checks of a folder, without a database."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kinfolio.errors import BadInput
from kinfolio.loaders.files.source import MORE
from kinfolio.loaders.reading.staged import Staged
from kinfolio.loaders.reading.staging import stage


def staged(folder: Path, files: dict[str, str], stored_users: tuple[str, ...] = ()) -> Staged:
    """Stage a folder of files; `stored_users` are in the graph."""
    source, scratch = folder / "in", folder / "scratch"
    source.mkdir()
    scratch.mkdir()
    for name, text in files.items():
        (source / name).write_text(text, "utf-8")
    return stage(
        source,
        scratch,
        known_users=lambda ids: [id for id in ids if id in stored_users],
        progress=lambda step, done, total: None,
    )


def rows(found: Staged, table: str) -> list[dict[str, Any]]:
    """Return the valid rows of a table; ends are positions among the sorted ids."""
    return [row for batch in found.tables[table].batches() for row in batch.to_pylist()]


def reasons(found: Staged) -> list[tuple[str, int, str]]:
    return [(row.file, row.line, row.reason) for row in found.rejects.all()]


def test_users_and_products_of_all_tables_are_sorted_by_their_ids(tmp_path: Path) -> None:
    found = staged(
        tmp_path,
        {
            "users.tsv": "user\nu3\nu1\n",
            "products.tsv": "product\nC\n",
            "interactions.tsv": "user\tproduct\nu2\tB\nu1\tC\n",
            "reviews.tsv": "review\tuser\tproduct\nr1\tu9\tA\n",
        },
    )
    assert found.users.to_pylist() == ["u1", "u2", "u3", "u9"]
    assert found.products.to_pylist() == ["A", "B", "C"]
    assert [(row["user"], row["product"]) for row in rows(found, "interactions")] == [
        (1, 1),
        (0, 2),
    ]


def test_one_row_of_each_key_is_retained_by_content(tmp_path: Path) -> None:
    found = staged(
        tmp_path,
        {
            "interactions.tsv": "user\tproduct\trating\ttimestamp\n"
            "u1\tA\t3\t2024-01-01\nu1\tA\t3\t2024-01-01\nu1\tA\t1\t2024-01-02\n"
            "u2\tA\t1\t\nu1\tB\t3\t\n",
            "users.csv": "user,country\nu1,DE\nu1,AT\n",
            "ties.tsv": "source\ttarget\tkind\nu1\tu2\tx\nu1\tu2\ty\nu1\tu2\tx\nu2\tu1\tx\n",
            "reviews.tsv": "review\tuser\tproduct\ttext\nr1\tu1\tA\thi\nr1\tu3\tC\tho\n",
        },
    )
    assert [row["rating"] for row in rows(found, "interactions")] == [1.0, 1.0, 3.0]
    assert rows(found, "users") == [{"user": 0, "country": "DE"}]
    other = "but other values; of such rows the one whose values come last in order is kept"
    later = "same user and product as line 4, which is later and is kept"
    assert reasons(found) == [
        ("users.csv", 3, f"same user as line 2 {other}"),
        ("interactions.tsv", 2, later),
        ("interactions.tsv", 3, later),
        ("reviews.tsv", 2, f"same review as line 3 {other}"),
        ("ties.tsv", 4, "duplicate of line 2"),
    ]
    assert [found.count(table) for table in ("users", "interactions", "ties")] == [1, 3, 3]
    assert found.users.to_pylist() == ["u1", "u2", "u3"]


@pytest.mark.parametrize("seed", range(3))
def test_the_retained_row_does_not_depend_on_the_order_of_rows(tmp_path: Path, seed: int) -> None:
    lines = [
        f"u{user}\tP{product}\t{rating}\t{time}"
        for user in range(3)
        for product in range(2)
        for rating in (1, 2, 10)
        for time in ("2024-01-01", "2024-01-02", "")
    ]
    reviews = [f"r{n % 4}\tv{n % 5}\tQ{n % 3}\tt{n % 2}" for n in range(40)]
    results = []
    for name in ("plain", "shuffled"):
        (tmp_path / name).mkdir()
        found = staged(
            tmp_path / name,
            {
                "interactions.tsv": "user\tproduct\trating\ttimestamp\n" + "\n".join(lines),
                "reviews.tsv": "review\tuser\tproduct\ttext\n" + "\n".join(reviews),
            },
        )
        results.append(
            (
                found.users.to_pylist(),
                found.products.to_pylist(),
                sorted(map(repr, rows(found, "interactions"))),
                sorted(map(repr, rows(found, "reviews"))),
            )
        )
        random.Random(seed).shuffle(lines)
        random.Random(seed).shuffle(reviews)
    assert results[0] == results[1]


def test_a_tie_between_users_that_do_not_exist_is_rejected(tmp_path: Path) -> None:
    found = staged(
        tmp_path,
        {
            "interactions.tsv": "user\tproduct\nu1\tA\nu2\tA\n",
            "ties.tsv": "source\ttarget\nu1\tu2\nu1\tghost\nghost\tghost\nu2\tu2\nold\tu1\n\tu1\n",
        },
        stored_users=("old",),
    )
    assert reasons(found) == [
        ("ties.tsv", 3, "dangling tie: no user 'ghost'"),
        ("ties.tsv", 4, "dangling tie: no user 'ghost'"),
        ("ties.tsv", 5, "a tie of a user to itself"),
        ("ties.tsv", 7, "no source"),
    ]
    assert found.users.to_pylist() == ["old", "u1", "u2"]
    assert found.outside_users == {"old"}
    assert [(row["source"], row["target"]) for row in rows(found, "ties")] == [(1, 2), (0, 1)]


def test_a_rejected_row_creates_no_user_or_product(tmp_path: Path) -> None:
    found = staged(
        tmp_path,
        {
            "interactions.tsv": "user\tproduct\trating\ttimestamp\tsplit\n"
            "u1\tA\t5\t2024-01-01\ttrain\n"
            "u2\tB\tmany\t2024-01-01\ttrain\n"
            "u3\tC\tinf\tsoon\ttrain\n"
            "u4\tD\t1\tsoon\ttrain\n"
            "u5\tE\t1\t2024-01-01\tdev\n"
            "\tF\t1\t2024-01-01\ttest\n"
            "u6\t \t1\t2024-01-01\ttest\n"
        },
    )
    assert found.users.to_pylist() == ["u1"]
    assert found.products.to_pylist() == ["A"]
    assert [(line, reason.split(":")[0]) for _, line, reason in reasons(found)] == [
        (3, "rating 'many' is not a number"),
        (4, "rating 'inf' is not a number"),
        (5, "timestamp 'soon' is not a time"),
        (6, "split 'dev' is none of train, valid, test"),
        (7, "no user"),
        (8, "no product"),
    ]


def test_additional_columns_become_properties_of_the_inferred_kind(tmp_path: Path) -> None:
    found = staged(
        tmp_path,
        {
            "interactions.csv": "user,product,units,fee,code,gift,empty\n"
            "007,A,3,1.5,00734,true,\n008,A,4,2,1,false,\n",
            "products.jsonl": '{"product": "A", "tags": ["x", "y"], "stars": 4, "open": false}\n',
        },
    )
    assert found.users.to_pylist() == ["007", "008"]
    ends = {"user", "product"}
    assert [
        {name: value for name, value in row.items() if name not in ends}
        for row in rows(found, "interactions")
    ] == [
        {"units": 3, "fee": 1.5, "code": "00734", "gift": True, "empty": None},
        {"units": 4, "fee": 2.0, "code": "1", "gift": False, "empty": None},
    ]
    product = rows(found, "products")[0]
    assert json.loads(product.pop(MORE)) == {"tags": ["x", "y"], "stars": 4}
    assert product == {"product": 0, "open": False}


def test_parquet_columns_keep_their_types(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    table = pa.table(
        {
            "user": ["u1", "u2"],
            "product": ["A", "A"],
            "units": pa.array([3, 4], pa.uint8()),
            "fee": [float("nan"), 1.5],
            "note": pa.array(["x", "y"]).dictionary_encode(),
        }
    )
    pq.write_table(table, tmp_path / "in" / "interactions.parquet")
    (tmp_path / "scratch").mkdir()
    found = stage(
        tmp_path / "in",
        tmp_path / "scratch",
        known_users=lambda ids: [],
        progress=lambda step, done, total: None,
    )
    found_rows = [{**row, "user": None, "product": None} for row in rows(found, "interactions")]
    ends_left_out = {"user": None, "product": None}
    assert found_rows == [
        {**ends_left_out, "units": 3, "fee": None, "note": "x"},
        {**ends_left_out, "units": 4, "fee": 1.5, "note": "y"},
    ]


def test_interactions_without_a_valid_row_stop_the_load(tmp_path: Path) -> None:
    with pytest.raises(
        BadInput, match="no row that can be used: line 2: rating 'x' is not a number"
    ):
        staged(tmp_path, {"interactions.tsv": "user\tproduct\trating\nu1\tA\tx\n"})


def test_a_header_without_rows_stops_the_load(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"interactions.csv .*(empty|no row)"):
        staged(tmp_path, {"interactions.csv": "user,product\n"})


def test_tables_other_than_interactions_may_have_no_rows(tmp_path: Path) -> None:
    found = staged(
        tmp_path,
        {
            "interactions.tsv": "user\tproduct\nu1\tA\n",
            "users.tsv": "user\tcountry\n",
            "ties.csv": "source,target\n",
            "reviews.jsonl": "\n",
        },
    )
    assert [found.count(table) for table in ("users", "ties", "reviews")] == [0, 0, 0]
