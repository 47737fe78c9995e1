"""Vector indexes are created beside transactions that hold the label."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.errors import ServerBusy
from kinfolio.gnn.publishing import index_changes
from kinfolio.gnn.publishing.slot_index import make_index
from tests.conftest import RunCypher

WIDTH = 4


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_changes, "LOCK_SECONDS", 0.5)
    monkeypatch.setattr(index_changes, "PAUSE_SECONDS", 0.1)


@contextmanager
def held_label(graph: Graph) -> Iterator[None]:
    """Hold the label of products in an open transaction."""
    with (
        open_driver(graph.connection) as driver,
        driver.session() as session,
        session.begin_transaction() as tx,
    ):
        tx.run("CREATE (:Product {id: 'held'})").consume()
        yield
        tx.commit()


def test_readers_do_not_stand_still_behind_an_index_that_waits(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_changes, "TRIES", 2)
    with held_label(graph):
        with pytest.raises(ServerBusy, match=r"waited 0\.5 s for other programs"):
            make_index(graph, "a", WIDTH)
        assert graph.read("load_counts")[0]["products"] == 0


def test_an_index_is_created_with_its_filters_once_the_label_is_free(
    graph: Graph, run_cypher: RunCypher
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with held_label(graph):
            pending = pool.submit(make_index, graph, "a", WIDTH)
            with pytest.raises(TimeoutError):
                pending.result(4)
        pending.result(60)
    found = run_cypher("SHOW VECTOR INDEXES YIELD name, properties")
    assert found == [
        {
            "name": "product_embedding_a",
            "properties": ["embedding_a", "market_a", "open", "risk"],
        }
    ]
