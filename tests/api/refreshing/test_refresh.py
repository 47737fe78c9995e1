"""`kinfolio refresh` on a real server: when it trains, what it refuses, what a kill leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kinfolio.api.refreshing.folder import RefreshFolder
from kinfolio.api.refreshing.records import RefreshConfig
from kinfolio.api.refreshing.refresh import refresh
from kinfolio.cypher.graph import Graph
from kinfolio.gnn.publishing.version_check import check_versions
from kinfolio.gnn.publishing.versions import list_versions, rollback
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.loaders import load
from kinfolio.records import Connection
from kinfolio.run import Run
from tests.api.refreshing.worlds import USERS, rows, serve, taste_of, write_files
from tests.conftest import Cli, RunCypher, environment_of

TASTE = "MATCH (u:User)-[h:HOLDS]->(p:Product) WHERE h.split = 'train' "


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(graph: Graph, tmp_path: Path) -> Run:
    """The run of the version that serves."""
    return serve(graph, tmp_path)


class Refresher:
    """`kinfolio refresh --json` in a home of its own."""

    def __init__(self, cli: Cli, run: Run, home: Path) -> None:
        self._cli, self._run, self._home = cli, run, home

    def __call__(self, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
        words = ("refresh", "--json", "--run", str(self._run.folder), *arguments)
        done = self._cli(*words, env={"KINFOLIO_HOME": str(self._home)})
        assert done.exit_code == exit_code, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer | {"stderr": done.stderr}


@pytest.fixture
def again(cli: Cli, run: Run, home: Path) -> Refresher:
    return Refresher(cli, run, home)


def more_holdings(graph: Graph, folder: Path, number: int) -> None:
    """Load holdings of the users' tastes that they did not have."""
    held = {tuple(row.split("\t")[:2]) for row in rows()}
    others = [
        f"u{user:03}\t{product}\ttrain"
        for user in range(USERS)
        for product in taste_of(user)
        if (f"u{user:03}", product) not in held
    ]
    load(graph, write_files(folder, [*rows(), *others[::7][:number]]))


def active(graph: Graph) -> str:
    return next(one.name for one in list_versions(graph) if one.state == "active")


def test_nothing_new_is_told_at_once_and_nothing_is_written(
    again: Refresher, graph: Graph, home: Path
) -> None:
    assert "nothing new" in again()["reason"]
    before, files = graph.bookmark(), sorted(home.rglob("*"))
    started = time.perf_counter()
    done = again()
    assert time.perf_counter() - started < 2
    assert (done["published"], done["version"], done["before"]) == (False, "one", {})
    assert "nothing new since the training of version one" in done["reason"]
    assert graph.bookmark() == before
    assert sorted(home.rglob("*")) == files


def test_few_changes_are_told_with_numbers(
    again: Refresher, graph: Graph, tmp_path: Path, run_cypher: RunCypher
) -> None:
    more_holdings(graph, tmp_path / "files", 2)
    run_cypher(
        "MATCH (u:User {id: 'u007'})-[h:HOLDS]->() WITH u, h LIMIT 1 "
        "SET h.rating = 3, u.changed = timestamp()"
    )
    done = again()
    assert not done["published"]
    assert done["reason"] == ("below the threshold of 1.00%: 3 of 2,160 holdings changed (0.14%)")
    assert done["changes"]["holdings"] == {"total": 2160, "added": 2, "removed": 0, "altered": 1}
    assert again()["reason"] == done["reason"]
    assert again("--at-least", "0.1%", "--dry-run")["reason"].startswith("would train")


