import logging
import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinfolio.cypher import queries
from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadInput, KinfolioError, ServerError
from kinfolio.records import Connection

pytestmark = pytest.mark.server

Statement = Callable[[str, str], None]


@pytest.fixture
def statement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Statement]:
    """A statement by that name, for this test only."""
    monkeypatch.setattr(queries, "files", lambda _: tmp_path)
    queries.query.cache_clear()

    def write(name: str, text: str) -> None:
        (tmp_path / f"{name}.cypher").write_text(text)

    yield write
    queries.query.cache_clear()


def test_the_graph_says_what_server_it_is_on(graph: Graph) -> None:
    assert graph.server.startswith("Neo4j/2026.08")
    assert graph.server.endswith(" community")


def test_what_is_written_is_read_back(graph: Graph, statement: Statement) -> None:
    statement("put", "UNWIND $rows AS row CREATE (:Box {n: row.n, of: $of})")
    statement("get", "MATCH (b:Box) RETURN b.n AS n, b.of AS of ORDER BY n")
    graph.write("put", rows=[{"n": 2}, {"n": 1}], of="x")
    assert graph.read("get") == [{"n": 1, "of": "x"}, {"n": 2, "of": "x"}]


@pytest.mark.parametrize(
    ("value", "back"),
    [
        (3, 3),
        (2**63 - 1, 2**63 - 1),
        (1.5, 1.5),
        ('it\'s "a" \\ 💶\n', 'it\'s "a" \\ 💶\n'),
        (True, True),
        (None, None),
        ([1, 2], [1, 2]),
        ({"a": [1.0]}, {"a": [1.0]}),
        (np.int64(3), 3),
        (np.float32(1.5), 1.5),
        (np.bool_(True), True),
        (np.array([1.5, 2.0], dtype=np.float32), [1.5, 2.0]),
    ],
)
def test_parameters_arrive_as_they_are(
    graph: Graph, statement: Statement, value: Any, back: Any
) -> None:
    statement("echo", "RETURN $value AS value")
    assert graph.read("echo", value=value) == [{"value": back}]


def test_a_number_that_is_none_stays_one(graph: Graph, statement: Statement) -> None:
    statement("echo", "RETURN $value AS value")
    assert math.isnan(graph.read("echo", value=math.nan)[0]["value"])


@pytest.mark.parametrize("value", [2**63, {1, 2}, object(), {1: 2}, Path("x")])
def test_a_parameter_that_cannot_be_sent_is_refused_clearly(
    graph: Graph, statement: Statement, value: Any
) -> None:
    statement("echo", "RETURN $value AS value")
    with pytest.raises(BadInput, match=r"a parameter of echo .* use numbers below"):
        graph.read("echo", value=value)


def test_a_read_cannot_write(graph: Graph, statement: Statement, run_cypher: Any) -> None:
    statement("sneak", "CREATE (:Sneaked)")
    with pytest.raises(ServerError, match=r"sneak writes, .* use Graph\.write"):
        graph.read("sneak")
    assert run_cypher("MATCH (n:Sneaked) RETURN count(n) AS n") == [{"n": 0}]


def test_batches_write_every_row_once(graph: Graph, statement: Statement, run_cypher: Any) -> None:
    statement("put", "UNWIND $rows AS row CREATE (:Box {n: row.n, of: $of})")
    rows = ({"n": n} for n in range(25))
    assert graph.write_batches("put", rows, size=10, of="x") == 25
    assert run_cypher("MATCH (b:Box {of: 'x'}) RETURN count(b) AS n, sum(b.n) AS sum") == [
        {"n": 25, "sum": 300}
    ]


def test_no_rows_are_no_batch(graph: Graph, statement: Statement) -> None:
    statement("put", "UNWIND $rows AS row CREATE (:Box {n: row.n})")
    assert graph.write_batches("put", []) == 0


def test_a_batch_is_written_whole_or_not_at_all(
    graph: Graph, statement: Statement, run_cypher: Any
) -> None:
    statement("put", "UNWIND $rows AS row CREATE (:User {id: row.id, gid: row.gid})")
    rows = [{"id": "a", "gid": 0}, {"id": "b", "gid": 1}, {"id": "c", "gid": 1}]
    with pytest.raises(BadInput, match="already exists"):
        graph.write_batches("put", rows, size=3)
    assert run_cypher("MATCH (u:User) RETURN count(u) AS n") == [{"n": 0}]


def test_an_error_of_the_rows_own_source_is_not_taken_for_the_servers(
    graph: Graph, statement: Statement
) -> None:
    statement("put", "UNWIND $rows AS row CREATE (:Box {n: row.n})")

    def rows() -> Iterator[dict[str, int]]:
        yield {"n": 1}
        raise OSError("the file is gone")

    with pytest.raises(OSError, match="the file is gone") as caught:
        graph.write_batches("put", rows())
    assert not isinstance(caught.value, KinfolioError)


def test_reads_of_a_snapshot_share_one_transaction(graph: Graph, statement: Statement) -> None:
    statement("add", "CREATE (:Box)")
    statement("count", "MATCH (b:Box) RETURN count(b) AS n")
    with graph.snapshot_reads() as reads:
        assert reads.read("count") == [{"n": 0}]
        assert reads.read("count") == [{"n": 0}]
        with pytest.raises(ServerError, match="writes"):
            reads.read("add")


def test_an_error_inside_a_snapshot_is_the_callers_own(graph: Graph) -> None:
    with pytest.raises(OSError, match="disk") as caught, graph.snapshot_reads():
        raise OSError("disk")
    assert not isinstance(caught.value, KinfolioError)


def test_writes_that_meet_are_tried_again_until_both_are_in(
    server: Connection, graph: Graph, statement: Statement, run_cypher: Any
) -> None:
    run_cypher("CREATE (:Box {k: 1, n: 0}), (:Box {k: 2, n: 0})")
    # Two transactions that lock two nodes in opposite order: one becomes a deadlock's victim.
    statement(
        "both",
        "UNWIND $rows AS k MATCH (b:Box {k: k}) SET b.n = b.n + 1 "
        "WITH b CALL (b) { UNWIND range(1, 20000) AS x RETURN sum(x) AS s } RETURN count(s) AS c",
    )
    start = threading.Barrier(2)
    failed: list[KinfolioError] = []

    def add(order: list[int]) -> None:
        with Graph(server) as own:
            own.check()
            start.wait()
            try:
                for _ in range(5):
                    own.write("both", rows=order)
            except KinfolioError as error:
                failed.append(error)

    threads = [threading.Thread(target=add, args=(order,)) for order in ([1, 2], [2, 1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert run_cypher("MATCH (b:Box) RETURN b.n AS n") == [{"n": 10}, {"n": 10}]


def test_the_driver_says_nothing_on_its_own(
    graph: Graph, statement: Statement, caplog: pytest.LogCaptureFixture
) -> None:
    statement("odd", "MATCH (n:NeverSeen) WHERE n.neverSeen = 1 RETURN id(n) AS n")
    with caplog.at_level(logging.WARNING):
        assert graph.read("odd") == []
    assert caplog.records == []


def test_a_parameter_may_be_called_name(graph: Graph, statement: Statement) -> None:
    statement("echo", "RETURN $name AS name")
    assert graph.read("echo", name="Ann") == [{"name": "Ann"}]
