"""One version serves, whoever switches at the same time; and what was damaged is mended."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady, VersionDamaged
from kinfolio.gnn.publishing import slots
from kinfolio.gnn.publishing.slots import NodeKind, Writer
from kinfolio.gnn.publishing.versions import drop, list_versions, rollback, settle
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.records import Connection
from tests.conftest import Cli

if TYPE_CHECKING:
    from tests.gnn.conftest import World

Run = Callable[..., list[dict[str, Any]]]
TWO_ACTIVE = "MATCH (v:EmbeddingVersion) SET v.state = 'active'"


@pytest.fixture
def world(graph: Graph, make_world: Callable[..., World], run_cypher: Run) -> World:
    """A small world with the versions `one` and, active, `two`."""
    world = make_world(1, 12, 20)
    world.store(run_cypher)
    for name in ("one", "two"):
        write_back(graph, world.embeddings(), name=name, check_sums=False)
    return world


def states(graph: Graph) -> dict[str, str]:
    return {version.name: version.state for version in list_versions(graph)}


def test_rollbacks_at_once_and_during_write_backs_leave_one_active_version(
    world: World, graph: Graph, server: Connection
) -> None:
    def one_rollback(_: int) -> str:
        with Graph(server) as own:
            return rollback(own).name

    for _ in range(2):
        with ThreadPoolExecutor(12) as threads:
            activated = list(threads.map(one_rollback, range(12)))
        # One after the other, each switches to the version that the one before had left.
        assert sorted(activated) == ["one"] * 6 + ["two"] * 6
        assert states(graph) == {"one": "ready", "two": "active"}

    def write(_: int) -> None:
        with Graph(server) as own:
            write_back(own, world.embeddings(), check_sums=False)

    def roll(_: int) -> None:
        with Graph(server) as own:
            for _ in range(20):
                try:
                    rollback(own)
                except NotReady:
                    continue

    with ThreadPoolExecutor(4) as threads:
        rolling = [threads.submit(roll, number) for number in range(3)]
        for number in range(2):
            with suppress(NotReady):  # a rollback may activate the version it would replace
                threads.submit(write, number).result()
        for one in rolling:
            one.result()
    assert list(states(graph).values()).count("active") == 1
    assert recommend(graph, "u06").products


def test_two_active_versions_are_mended_by_rollback_write_back_and_doctor(
    world: World, graph: Graph, run_cypher: Run, cli: Cli
) -> None:
    serving = recommend(graph, "u06").version
    assert serving == "two"
    run_cypher(TWO_ACTIVE)
    doctor = cli("doctor", "--json")
    assert doctor.exit_code == 1
    found = {check["name"]: check for check in json.loads(doctor.stdout)["checks"]}
    assert found["versions"]["detail"] == "several are active: two, one"
    assert found["versions"]["cure"] == "type: kinfolio doctor --fix"
    fixed = cli("doctor", "--fix")
    assert "fixed: one no longer serves beside the active version" in fixed.stderr
    assert states(graph) == {"two": "active", "one": "ready"}

    run_cypher(TWO_ACTIVE)
    assert rollback(graph).name == "one"
    assert states(graph) == {"two": "ready", "one": "active"}

    run_cypher(TWO_ACTIVE)
    assert write_back(graph, world.embeddings(), name="three", check_sums=False).slot == "a"
    assert states(graph) == {"three": "active", "two": "ready"}
    assert settle(graph) == ()


def test_a_version_in_no_slot_or_of_the_same_name_does_no_harm(
    world: World, graph: Graph, run_cypher: Run, cli: Cli
) -> None:
    before = recommend(graph, "u06")
    run_cypher("CREATE (:EmbeddingVersion {name: 'lost', slot: 'c', state: 'ready'})")
    assert rollback(graph).name == "one"
    assert rollback(graph).name == "two"
    assert drop(graph, "lost").name == "lost"
    assert recommend(graph, "u06") == before
    run_cypher("CREATE (:EmbeddingVersion {name: 'lost', slot: 'c', state: 'odd'})")
    assert "lost is in slot 'c'" in cli("doctor").stdout
    assert "removed: lost" in cli("doctor", "--fix").stderr
    assert states(graph) == {"two": "active", "one": "ready"}
    # Two of one name, as without the constraint: only the one that does not serve is dropped.
    run_cypher("DROP CONSTRAINT version_name IF EXISTS")
    run_cypher("MATCH (v:EmbeddingVersion {name: 'one'}) SET v.name = 'two'")
    assert drop(graph, "two").slot == "a"
    assert recommend(graph, "u06") == before
    assert "missing: version_name" in cli("doctor").stdout
    assert cli("doctor", "--fix").exit_code == 0
    assert "version_name" in {row["name"] for row in run_cypher("SHOW CONSTRAINTS YIELD name")}


def test_a_drop_that_is_interrupted_says_so_and_is_completed(
    world: World, graph: Graph, run_cypher: Run, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = slots.clear

    def clear(graph: Graph, writer: Writer, kind: NodeKind, gids: Sequence[int]) -> None:
        if kind == "products":
            raise KeyboardInterrupt
        real(graph, writer, kind, gids)

    before = recommend(graph, "u06")
    with monkeypatch.context() as patch:
        patch.setattr(slots, "clear", clear)
        told = cli("versions", "drop", "one")
    assert told.exit_code == 130
    assert "a part of version 'one' may be removed; the active version is unchanged" in told.stderr
    assert "to remove the rest, type: kinfolio versions drop one" in told.stderr
    assert recommend(graph, "u06") == before
    assert drop(graph, "one").slot == "a"
    assert states(graph) == {"two": "active"}
    assert run_cypher("MATCH (n) WHERE n.embedding_a IS NOT NULL RETURN n") == []
    # Ids and names of any length make one short sentence.
    for command in (("versions", "drop"), ("recommend",), ("similar",), ("why-not", "u06")):
        told = cli(*command, "x" * 10_000)
        assert told.exit_code == 1
        assert "xxx...' in the graph; " in told.stderr
        assert len(told.stderr) < 250


def test_what_cannot_serve_is_not_activated_and_named_with_the_way_back(
    world: World, graph: Graph, run_cypher: Run, cli: Cli
) -> None:
    run_cypher("MATCH (v:EmbeddingVersion {name: 'one'}) SET v.dim = 'eight'")
    with pytest.raises(VersionDamaged, match=r"version 'one' .* its dim is 'eight'"):
        rollback(graph)
    assert states(graph) == {"two": "active", "one": "ready"}
    run_cypher("MATCH (v:EmbeddingVersion) SET v.state = 'odd', v.dim = 8")
    assert "NO  versions: none is active" in cli("doctor").stdout
    told = cli("recommend", "u06")
    assert "no version is active" in told.stderr
    assert "kinfolio versions" in told.stderr
    run_cypher("MATCH (v:EmbeddingVersion {name: 'one'}) SET v.state = 'ready'")
    assert rollback(graph).name == "one"
    # Vectors of no version are found and removed.
    run_cypher("MATCH (v:EmbeddingVersion {name: 'two'}) DELETE v")
    assert "vectors in slot b belong to no version" in cli("doctor").stdout
    assert "slot b, which belonged to no version, was cleared" in cli("doctor", "--fix").stderr
    assert run_cypher("MATCH (n) WHERE n.embedding_b IS NOT NULL RETURN n") == []
    assert cli("doctor").exit_code == 0
    assert recommend(graph, "u06").version == "one"
