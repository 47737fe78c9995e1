"""A second load of the same files writes nothing, whatever the type of a property."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.graph_hash import graph_hash
from kinfolio.loaders import load
from tests.conftest import RunCypher

NANOSECONDS = pa.array([1_700_000_000_123_456_789, -1, None], pa.int64())
PARQUET = {
    **{str(kind): pa.array([1, 0, None], kind) for kind in (pa.int8(), pa.uint32(), pa.uint64())},
    "half": pa.array([np.float16(0.1), np.float16("nan"), None], pa.float16()),
    "float": pa.array([0.1, float("nan"), None], pa.float32()),
    "double": pa.array([0.1, -0.0, None], pa.float64()),
    "infinite": pa.array([float("inf"), float("nan"), None], pa.float64()),
    "flag": pa.array([True, False, None]),
    "text": pa.array(["", "\u00e9\u0301 \U0001f600", None]),
    "large_text": pa.array(["x", "y", None], pa.large_string()),
    "code": pa.array(["x", "y", None]).dictionary_encode(),
    "decimal": pa.array([Decimal("1.10"), Decimal("2.00"), None], pa.decimal128(10, 2)),
    "date": pa.array([19_000, -1, None], pa.int32()).cast(pa.date32()),
    "date64": pa.array([datetime(2024, 1, 2, 3), None, None], pa.timestamp("ms")).cast(
        pa.date64(), safe=False
    ),
    "nano": NANOSECONDS.cast(pa.timestamp("ns")),
    "nano_zone": NANOSECONDS.cast(pa.timestamp("ns", tz="Europe/Berlin")),
    "micro": pa.array([datetime(2024, 7, 8, 9, 10, 11, 123456), None, None], pa.timestamp("us")),
    "second": pa.array([datetime(2024, 7, 8, tzinfo=UTC), None, None], pa.timestamp("s", tz="UTC")),
    "numbers": pa.array([[1.5, 0.1], [], None], pa.list_(pa.float32())),
    "integers": pa.array([[1, 2], [], None], pa.list_(pa.int16())),
    "texts": pa.array([["x", ""], [], None]),
    "flags": pa.array([[True, False], [], None], pa.list_(pa.bool_())),
    "nothing": pa.nulls(3),
}
JSON: tuple[dict[str, Any], ...] = (
    {"a": 1, "b": 1.0, "c": True, "d": [1, 2.5], "e": [1.0, 2.0], "f": [], "g": "", "h": 1e300},
    {"a": 1.5, "b": 2, "c": "yes", "d": [True], "e": ["x"], "f": [0], "g": None, "h": -0.0},
)
CSV = "{ends},n,x,flag,text,zero,mixed\n{one},1,1.5,true,a,007,1\n{two},2,1e5,false,,008,x\n"


def test_a_second_load_changes_no_node_and_no_mark(
    graph: Graph, run_cypher: RunCypher, tmp_path: Path
) -> None:
    tables: dict[str, dict[str, Any]] = {
        "users": {"user": ["u1", "u2", "u3"]},
        "interactions": {"user": ["u1", "u2", "u3"], "product": ["A", "B", "A"]},
    }
    for name, columns in tables.items():
        pq.write_table(pa.table(columns | PARQUET), tmp_path / f"{name}.parquet")
    with (tmp_path / "products.jsonl").open("w") as out:
        for id, row in zip("AB", JSON, strict=True):
            out.write(json.dumps({"product": id} | row) + "\n")
    ends = {"ends": "source,target", "one": "u1,u2", "two": "u2,u1"}
    (tmp_path / "ties.csv").write_text(CSV.format(**ends))
    ends = {"ends": "review,user,product", "one": "r1,u1,A", "two": "r2,u2,B"}
    (tmp_path / "reviews.csv").write_text(CSV.format(**ends))
    first = load(graph, tmp_path)
    assert (first.rejected, first.users, first.ties, first.reviews) == ((), 3, 2, 2)
    before = graph_hash(graph)
    run_cypher("MATCH (n:User|Product) SET n.changed = 5")
    load(graph, tmp_path)
    assert run_cypher("MATCH (n:User|Product) WHERE n.changed <> 5 RETURN n.id AS id") == []
    assert graph_hash(graph) == before


def test_a_value_of_another_type_is_a_change(
    graph: Graph, run_cypher: RunCypher, tmp_path: Path
) -> None:
    """Or else the graph would differ from one that was loaded at once."""
    (tmp_path / "interactions.csv").write_text("user,product\nu1,A\n")

    def loaded(value: str) -> str:
        (tmp_path / "products.jsonl").write_text(f'{{"product": "A", "x": {value}}}\n')
        load(graph, tmp_path)
        return graph_hash(graph)

    values = ("1", "1.0", "true", "[1]", "[1.0]", "[true]", "[1, 2.0]", '"1"', '["1"]', "[]")
    alone = []
    for value in values:
        alone.append(loaded(value))
        run_cypher("MATCH (n) DETACH DELETE n")
    assert [loaded(value) for value in values] == alone