def test_many_changes_are_trained_compared_and_published(
    again: Refresher, graph: Graph, tmp_path: Path, run_cypher: RunCypher
) -> None:
    more_holdings(graph, tmp_path / "files", 40)
    run_cypher("CREATE (:User {id: 'late'}), (:Product {id: 'bare'})")
    run_cypher(
        "MATCH (u:User {id: 'late'}), (p:Product) WHERE p.id IN ['p000', 'p006', 'p012', 'bare'] "
        "CREATE (u)-[:HOLDS]->(p) SET u.changed = timestamp()"
    )
    done = again()
    assert done["published"], done
    assert done["reason"] == (
        "44 of 2,160 holdings changed (2.04%), 1 new products have holders and no text"
    )
    assert done["version"] == active(graph) != "one"
    assert all(check["ok"] for check in done["checks"])
    names = [check["name"] for check in done["checks"]]
    assert names[:3] == ["finite", "recall@20", "ndcg@20"]
    assert {"coverage@20", "index_recall@10"} <= set(names)
    assert done["after"]["all"]["recall@20"] > 0.9 * done["before"]["all"]["recall@20"] > 0
    assert recommend(graph, "late", 5).version == done["version"]
    assert all(report.ok for report in check_versions(graph))
    before = graph.bookmark()
    assert f"training of version {done['version']}" in again()["reason"]
    assert graph.bookmark() == before


def test_a_change_during_the_training_is_not_lost(
    run: Run, graph: Graph, tmp_path: Path, home: Path, run_cypher: RunCypher
) -> None:
    more_holdings(graph, tmp_path / "files", 40)
    config = RefreshConfig(run=run.folder)
    written = []

    def write_once(step: str, done: int, total: int) -> None:
        if step.startswith(("head 1", "writing into slot")) and step[:7] not in written:
            written.append(step[:7])
            run_cypher(
                "MATCH (u:User {id: $user}), (p:Product {id: 'p119'}) "
                "CREATE (u)-[:HOLDS]->(p) SET u.changed = timestamp()",
                user=f"u00{2 * len(written)}",
            )

    done = refresh(graph, config, home=home, progress=write_once)
    assert done.published
    assert len(written) == 2
    later = refresh(graph, config, home=home)
    assert later.changes["holdings"]["added"] == 2
    assert later.reason.startswith("below the threshold of 1.00%: 2 of 2,200 holdings changed")


def test_a_worse_model_is_refused_and_the_old_version_serves_on(
    again: Refresher, graph: Graph, run_cypher: RunCypher
) -> None:
    before = recommend(graph, "u001", 10)
    swap = "MATCH (q:Product) WHERE q.gid = (31 * p.gid + 17 * u.gid) % 120 "
    run_cypher(
        TASTE + "AND (u.gid + p.gid) % 9 < 4 WITH u, h, p " + swap + "AND NOT (u)-->(q) "
        "CREATE (u)-[:HOLDS {split: 'train'}]->(q) SET u.changed = timestamp() DELETE h"
    )
    done = again(exit_code=1)
    assert (done["published"], done["refused"], done["version"]) == (False, True, "one")
    failed = [check["name"] for check in done["checks"] if not check["ok"]]
    assert {"recall@20", "ndcg@20"} & set(failed)
    assert f"{failed[0]} " in done["reason"]
    assert "version one still serves; the new model is worse" in done["stderr"]
    assert recommend(graph, "u001", 10).version == before.version == "one"
    repeated = again()
    assert repeated["reason"].startswith("nothing new since a model was refused")


def test_a_graph_that_lost_most_holdings_is_not_trained_on(
    again: Refresher, graph: Graph, run_cypher: RunCypher
) -> None:
    run_cypher(TASTE + "AND u.gid < 200 SET u.changed = timestamp() DELETE h")
    done = again(exit_code=1)
    assert "% of the holdings have disappeared" in done["reason"]
    assert active(graph) == "one"


def test_two_at_once(again: Refresher, graph: Graph, home: Path, cli: Cli) -> None:
    with RefreshFolder(home, graph).locked():
        done = cli("refresh", env={"KINFOLIO_HOME": str(home)})
    assert done.exit_code == 1
    assert f"kinfolio refresh (process {os.getpid()}) has worked there since" in done.stderr
    assert "nothing new" in again()["reason"]


def test_a_dry_run_writes_nothing(
    again: Refresher, graph: Graph, tmp_path: Path, home: Path, run_cypher: RunCypher
) -> None:
    more_holdings(graph, tmp_path / "files", 40)
    before = graph.bookmark()
    done = again("--dry-run")
    assert done["reason"] == (
        "would train, and publish if the model is no worse: 40 of 2,160 holdings changed (1.85%)"
    )
    assert not home.exists() or not [path for path in home.rglob("*") if path.is_file()]
    run_cypher("CREATE (:User {id: 'by hand'})")
    assert "by hand" in again("--dry-run")["reason"]
    run_cypher("MATCH (u:User {id: 'by hand'}) DELETE u")
    run_cypher("MATCH (v:EmbeddingVersion) DELETE v")
    assert "first version" in again("--dry-run")["reason"]
    assert before != graph.bookmark()


