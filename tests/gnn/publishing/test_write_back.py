"""Write-back on the real server: stored properties, refusals, crashes."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig, NotFound, NotReady
from kinfolio.gnn.publishing import write_back as publishing
from kinfolio.gnn.publishing.stored_rows import product_rows
from kinfolio.gnn.publishing.versions import drop, list_versions, rollback
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.records import Connection
from tests.gnn.snapshots import no_links

if TYPE_CHECKING:
    from tests.gnn.conftest import World

write_back = partial(publishing.write_back, check_sums=False)
"""The random vectors of users are not the sums of messages."""
RunCypher = Callable[..., list[dict[str, Any]]]
PROPERTIES = (
    "MATCH (n) UNWIND keys(n) AS key WITH n, key WHERE key ENDS WITH $end "
    "RETURN DISTINCT key ORDER BY key"
)


@pytest.fixture
def world(graph: Graph, make_world: Callable[..., World], run_cypher: RunCypher) -> World:
    world = make_world(1, 12, 20)
    world.store(run_cypher)
    return world


class InterruptedWriteError(Exception):
    """Interrupts a write-back."""


def stop_at(step: str, times: int = 1) -> Callable[[str, int, int], None]:
    left = [times]

    def progress(name: str, done: int, total: int) -> None:
        if step in name:
            left[0] -= 1
            if left[0] == 0:
                raise InterruptedWriteError

    return progress


def test_the_stored_vectors_are_those_of_the_model(
    world: World, graph: Graph, run_cypher: RunCypher
) -> None:
    embeddings = world.embeddings()
    stored = write_back(graph, embeddings)
    assert (stored.slot, stored.users, stored.products) == ("a", 11, 20)
    assert stored.index_recall_at_10 is not None
    assert stored.index_recall_at_10 > 0.95
    rows = run_cypher(
        "MATCH (p:Product) RETURN p.embedding_a AS e, p.message_a AS m ORDER BY p.gid"
    )
    assert np.array_equal(
        np.array([row["e"] for row in rows], np.float32), product_rows(embeddings)
    )
    assert np.array_equal(
        np.array([row["m"] for row in rows], np.float32), embeddings.product_messages
    )
    user = run_cypher("MATCH (u:User {gid: 5}) RETURN u.embedding_a AS e, u.own_a AS o")[0]
    assert user == {"e": None, "o": None}
    user = run_cypher("MATCH (u:User {gid: 6}) RETURN u.embedding_a AS e, u.counted_a AS c")[0]
    assert np.array_equal(np.array(user["e"][:-2], np.float32), embeddings.user_vectors[6])
    assert user["e"][-2:] == [1.0, 0.0]
    assert user["c"] == embeddings.user_fingerprints[6]


def test_rows_of_products_have_one_length_and_keep_the_score(
    make_world: Callable[..., World],
) -> None:
    embeddings = make_world(1, 12, 20).embeddings()
    rows = product_rows(embeddings).astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1)
    assert lengths == pytest.approx(np.full(20, lengths[0]))
    query = np.append(embeddings.user_vectors[0], [1, 0])
    assert rows @ query == pytest.approx(
        embeddings.product_vectors @ embeddings.user_vectors[0] + embeddings.bias, abs=1e-5
    )


def test_the_second_version_uses_the_other_slot_and_rollback_activates_the_first(
    world: World, graph: Graph
) -> None:
    first = write_back(graph, world.embeddings(1), name="one")
    before = recommend(graph, "u06").products
    second = write_back(graph, world.embeddings(2), name="two")
    assert (first.slot, second.slot) == ("a", "b")
    assert recommend(graph, "u06").version == "two"
    assert recommend(graph, "u06").products != before
    assert {v.name: v.state for v in list_versions(graph)} == {"one": "ready", "two": "active"}
    assert rollback(graph).name == "one"
    assert recommend(graph, "u06").products == before
    assert rollback(graph).name == "two"
    third = write_back(graph, world.embeddings(3), name="three")
    assert third.slot == "a"
    assert {v.name for v in list_versions(graph)} == {"two", "three"}


def test_the_index_is_recreated_for_another_width(
    world: World, graph: Graph, run_cypher: RunCypher
) -> None:
    for seed, dim in ((1, 8), (2, 4), (3, 16)):
        stored = write_back(graph, world.embeddings(seed, dim=dim))
        assert recommend(graph, "u06").version == stored.version
    widths = {
        row["name"]: row["options"]["indexConfig"]["vector.dimensions"]
        for row in run_cypher("SHOW VECTOR INDEXES YIELD name, options")
    }
    assert widths == {"product_embedding_a": 34, "product_embedding_b": 10}


def test_an_index_of_the_same_width_remains(
    world: World, graph: Graph, run_cypher: RunCypher
) -> None:
    # A change of the schema makes the server plan all statements again, at once for all callers.
    def ids() -> dict[str, int]:
        rows = run_cypher("SHOW VECTOR INDEXES YIELD name, id")
        return {row["name"]: row["id"] for row in rows}

    write_back(graph, world.embeddings(1))
    write_back(graph, world.embeddings(2))
    before = ids()
    write_back(graph, world.embeddings(3))
    write_back(graph, world.embeddings(4))
    assert ids() == before
    assert len(before) == 2


def test_nodes_missing_from_the_snapshot_lose_their_old_vectors(
    world: World, graph: Graph, run_cypher: RunCypher
) -> None:
    write_back(graph, world.embeddings(1))
    write_back(graph, world.embeddings(2))
    embeddings = world.embeddings(3)
    fewer = replace(
        embeddings,
        product_gids=embeddings.product_gids[:-1],
        product_ids=embeddings.product_ids[:-1],
        product_vectors=embeddings.product_vectors[:-1],
        **no_links(len(embeddings.product_gids) - 1),  # type: ignore[arg-type]  # arrays by name
        product_messages=embeddings.product_messages[:-1],
        bias=embeddings.bias[:-1],
        user_gids=embeddings.user_gids[:-1],
        user_ids=embeddings.user_ids[:-1],
        user_fingerprints=embeddings.user_fingerprints[:-1],
        user_vectors=embeddings.user_vectors[:-1],
        user_own=embeddings.user_own[:-1],
        user_messages=embeddings.user_messages[:-1],
    )
    assert write_back(graph, fewer).slot == "a"
    for label, gid in (("Product", 19), ("User", 11)):
        keys = run_cypher(f"MATCH (n:{label} {{gid: {gid}}}) RETURN keys(n) AS keys")[0]["keys"]
        assert not [key for key in keys if key.endswith("_a")]
        assert [key for key in keys if key.endswith("_b")]


def test_nodes_missing_from_the_graph_are_skipped(
    world: World, graph: Graph, run_cypher: RunCypher
) -> None:
    run_cypher("MATCH (n {gid: 7}) DETACH DELETE n")
    stored = write_back(graph, world.embeddings())
    assert (stored.users, stored.products) == (10, 19)


def test_another_graph_is_refused(world: World, graph: Graph, run_cypher: RunCypher) -> None:
    run_cypher("MATCH (p:Product {gid: 3}) SET p.id = 'other'")
    with pytest.raises(NotReady, match=r"number 3 of its products is 'other'.*train again"):
        write_back(graph, world.embeddings())
    run_cypher("MATCH (n) DETACH DELETE n")
    with pytest.raises(NotReady, match=r"none of the 20 products .*kinfolio load"):
        write_back(graph, world.embeddings())
    assert list_versions(graph) == ()


def test_numbers_that_are_not_finite_are_refused(world: World, graph: Graph) -> None:
    embeddings = world.embeddings()
    bias = embeddings.bias.copy()
    bias[3] = np.nan
    with pytest.raises(NotReady, match="not finite"):
        write_back(graph, replace(embeddings, bias=bias))


@pytest.mark.parametrize("step", ["writing", "measuring"])
def test_after_a_crash_the_old_version_stays_active_and_the_next_write_back_repairs_the_slot(
    step: str, world: World, graph: Graph, run_cypher: RunCypher
) -> None:
    write_back(graph, world.embeddings(1), name="one")
    before = recommend(graph, "u06")
    with pytest.raises(InterruptedWriteError):
        write_back(
            graph,
            world.embeddings(2),
            name="two",
            progress=stop_at(step, 2 if step == "writing" else 1),
        )
    assert recommend(graph, "u06") == before
    assert {v.name: v.state for v in list_versions(graph)} == {"one": "active", "two": "writing"}
    with pytest.raises(NotReady, match="no other version"):
        rollback(graph)
    assert write_back(graph, world.embeddings(2), name="two").slot == "b"
    assert recommend(graph, "u06").version == "two"
    assert rollback(graph).name == "one"
    assert recommend(graph, "u06") == before


KILLED = """
import os, pickle, signal, sys
from kinfolio.cypher.graph import Graph
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.records import Connection
connection, embeddings = pickle.load(sys.stdin.buffer)
def progress(step, done, total):
    if "filling" in step:
        os.kill(os.getpid(), signal.SIGKILL)
