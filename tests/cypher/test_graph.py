import logging
import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinfolio.cypher.graph import Graph, Reads
from kinfolio.errors import BadInput, KinfolioError, ServerError

pytestmark = pytest.mark.usefixtures("graph")

GraphOf = Callable[..., Graph]
PUT = "UNWIND $rows AS row CREATE (:Box {n: row.n, of: $of})"
ECHO = "RETURN $value AS value"


def test_the_graph_names_its_server(graph: Graph) -> None:
    assert graph.server.startswith("Neo4j/2026.08")
    assert graph.server.endswith(" community")


def test_written_rows_are_read_back(graph_of: GraphOf) -> None:
    graph = graph_of(put=PUT, get="MATCH (b:Box) RETURN b.n AS n, b.of AS of ORDER BY n")
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
def test_parameters_arrive_unchanged(graph_of: GraphOf, value: Any, back: Any) -> None:
    assert graph_of(echo=ECHO).read("echo", value=value) == [{"value": back}]


def test_nan_arrives_as_nan(graph_of: GraphOf) -> None:
    assert math.isnan(graph_of(echo=ECHO).read("echo", value=math.nan)[0]["value"])


@pytest.mark.parametrize("value", [2**63, {1, 2}, object(), {1: 2}, Path("x")])
def test_a_parameter_that_cannot_be_sent_is_refused(graph_of: GraphOf, value: Any) -> None:
    with pytest.raises(BadInput, match=r"a parameter of echo .* use numbers below"):
        graph_of(echo=ECHO).read("echo", value=value)


def test_a_read_cannot_write(graph_of: GraphOf, run_cypher: Any) -> None:
    with pytest.raises(ServerError, match=r"sneak writes, .* use Graph\.write"):
        graph_of(sneak="CREATE (:Sneaked)").read("sneak")
    assert run_cypher("MATCH (n:Sneaked) RETURN count(n) AS n") == [{"n": 0}]


def test_a_write_is_atomic(graph_of: GraphOf, run_cypher: Any) -> None:
    graph = graph_of(put="UNWIND $rows AS row CREATE (:User {id: row.id, gid: row.gid})")
    rows = [{"id": "a", "gid": 0}, {"id": "b", "gid": 1}, {"id": "c", "gid": 1}]
    with pytest.raises(BadInput, match="already exists"):
        graph.write("put", rows=rows)
    assert run_cypher("MATCH (u:User) RETURN count(u) AS n") == [{"n": 0}]


def test_several_writes_in_one_transaction_are_rolled_back_together(
    graph_of: GraphOf, run_cypher: Any
) -> None:
    graph = graph_of(put=PUT, wrong="RETURN 1 / 0 AS x")

    def work(tx: Reads) -> None:
        tx.read("put", rows=[{"n": 1}], of="x")
        tx.read("wrong")

    with pytest.raises(ServerError, match="by zero"):
        graph.write_in_one("trial", work)
    assert run_cypher("MATCH (b:Box) RETURN count(b) AS n") == [{"n": 0}]


def test_reads_of_a_snapshot_share_one_transaction(graph_of: GraphOf) -> None:
    graph = graph_of(add="CREATE (:Box)", count="MATCH (b:Box) RETURN count(b) AS n")
    with graph.snapshot_reads() as reads:
        assert reads.read("count") == [{"n": 0}]
        with pytest.raises(ServerError, match="writes"):
            reads.read("add")


def test_an_error_of_the_caller_inside_a_snapshot_is_not_translated(graph: Graph) -> None:
    with pytest.raises(OSError, match="disk") as caught, graph.snapshot_reads():
        raise OSError("disk")
    assert not isinstance(caught.value, KinfolioError)


def test_concurrent_writes_are_retried_until_both_are_committed(
    graph_of: GraphOf, run_cypher: Any
) -> None:
    run_cypher("CREATE (:Box {k: 1, n: 0}), (:Box {k: 2, n: 0})")
    # Two transactions that lock two nodes in opposite order: one becomes a deadlock's victim.
    both = (
        "UNWIND $rows AS k MATCH (b:Box {k: k}) SET b.n = b.n + 1 "
        "WITH b CALL (b) { UNWIND range(1, 20000) AS x RETURN sum(x) AS s } RETURN count(s) AS c"
    )
    start = threading.Barrier(2)
    failed: list[KinfolioError] = []

    def add(graph: Graph, order: list[int]) -> None:
        graph.check()
        start.wait()
        try:
            for _ in range(5):
                graph.write("both", rows=order)
        except KinfolioError as error:
            failed.append(error)

    threads = [
        threading.Thread(target=add, args=(graph_of(both=both), order))
        for order in ([1, 2], [2, 1])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert run_cypher("MATCH (b:Box) RETURN b.n AS n") == [{"n": 10}, {"n": 10}]


def test_the_driver_logs_nothing(graph_of: GraphOf, caplog: pytest.LogCaptureFixture) -> None:
    graph = graph_of(odd="MATCH (n:NeverSeen) WHERE n.neverSeen = 1 RETURN id(n) AS n")
    with caplog.at_level(logging.WARNING):
        assert graph.read("odd") == []
    assert caplog.records == []


def test_a_parameter_may_have_the_name_name(graph_of: GraphOf) -> None:
    assert graph_of(echo="RETURN $name AS name").read("echo", name="Ann") == [{"name": "Ann"}]
