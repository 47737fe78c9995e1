"""Checks over a whole folder, before a database is asked for anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kinfolio.errors import BadInput
from kinfolio.loaders.stage import Staged, stage


def staged(folder: Path, files: dict[str, str], known: tuple[str, ...] = ()) -> Staged:
    """The folder with some files, staged; `known` are the users that the graph has."""
    source, scratch = folder / "in", folder / "scratch"
    source.mkdir()
    scratch.mkdir()
    for name, text in files.items():
        (source / name).write_text(text, "utf-8")
    return stage(
        source,
        scratch,
        known_users=lambda ids: [id for id in ids if id in known],
        progress=lambda step, done, total: None,
    )


def rows(found: Staged, table: str) -> list[dict[str, Any]]:
    """The good rows of a table; ends are numbered as in the input."""
    ends = {"user": np.arange(100), "product": np.arange(100)}
    return list(found.tables[table].rows(ends))


def reasons(found: Staged) -> list[tuple[str, int, str]]:
    return [(row.file, row.line, row.reason) for row in found.rejects.all()]


def test_users_and_products_are_numbered_as_they_first_appear(tmp_path: Path) -> None:
    found = staged(
        tmp_path,
        {
            "users.tsv": "user\nu3\nu1\n",
            "products.tsv": "product\nC\n",
            "interactions.tsv": "user\tproduct\nu2\tB\nu1\tC\n",
            "reviews.tsv": "review\tuser\tproduct\nr1\tu9\tA\n",
        },
    )
    assert found.users == ["u3", "u1", "u2", "u9"]
    assert found.products == ["C", "B", "A"]
    assert [(row["user"], row["product"]) for row in rows(found, "interactions")] == [
        (2, 1),
        (1, 0),
    ]


def test_the_first_of_two_rows_with_one_key_is_kept(tmp_path: Path) -> None:
    found = staged(
        tmp_path,
        {
            "interactions.tsv": "user\tproduct\trating\n"
            "u1\tA\t3\nu1\tA\t3\nu1\tA\t5\nu2\tA\t1\nu1\tB\t3\n",
            "users.csv": "user,country\nu1,DE\nu1,AT\n",
            "ties.tsv": "source\ttarget\tkind\nu1\tu2\tx\nu1\tu2\ty\nu1\tu2\tx\nu2\tu1\tx\n",
            "reviews.tsv": "review\tuser\tproduct\ttext\nr1\tu1\tA\thi\nr1\tu2\tA\tho\n",
        },
    )
    assert [row["properties"]["rating"] for row in rows(found, "interactions")] == [3.0, 1.0, 3.0]
    other = "as line 2 but other values; the first is kept"
    assert reasons(found) == [
        ("users.csv", 3, f"same user {other}"),
        ("interactions.tsv", 3, "duplicate of line 2"),
        ("interactions.tsv", 4, f"same user and product {other}"),
        ("reviews.tsv", 3, f"same review {other}"),
        ("ties.tsv", 4, "duplicate of line 2"),
    ]
    assert [found.count(table) for table in ("users", "interactions", "ties")] == [1, 3, 3]


def test_a_tie_must_join_two_known_users(tmp_path: Path) -> None:
    found = staged(
        tmp_path,
        {
            "interactions.tsv": "user\tproduct\nu1\tA\nu2\tA\n",
            "ties.tsv": "source\ttarget\nu1\tu2\nu1\tghost\nghost\tghost\nu2\tu2\nold\tu1\n\tu1\n",
        },
        known=("old",),
    )
    assert reasons(found) == [
        ("ties.tsv", 3, "dangling tie: no user 'ghost'"),
        ("ties.tsv", 4, "dangling tie: no user 'ghost'"),
        ("ties.tsv", 5, "a tie of a user to itself"),
        ("ties.tsv", 7, "no source"),
    ]
    assert found.users == ["u1", "u2"]
    assert found.outside_users == ["old"]
    assert [(row["source"], row["target"]) for row in rows(found, "ties")] == [(0, 1), (2, 0)]


def test_a_row_with_a_wrong_value_makes_no_user(tmp_path: Path) -> None:
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
    assert found.users == ["u1"]
    assert found.products == ["A"]
    assert [(line, reason.split(":")[0]) for _, line, reason in reasons(found)] == [
        (3, "rating 'many' is not a number"),
        (4, "rating 'inf' is not a number"),
        (5, "timestamp 'soon' is not a time"),
        (6, "split 'dev' is none of train, valid, test"),
        (7, "no user"),
        (8, "no product"),
    ]


def test_unknown_columns_become_properties_with_their_kinds(tmp_path: Path) -> None:
    found = staged(
        tmp_path,
        {
            "interactions.csv": "user,product,units,fee,code,gift,empty\n"
            "007,A,3,1.5,00734,true,\n008,A,4,2,1,false,\n",
            "products.jsonl": '{"product": "A", "tags": ["x", "y"], "stars": 4, "open": false}\n',
        },
    )
    assert found.users == ["007", "008"]
    assert [row["properties"] for row in rows(found, "interactions")] == [
        {"units": 3, "fee": 1.5, "code": "00734", "gift": True, "empty": None},
        {"units": 4, "fee": 2.0, "code": "1", "gift": False, "empty": None},
    ]
    properties = rows(found, "products")[0]["properties"]
    assert {name: value for name, value in properties.items() if value is not None} == {
        "tags": ["x", "y"],
        "stars": 4,
        "open": False,
    }


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
    assert [row["properties"] for row in rows(found, "interactions")] == [
        {"units": 3, "fee": None, "note": "x"},
        {"units": 4, "fee": 1.5, "note": "y"},
    ]


def test_interactions_without_one_good_row_stop_the_load(tmp_path: Path) -> None:
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