with Graph(connection) as graph:
    write_back(graph, embeddings, name="killed", progress=progress)
"""


def test_a_killed_write_back_does_not_block_the_next(
    world: World, graph: Graph, server: Connection
) -> None:
    write_back(graph, world.embeddings(1), name="one")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED],
        input=pickle.dumps((server, world.embeddings(2))),
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -9, killed.stderr
    assert {v.name: v.state for v in list_versions(graph)} == {
        "one": "active",
        "killed": "writing",
    }
    assert recommend(graph, "u06").version == "one"
    assert write_back(graph, world.embeddings(2), name="two").slot == "b"


def test_a_concurrent_write_back_is_refused(world: World, graph: Graph) -> None:
    refused: list[object] = []

    def meanwhile(step: str, done: int, total: int) -> None:
        if "filling" in step and done == 0 and not refused:
            with pytest.raises(NotReady, match="another write-back is filling slot a now") as error:
                write_back(graph, world.embeddings(2), name="second")
            refused.append(error)

    write_back(graph, world.embeddings(1), name="first", progress=meanwhile)
    assert len(refused) == 1
    assert [v.name for v in list_versions(graph)] == ["first"]


def test_two_writers_cannot_acquire_the_same_slot(world: World, graph: Graph) -> None:
    graph.schema("write_back_slots")
    rows = [
        graph.write(
            "write_back_begin",
            into="a",
            replaces=None,
            replaced_writer="",
            version={"name": writer},
            writer=writer,
        )
        for writer in ("one", "two")
    ]
    assert rows == [[{"version": "one"}], []]


def test_a_replaced_writer_activates_nothing(
    world: World, graph: Graph, run_cypher: RunCypher
) -> None:
    def taken_over(step: str, done: int, total: int) -> None:
        if "measuring" in step and done == 0:
            run_cypher("MATCH (v:EmbeddingVersion) SET v.host = 'elsewhere', v.beat = 1")
            write_back(graph, world.embeddings(2), name="second")

    with pytest.raises(NotReady, match="taken over by another write-back"):
        write_back(graph, world.embeddings(1), name="first", progress=taken_over)
    assert {v.name: v.state for v in list_versions(graph)} == {"second": "active"}


def test_a_version_name_must_be_new_and_printable(world: World, graph: Graph) -> None:
    write_back(graph, world.embeddings(), name="one")
    for name in ("one", "", "a\nb"):
        with pytest.raises(BadConfig, match="cannot name a version"):
            write_back(graph, world.embeddings(), name=name)


def test_drop_frees_the_slot(world: World, graph: Graph, run_cypher: RunCypher) -> None:
    write_back(graph, world.embeddings(1), name="one")
    write_back(graph, world.embeddings(2), name="two")
    with pytest.raises(BadConfig, match="serves now"):
        drop(graph, "two")
    with pytest.raises(NotFound, match=r"no version 'three'.*'two', 'one'"):
        drop(graph, "three")
    assert drop(graph, "one").slot == "a"
    assert run_cypher(PROPERTIES, end="_a") == []
    assert [row["key"] for row in run_cypher(PROPERTIES, end="_b")] == [
        "counted_b",
        "embedding_b",
        "market_b",
        "message_b",
        "own_b",
        "similar_b",
        "similar_weight_b",
    ]
    assert [row["name"] for row in run_cypher("SHOW VECTOR INDEXES YIELD name")] == [
        "product_embedding_b"
    ]
    with pytest.raises(NotReady, match="no other version"):
        rollback(graph)


def test_versions_are_listed_on_the_command_line(
    world: World, graph: Graph, cli: Callable[..., Any]
) -> None:
    assert cli("versions").stderr == "no version in the graph yet; type: kinfolio writeback\n"
    write_back(graph, world.embeddings(1), name="one")
    write_back(graph, world.embeddings(2), name="two")
    listed = json.loads(cli("versions", "--json").stdout)["versions"]
    assert [(v["name"], v["state"], v["slot"]) for v in listed] == [
        ("two", "active", "b"),
        ("one", "ready", "a"),
    ]
    assert listed[0]["metrics"] == {"valid": {"recall@20": 0.5}}
    header, first, _ = (line.split("\t") for line in cli("versions", "list").stdout.splitlines())
    shown = dict(zip(header, first, strict=True))
    assert [shown[name] for name in ("version", "slot", "state")] == ["two", "b", "active"]
    assert [shown[name] for name in ("users", "products", "width")] == ["11", "20", "16"]
    assert [shown[name] for name in ("model", "metrics", "snapshot")] == [
        "random",
        "valid recall@20 0.5",
        "synthetic",
    ]
    assert cli("versions", "rollback").stdout == "version one serves from slot a\n"
    assert cli("versions", "drop", "two").stdout == "version two was dropped; slot b is free\n"
    failed = cli("versions", "rollback")
    assert failed.exit_code == 1
    assert failed.stderr.startswith("kinfolio: there is no other version to go back to")