def test_a_version_that_was_rolled_back_is_not_published_again(
    again: Refresher, graph: Graph, tmp_path: Path
) -> None:
    more_holdings(graph, tmp_path / "files", 40)
    new = again()["version"]
    rollback(graph)
    done = again()
    assert (done["published"], done["version"]) == (False, "one")
    assert f"training of version {new}, which does not serve" in done["reason"]


def test_only_the_last_runs_remain_and_those_of_stored_versions(
    again: Refresher, graph: Graph, tmp_path: Path, home: Path
) -> None:
    done = []
    for number in (40, 80, 120):
        more_holdings(graph, tmp_path / "files", number)
        done.append(again("--keep", "1"))
    folders = [Path(answer["run"]) for answer in done]
    assert not folders[0].exists()
    # The last one, and the one of the other slot.
    assert sorted(home.glob("refresh/*/runs/*")) == folders[1:]


def test_without_a_validation_split_the_same_interactions_are_held_back_again(
    cli: Cli, graph: Graph, tmp_path: Path, home: Path
) -> None:
    run = serve(graph, tmp_path, has_valid=False)
    lines = [row.replace("valid", "").replace("train", "") for row in rows()]
    extra = [f"u{user:03}\t{taste_of(user)[user % 20]}\t" for user in range(60)]
    load(graph, write_files(tmp_path / "files", [*lines, *extra]))
    done = Refresher(cli, run, home)()
    assert done["published"], done
    assert done["before"]["all"]["recall@20"] > 0.3
    done = Refresher(cli, run, home)("--at-least", "0%", "--search", "--dry-run")
    assert "nothing new" in done["reason"]


def test_the_first_version_of_a_graph(cli: Cli, graph: Graph, tmp_path: Path, home: Path) -> None:
    load(graph, write_files(tmp_path / "files", list(rows())))
    words = ("refresh", "--budget", "5s", "--device", "cpu")
    done = cli(*words, env={"KINFOLIO_HOME": str(home)})
    assert done.exit_code == 0, done.stderr
    assert "serves: the first version" in done.stdout
    assert "nothing new" in cli(*words, env={"KINFOLIO_HOME": str(home)}).stdout


# A real command, which dies by its own hand right after one statement was answered.
KILLED = """
import os, signal, sys
from kinfolio.cli.main import main
from kinfolio.cypher.graph import Graph
run, last, left = sys.argv[1], sys.argv[2], int(sys.argv[3])
def dying(method):
    def call(self, name, *rest, **parameters):
        global left
        rows = method(self, name, *rest, **parameters)
        left -= name == last
        if name == last and not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return rows
    return call
for name in ("read", "write", "schema", "write_in_one"):
    setattr(Graph, name, dying(getattr(Graph, name)))
main(["refresh", "--run", run])
"""
STEPS = (
    ("export_changed", 1),
    ("write_back_slots", 1),
    ("write_back_begin", 1),
    ("write_back_users", 1),
    ("write_back_ready", 1),
    ("version_activate", 2),  # the first one settles which version serves
)


@pytest.mark.parametrize(("step", "time"), STEPS)
def test_a_killed_refresh_is_completed_by_the_next(
    step: str,
    time: int,
    run: Run,
    graph: Graph,
    tmp_path: Path,
    home: Path,
    server: Connection,
    cli: Cli,
) -> None:
    more_holdings(graph, tmp_path / "files", 40)
    before = recommend(graph, "u001", 10)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(run.folder), step, str(time)],
        env=os.environ | environment_of(server, home),
        check=False,
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -9, killed.stderr
    after = recommend(graph, "u001", 10)
    assert step == "version_activate" or after == before
    done = Refresher(cli, run, home)()
    assert done["published"] == (step != "version_activate")
    assert active(graph) != "one"
    assert all(report.ok for report in check_versions(graph))
    assert not list(home.glob("refresh/*/runs/*/unpublished"))
    assert "nothing new" in Refresher(cli, run, home)()["reason"]
