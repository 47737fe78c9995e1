"""A version that awaits approval serves nobody until somebody else than its writer approves it."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.environment import operator
from kinfolio.errors import BadConfig, NotFound, NotReady, VersionDamaged
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.publishing.health import check_graph
from kinfolio.gnn.publishing.lineage.approval import approve
from kinfolio.gnn.publishing.versions import (
    activate,
    drop,
    list_versions,
    rollback,
    split_users,
)
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.records import Connection
from tests.conftest import Cli
from tests.llm_explain.community import store

Run = Callable[..., list[dict[str, Any]]]
USER = "people"


@pytest.fixture
def embeddings(graph: Graph, run_cypher: Run) -> Embeddings:
    """Embeddings of a community in the graph; vectors are sums of messages."""
    return store(run_cypher)


@pytest.fixture
def required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINFOLIO_APPROVAL", "required")


def states(graph: Graph) -> dict[str, str]:
    return {version.name: version.state for version in list_versions(graph)}


@pytest.mark.usefixtures("required")
def test_a_version_serves_once_somebody_else_approves_it(
    graph: Graph, embeddings: Embeddings
) -> None:
    stored = write_back(graph, embeddings, name="one", by="ann")
    assert (stored.state, stored.replaced) == ("awaits approval", None)
    assert recommend(graph, USER).version is None
    for serve in (lambda: activate(graph, "one"), lambda: rollback(graph)):
        with pytest.raises(NotReady, match=r"'one' awaits approval; .* 'ann', types"):
            serve()
    (check,) = (one for one in check_graph(graph) if one.name == "versions")
    assert check.cure == "type: kinfolio versions approve one"
    for same in ("ann", " Ann "):
        with pytest.raises(BadConfig, match="wrote version 'one' and cannot approve it"):
            approve(graph, "one", same)
    approved = approve(graph, "one", "ben")
    assert (approved.state, approved.written_by, approved.approved_by) == ("active", "ann", "ben")
    assert recommend(graph, USER).version == "one"
    assert approve(graph, "one", "ben") == approved
    with pytest.raises(BadConfig, match="'one' was approved by 'ben' at 20"):
        approve(graph, "one", "carl")

    # The old version serves on, also for the users of a split, and a pending one may be replaced.
    write_back(graph, embeddings, name="two", by="ann")
    assert states(graph) == {"two": "awaits approval", "one": "active"}
    with pytest.raises(NotReady, match="'two' awaits approval"):
        split_users(graph, 30)
    assert recommend(graph, USER).version == "one"
    assert write_back(graph, embeddings, name="three", by="ben").replaced == "two"
    with pytest.raises(BadConfig, match="'ben' wrote version 'three'"):
        approve(graph, "three", "ben")
    assert approve(graph, "three", "ann").state == "active"
    # Approved once: it may be rolled back to, by anybody and at once.
    assert rollback(graph).name == "one"
    assert states(graph) == {"three": "ready", "one": "active"}
    (one,) = (version for version in list_versions(graph) if version.name == "one")
    assert (one.written_by, one.approved_by) == ("ann", "ben")


@pytest.mark.usefixtures("required")
def test_a_version_that_was_changed_before_its_approval_is_refused(
    graph: Graph, embeddings: Embeddings, run_cypher: Run
) -> None:
    write_back(graph, embeddings, name="one", by="ann")
    approve(graph, "one", "ben")
    slot = write_back(graph, embeddings, name="two", by="ann").slot
    message = f"MATCH (p:Product {{id: 'p3'}}) SET p.message_{slot} = $value"
    (row,) = run_cypher(f"MATCH (p:Product {{id: 'p3'}}) RETURN p.message_{slot} AS value")
    run_cypher(message, value=[number * 1.5 for number in row["value"]])
    with pytest.raises(VersionDamaged, match="hash of products: products were changed since"):
        approve(graph, "two", "ben")
    assert states(graph) == {"two": "awaits approval", "one": "active"}
    run_cypher(message, value=row["value"])
    assert approve(graph, "two", "ben").state == "active"


@pytest.mark.usefixtures("required")
def test_lists_are_tried_again_before_the_approval(
    graph: Graph, embeddings: Embeddings, run_cypher: Run
) -> None:
    slot = write_back(graph, embeddings, name="one", by="ann").slot
    # The hash is of vectors, messages and links: what else the sums need is tried.
    run_cypher("MATCH (v:EmbeddingVersion) SET v.general = [x IN v.general | x + 5.0]")
    with pytest.raises(NotReady, match=r"not activated.*the contributions to a score of"):
        approve(graph, "one", "ben")
    assert states(graph) == {"one": "awaits approval"}
    run_cypher(f"MATCH (u:User) REMOVE u.embedding_{slot}, u.message_{slot}")
    with pytest.raises(VersionDamaged, match="user vectors"):
        approve(graph, "one", "ben")


@pytest.mark.usefixtures("required")
def test_an_approval_does_not_pass_to_the_version_that_replaced_it(
    graph: Graph, embeddings: Embeddings
) -> None:
    write_back(graph, embeddings, name="one", by="ann")

    def replace(step: str, done: int, total: int) -> None:
        if step == "trying the version" and done:
            drop(graph, "one")
            write_back(graph, embeddings, name="one", by="ann")

    with pytest.raises(NotReady, match="'one' was replaced meanwhile"):
        approve(graph, "one", "ben", progress=replace)
    assert states(graph) == {"one": "awaits approval"}


@pytest.mark.usefixtures("required")
def test_of_two_approvals_at_once_one_is_recorded(
    graph: Graph, embeddings: Embeddings, server: Connection
) -> None:
    write_back(graph, embeddings, name="one", by="ann")

    def one_approval(by: str) -> str:
        with Graph(server) as own:
            try:
                return approve(own, "one", by).approved_by
            except BadConfig as error:
                return str(error)

    with ThreadPoolExecutor(2) as threads:
        found = sorted(threads.map(one_approval, ("ben", "carl")), key=len)
    (version,) = list_versions(graph)
    assert version.state == "active"
    assert found[0] == version.approved_by
    assert "was approved by" in found[1]


def test_where_approval_is_optional_it_is_only_recorded(
    graph: Graph, embeddings: Embeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        assert write_back(graph, embeddings, name=name).state == "active"
    assert approve(graph, "two", operator()).state == "active"
    assert approve(graph, "one", "ben").state == "ready"
    assert states(graph) == {"two": "active", "one": "ready"}
    with pytest.raises(NotFound, match="there is no version 'three'"):
        approve(graph, "three", "ben")
    monkeypatch.setenv("KINFOLIO_APPROVAL", "yes")
    with pytest.raises(BadConfig, match="KINFOLIO_APPROVAL is 'yes'; give required or optional"):
        write_back(graph, embeddings, name="three")
    assert states(graph) == {"two": "active", "one": "ready"}
    with pytest.raises(BadConfig, match=r"the name is ' '; give that of a person"):
        operator(" ")


def test_commands_approve_and_tell(
    graph: Graph, embeddings: Embeddings, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINFOLIO_APPROVAL", "required")
    write_back(graph, embeddings, name="one")
    listed = cli("versions").stdout.splitlines()
    row = dict(zip(*(line.split("\t") for line in listed), strict=True))
    assert (row["state"], row["serves"]) == ("awaits approval", "0 %")
    assert (row["written by"], row["approved by"]) == (operator(), "-")
    refused = cli("versions", "approve", "one")
    assert refused.exit_code == 1
    assert f"{operator()!r} wrote version 'one' and cannot approve it" in refused.stderr
    told = cli("versions", "approve", "one", "--by", "ben")
    assert told.stdout == "version one, approved by ben, serves\n"
    document = json.loads(cli("versions", "approve", "one", "--by", "ben", "--json").stdout)
    assert list(document) == ["version", "state", "written_by", "approved_by", "approved_at"]
    (version,) = json.loads(cli("versions", "--json").stdout)["versions"]
    assert (version["state"], version["approved_by"]) == ("active", "ben")
    assert version["approved_at"] == document["approved_at"]
