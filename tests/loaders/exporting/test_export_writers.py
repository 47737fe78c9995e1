"""Exports during concurrent writes: the recorded consistency of a snapshot is correct."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from neo4j import Session

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.loaders import export_to, load
from kinfolio.loaders.exporting.graph_reader import GraphReader
from kinfolio.records import Connection, Snapshot
from kinfolio.snapshot import read_snapshot

RunCypher = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def loaded_community(shared_graph: Graph, community: Path) -> Graph:
    """The generated community."""
    load(shared_graph, community)
    return shared_graph


@contextmanager
def writer_at_work(server: Connection, write: Callable[[Session, int], object]) -> Iterator[None]:
    """Write repeatedly from another connection, at least once before the block."""
    stop, began = threading.Event(), threading.Event()

    def work() -> None:
        with open_driver(server) as driver, driver.session() as session:
            for turn in itertools.count():
                if stop.is_set():
                    return
                write(session, turn)
                began.set()

    thread = threading.Thread(target=work)
    thread.start()
    began.wait()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def assert_sound(snapshot: Snapshot) -> None:
    """Check that every edge ends at nodes of the snapshot and is unique."""
    for edges, ends in (
        (snapshot.holdings, snapshot.num_products),
        (snapshot.ties, snapshot.num_users),
    ):
        assert edges.source.min() >= 0
        assert edges.source.max() < snapshot.num_users
        assert edges.target.min() >= 0
        assert edges.target.max() < ends
    pairs = snapshot.holdings.source.astype(np.int64) * snapshot.num_products
    pairs += snapshot.holdings.target
    assert (np.diff(pairs) > 0).all()


def test_without_writers_an_export_is_quiet(loaded_community: Graph, tmp_path: Path) -> None:
    assert export_to(loaded_community, tmp_path / "snapshot").consistency == "quiet"
    manifest = json.loads((tmp_path / "snapshot" / "manifest.json").read_text())
    assert manifest["consistency"] == "quiet"


def test_an_uncommitted_transaction_is_not_exported(
    loaded_community: Graph, server: Connection, tmp_path: Path
) -> None:
    before = export_to(loaded_community, tmp_path / "before")
    with open_driver(server) as driver, driver.session() as session:
        transaction = session.begin_transaction()
        transaction.run("MATCH (u:User) SET u.id = u.id + '!', u.changed = timestamp()").consume()
        during = export_to(loaded_community, tmp_path / "during")
        transaction.rollback()
    assert (during.hash, during.consistency) == (before.hash, "quiet")


def test_changes_include_commits_of_older_open_transactions(
    loaded_community: Graph, server: Connection, run_cypher: RunCypher, tmp_path: Path
) -> None:
    run_cypher("MATCH (n) WHERE n:User OR n:Product SET n.changed = 1000")
    with open_driver(server) as driver, driver.session() as session:
        transaction = session.begin_transaction()
        # The time of its change precedes the snapshot by more than the overlap.
        transaction.run(
            "MATCH (u:User {gid: 5})-[h:HOLDS]->() SET h.rating = 2.25, u.changed = timestamp()"
        ).consume()
        older = tmp_path / "older"
        export_to(loaded_community, older)
        manifest = json.loads((older / "manifest.json").read_text())
        transaction.commit()
    mark = run_cypher("MATCH (u:User {gid: 5}) RETURN u.changed AS changed")[0]["changed"]
    assert manifest["watermark"] <= mark
    changes = export_to(loaded_community, older, since=older)
    assert changes.how == "changes"
    assert changes.hash == export_to(loaded_community, tmp_path / "whole").hash
    assert (read_snapshot(older).holdings.rating == 2.25).any()


def test_changes_of_a_concurrent_writer_that_marks_them_are_included(
    loaded_community: Graph, server: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes while the holdings are read: half of two users in each transaction."""

    def write(session: Session, turn: int) -> None:
        session.run(
            "MATCH (u:User)-[h:HOLDS]->() WHERE u.gid IN [1, 599] "
            "SET h.rating = toFloat($turn), u.changed = timestamp()",
            turn=turn,
        ).consume()

    turn = itertools.count(100)
    read = GraphReader.edges

    def edges(self: GraphReader, *arguments: Any) -> Any:
        found = read(self, *arguments)
        with open_driver(server) as driver, driver.session() as session:
            write(session, next(turn))
        return found

    monkeypatch.setattr(GraphReader, "edges", edges)
    found = export_to(loaded_community, tmp_path / "snapshot")
    assert found.consistency == "marked"
    monkeypatch.undo()
    assert found.hash == export_to(loaded_community, tmp_path / "whole").hash


