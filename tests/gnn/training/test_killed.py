"""`kinfolio writeback` killed with -9 at each of its steps: the served version stays the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.publishing.versions import list_versions
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.records import Connection, Recommendations
from kinfolio.run import Run
from tests.conftest import environment_of

# A real command, which dies by its own hand right after one statement was answered.
KILLED = """
import os, signal, sys
from kinfolio.cli.main import main
from kinfolio.cypher.graph import Graph
last, run = sys.argv[1:]
def dying(method):
    def call(self, name, *rest, **parameters):
        rows = method(self, name, *rest, **parameters)
        if name == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return rows
    return call
Graph.read, Graph.write, Graph.schema = map(dying, (Graph.read, Graph.write, Graph.schema))
main(["writeback", "--run", run, "--name", "after " + last])
"""
STEPS = (
    "write_back_begin",
    "write_back_products",
    "write_back_users",
    "write_back_counts",
    "write_back_ready",
)
ALL_VECTORS = """
MATCH (n) WHERE n.gid IS NOT NULL AND (n:User OR n:Product)
RETURN labels(n)[0] AS label, n.gid AS gid, n['embedding_' + $slot] AS embedding,
       n['message_' + $slot] AS message, n['own_' + $slot] AS own, n['counted_' + $slot] AS counted
ORDER BY label, gid
"""


def test_a_write_back_killed_at_any_step_changes_no_answer_and_the_next_one_repairs(
    demo_graph: Graph,
    demo_run: Run,
    server: Connection,
    server_home: Path,
    run_cypher: Callable[..., list[dict[str, Any]]],
    cli: Callable[..., Any],
) -> None:
    users = [
        row["id"] for row in run_cypher("MATCH (u:User) RETURN u.id AS id ORDER BY id LIMIT 5")
    ]
    before = _answers(users, demo_graph)
    serving = before[0].version
    whole = run_cypher(ALL_VECTORS, slot=_slot_of(serving, demo_graph))
    for step in STEPS:
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, step, str(demo_run.folder)],
            env=os.environ | environment_of(server, server_home),
            check=False,
            capture_output=True,
            text=True,
        )
        assert killed.returncode == -9, killed.stderr
        assert _answers(users, demo_graph) == before, step
        assert [v.name for v in list_versions(demo_graph) if v.state == "active"] == [serving]
    assert cli("writeback", "--run", str(demo_run.folder), "--name", "repaired").exit_code == 0
    repaired = _answers(users, demo_graph)
    assert {one.version for one in repaired} == {"repaired"}
    assert [one.products for one in repaired] == [one.products for one in before]
    assert run_cypher(ALL_VECTORS, slot=_slot_of("repaired", demo_graph)) == whole


def _answers(users: list[str], graph: Graph) -> list[Recommendations]:
    return [recommend(graph, user) for user in users]


def _slot_of(name: str | None, graph: Graph) -> str:
    return next(version.slot for version in list_versions(graph) if version.name == name)
