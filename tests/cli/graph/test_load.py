"""`kinfolio load`: output, rejected rows, and interrupts."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.events.log import EventLog
from kinfolio.events.records import Shown
from kinfolio.loaders import write_community
from tests.conftest import Cli, RunCypher, write_six_users


def test_load_prints_the_counts_and_the_next_step(cli: Cli, graph: Graph, tmp_path: Path) -> None:
    result = cli("load", str(write_six_users(tmp_path / "six")))
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "loaded 6 users, 6 products, 10 interactions, 4 ties, 3 reviews in "
    )
    assert "writing interactions: 10" in result.stderr
    assert result.stderr.endswith("next: kinfolio export\n")


def test_json_has_the_fields_of_the_contract(cli: Cli, graph: Graph, tmp_path: Path) -> None:
    folder = write_six_users(tmp_path / "six")
    with (folder / "ties.tsv").open("a") as ties:
        ties.write("u1\tghost\tfollows\n")
    answer = json.loads(cli("load", str(folder), "--json").stdout)
    assert {name: answer[name] for name in answer if name not in ("seconds", "rejects_file")} == {
        "users": 6,
        "products": 6,
        "interactions": 10,
        "ties": 4,
        "reviews": 3,
        "rejected": [{"file": "ties.tsv", "line": 6, "reason": "dangling tie: no user 'ghost'"}],
        "dismissals": 0,
        "held_by_events": 0,
        "dismissed_by_events": 0,
        "notes": [
            "interactions.tsv: ratings (3 to 5) are stored but not read by training, so a low one "
            "counts as a holding too; --least-rating X counts those below X as dismissed"
        ],
        "removed": None,
    }
    assert answer["seconds"] > 0


def test_files_that_are_not_loaded_are_named_on_stderr(
    cli: Cli, graph: Graph, tmp_path: Path
) -> None:
    folder = write_six_users(tmp_path / "six")
    (folder / "customers.csv").write_text("customer,country\nu1,DE\n")
    sentence = "customers.csv: not a table; "
    assert sentence in cli("load", str(folder)).stderr
    assert sentence in cli("load", "--check", str(folder)).stderr
    result = cli("load", str(folder), "--json")
    assert json.loads(result.stdout)["notes"][0] == f"{sentence}users are read from users.csv"


def test_a_wrong_split_rule_stops_before_anything_is_read(cli: Cli, tmp_path: Path) -> None:
    folder = write_six_users(tmp_path / "six")
    result = cli("load", str(folder), "--split", "time:0.6")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "e.g. --split time:0.1" in result.stderr
    assert cli("load", str(folder), "--split", "time:0.1", "--check").exit_code == 2


def test_rejected_rows_are_printed_and_listed_in_a_file(
    cli: Cli, graph: Graph, tmp_path: Path, server_home: Path
) -> None:
    (tmp_path / "in").mkdir()
    rows = "".join(f"u{n}\tA\tbad\n" for n in range(7))
    (tmp_path / "in" / "interactions.tsv").write_text(f"user\tproduct\trating\nu1\tA\t5\n{rows}")
    result = cli("load", str(tmp_path / "in"))
    assert result.exit_code == 0
    assert "7 rows were rejected:" in result.stderr
    assert "  interactions.tsv:3: rating 'bad' is not a number" in result.stderr
    listed = server_home / "rejects" / "in.tsv"
    assert f"and 2 more, all listed in {listed}" in result.stderr
    assert len(listed.read_text().splitlines()) == 8
    own = tmp_path / "own.tsv"
    cli("load", str(tmp_path / "in"), "--rejects", str(own))
    assert own.read_text() == listed.read_text()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--bulk", "--check"), "exclude each other"),
        (("--replace", "--bulk"), "exclude each other"),
        (("--yes",), "--yes requires --replace"),
    ],
)
def test_options_that_exclude_each_other_are_refused(
    cli: Cli, tmp_path: Path, flags: tuple[str, ...], message: str
) -> None:
    result = cli("load", str(write_six_users(tmp_path / "six")), *flags)
    assert result.exit_code == 2
    assert message in result.stderr


def test_an_interrupt_prints_how_to_resume(
    cli: Cli, graph: Graph, tmp_path: Path, run_cypher: RunCypher
) -> None:
    folder = tmp_path / "community"
    write_community(folder, num_users=200, num_products=60)
    # In a separate process, with small batches and an interrupt when the third one begins.
    script = """
import os, signal, sys
import kinfolio.loaders.writing.edges
from kinfolio.cypher.graph import Graph
kinfolio.loaders.writing.edges.BATCH_ROWS = 50
write, names = Graph.write_in_one, []
def stop(self, name, work):
    names.append(name)
    if names.count("load_interactions") == 3:
        os.kill(os.getpid(), signal.SIGINT)
    return write(self, name, work)
Graph.write_in_one = stop
from kinfolio.cli.main import main
main(["load", *sys.argv[1:]])
"""
    words = ["--rejects", str(tmp_path / "rejects.tsv"), str(folder)]
    ended = subprocess.run(
        [sys.executable, "-c", script, *words],
        capture_output=True,
        text=True,
        check=False,
        # A test run in the background may ignore interrupts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert ended.returncode == 130
    assert ended.stderr.rstrip().endswith(
        f"stopped; to resume, type: kinfolio load {' '.join(words)}"
    )
    count = "MATCH ()-[h:HOLDS]->() RETURN count(h) AS holdings"
    lines = len((folder / "interactions.tsv").read_text().splitlines())
    assert 100 <= run_cypher(count)[0]["holdings"] < lines - 1
    assert cli("load", str(folder)).exit_code == 0
    assert run_cypher(count) == [{"holdings": lines - 1}]


def test_replace_deletes_conversations_and_events_of_removed_users(
    cli: Cli, six_users: Graph, tmp_path: Path, run_cypher: RunCypher
) -> None:
    own: dict[str, str | None] = {"KINFOLIO_HOME": str(tmp_path / "home")}
    log = EventLog(tmp_path / "home")
    for user in ("u1", "u6"):
        said = cli("chat", user, "--model", "none", "--thread", "t", input="hi\n", env=own)
        assert said.exit_code == 0, said.stderr
        log.show(user=user, version=None, source="ties", products=["A"])
    folder = write_six_users(tmp_path / "six")
    for name in ("users.csv", "ties.tsv", "reviews.jsonl"):
        lines = (folder / name).read_text().splitlines(keepends=True)
        (folder / name).write_text("".join(line for line in lines if "u6" not in line))
    result = cli("load", str(folder), "--replace", env=own)
    assert "would be removed, which needs a confirmation" in result.stderr
    assert _threads(tmp_path / "home") == {'["u1", "t"]', '["u6", "t"]'}
    assert {shown.user for shown in log.read() if isinstance(shown, Shown)} == {"u1", "u6"}
    assert cli("load", str(folder), "--replace", "--yes", env=own).exit_code == 0
    assert _threads(tmp_path / "home") == {'["u1", "t"]'}
    assert {shown.user for shown in log.read() if isinstance(shown, Shown)} == {"u1"}
    assert run_cypher("MATCH (u:User) RETURN count(*) AS users") == [{"users": 5}]


def _threads(home: Path) -> set[str]:
    with closing(sqlite3.connect(home / "chat" / "conversations.sqlite")) as database:
        return {row[0] for row in database.execute("SELECT thread_id FROM checkpoints")}