def test_a_transaction_is_exported_as_a_whole_or_not_at_all(
    loaded_community: Graph, server: Connection, run_cypher: RunCypher, tmp_path: Path
) -> None:
    """The writer moves one holding at a time between the first and the last user."""
    run_cypher("MATCH (u:User {gid: 0}) CREATE (u)-[:HOLDS]->(:Product {id: 'moved', gid: 99999})")

    def write(session: Session, turn: int) -> None:
        source, target = (0, 599) if turn % 2 == 0 else (599, 0)
        session.run(
            "MATCH (u:User {gid: $source})-[h:HOLDS]->(p:Product {id: 'moved'}), "
            "(v:User {gid: $target}) DELETE h CREATE (v)-[:HOLDS]->(p) "
            "SET u.changed = timestamp(), v.changed = timestamp()",
            source=source,
            target=target,
        ).consume()

    seen = set()
    with writer_at_work(server, write):
        for number in range(4):
            found = export_to(loaded_community, tmp_path / "snapshot")
            snapshot = read_snapshot(tmp_path / "snapshot")
            assert_sound(snapshot)
            row = snapshot.product_ids.index("moved")
            held = int((snapshot.holdings.target == row).sum())
            if found.consistency != "moving":
                assert held == 1, number
            seen.add(found.consistency)
    assert seen <= {"quiet", "marked", "moving"}
    run_cypher("MATCH (p:Product {id: 'moved'}) DETACH DELETE p")


def test_with_constant_writes_the_snapshot_is_valid_and_marked_as_moving(
    loaded_community: Graph, server: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every read is followed by a commit: users are created and deleted, with their holdings."""
    original = Graph.bookmark
    turn = itertools.count()

    def bookmark(self: Graph) -> frozenset[str]:
        with open_driver(server) as driver, driver.session() as session:
            number = next(turn)
            session.run(
                "MATCH (p:Product {gid: 3}) "
                "CREATE (:User {id: 'new' + $number, gid: 1000 + $number})-[:HOLDS]->(p) "
                "WITH * MATCH (u:User {gid: 200 + $number}) DETACH DELETE u",
                number=number,
            ).consume()
        return original(self)

    monkeypatch.setattr(Graph, "bookmark", bookmark)
    found = export_to(loaded_community, tmp_path / "snapshot")
    assert found.consistency == "moving"
    assert_sound(read_snapshot(tmp_path / "snapshot"))


def test_a_reused_internal_id_is_detected(
    loaded_community: Graph, tmp_path: Path, server: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two products change their row numbers while the holdings are read."""
    products = GraphReader.products_of
    done: list[bool] = []

    def products_of(self: GraphReader, gids: list[int]) -> Any:
        found = products(self, gids)
        if not done:
            done.append(True)
            with open_driver(server) as driver, driver.session() as session:
                session.run("MATCH (p:Product {gid: 4}) SET p.gid = 777").consume()
                session.run("MATCH (p:Product {gid: 5}) SET p.gid = 4").consume()
                session.run("MATCH (p:Product {gid: 777}) SET p.gid = 5").consume()
        return found

    monkeypatch.setattr(GraphReader, "products_of", products_of)
    found = export_to(loaded_community, tmp_path / "snapshot")
    monkeypatch.undo()
    assert found.hash == export_to(loaded_community, tmp_path / "whole").hash
