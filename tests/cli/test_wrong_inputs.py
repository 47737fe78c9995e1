"""What a user sees who types something wrong: one sentence with the cure, and nothing half changed.

Each row names what is wrong, what is typed, and what the one sentence must say. The graph holds six
users, the run is exported but not trained, nothing is written back; graph and run must be the same
after every row.
"""

from __future__ import annotations

import contextlib
import gzip
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import ServerError
from kinfolio.loaders import export, load
from kinfolio.records import Connection
from kinfolio.run import Run
from tests.conftest import Result, RunCypher

Cli = Callable[..., Result]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One wrong input."""

    typed: tuple[str, ...]
    says: str
    """A regular expression that the last line on stderr matches."""
    files: tuple[tuple[str, bytes], ...] = ()
    """Files made before, under {tmp}."""
    env: tuple[tuple[str, str], ...] = ()
    exit_code: int = 1


def interactions(text: str, name: str = "in/interactions.tsv") -> tuple[tuple[str, bytes], ...]:
    return ((name, text.encode()),)


GOOD = "user\tproduct\nu1\tA\n"
TABLE = {
    "a folder that is not there": Wrong(
        typed=("load", "{tmp}/nowhere"),
        says=r"nowhere.*(is not there|does not exist|no such folder)",
    ),
    "a file in place of a folder": Wrong(
        typed=("load", "{tmp}/in"), files=(("in", b"user,product\n"),), says=r"is a file.*folder"
    ),
    "a folder without interactions": Wrong(
        typed=("load", "{tmp}/in"), files=(("in/users.csv", b"user\nu1\n"),), says=r"interactions"
    ),
    "an empty file": Wrong(
        typed=("load", "{tmp}/in"), files=interactions(""), says=r"interactions\.tsv is empty"
    ),
    "a header and nothing else": Wrong(
        typed=("load", "{tmp}/in"), files=interactions("user\tproduct\n"), says=r"interactions"
    ),
    "a wrong column": Wrong(
        typed=("load", "{tmp}/in"),
        files=interactions("customer\tproduct\nu1\tA\n"),
        says=r"interactions\.tsv.*user.*customer|interactions\.tsv.*customer.*user",
    ),
    "two files for one table": Wrong(
        typed=("load", "{tmp}/in"),
        files=(*interactions(GOOD), *interactions("user,product\nu1,A\n", "in/interactions.csv")),
        says=r"interactions\.(csv|tsv).*interactions\.(csv|tsv)",
    ),
    "a file that is not Parquet": Wrong(
        typed=("load", "{tmp}/in"),
        files=(("in/interactions.parquet", b"this is not parquet at all"),),
        says=r"interactions\.parquet",
    ),
    "a gzip file cut off": Wrong(
        typed=("load", "{tmp}/in"),
        files=(("in/interactions.tsv.gz", gzip.compress(GOOD.encode() * 999)[:60]),),
        says=r"interactions\.tsv\.gz",
    ),
    "an ending nobody reads": Wrong(
        typed=("load", "{tmp}/in"),
        files=(("in/interactions.xlsx", b"PK"),),
        says=r"interactions",
    ),
    "an unknown user": Wrong(typed=("recommend", "nobody"), says=r"no user.*nobody"),
    "a user with a quote in the id": Wrong(
        typed=("recommend", "o'neil\") DETACH DELETE n //"), says=r"no user.*o.+neil"
    ),
    "a user with an emoji in the id": Wrong(typed=("recommend", "u🦊"), says=r"no user.*🦊"),
    "a list of no products": Wrong(typed=("recommend", "u1", "-k", "0"), says=r"-?k.* 0.*1"),
    "a k that is no number": Wrong(
        typed=("recommend", "u1", "-k", "ten"), says=r"'ten' is not a valid integer", exit_code=2
    ),
    "no user at all": Wrong(typed=("recommend",), says=r"give a USER", exit_code=2),
    "everybody, but where to": Wrong(
        typed=("recommend", "--all"), says=r"give --out FILE", exit_code=2
    ),
    "training before the export": Wrong(
        typed=("train", "--run", "{tmp}/new"), says=r"no snapshot yet; type: kinfolio export"
    ),
    "evaluation before the training": Wrong(
        typed=("evaluate", "--run", "{run}"), says=r"no trained model yet; type: kinfolio train"
    ),
    "a report before the training": Wrong(
        typed=("report", "--run", "{run}"), says=r"no trained model yet; type: kinfolio train"
    ),
    "write-back before the training": Wrong(
        typed=("writeback", "--run", "{run}"), says=r"no trained model yet; type: kinfolio train"
    ),
    "an explanation before the write-back": Wrong(
        typed=("explain", "u1", "B"), says=r"kinfolio writeback"
    ),
    "an explanation of an unknown product": Wrong(
        typed=("explain", "u1", "gold bars"), says=r"no product.*gold bars|kinfolio writeback"
    ),
    "why not, of an unknown product": Wrong(
        typed=("why-not", "u1", "gold bars"), says=r"no product.*gold bars"
    ),
    "a run folder half written": Wrong(
        typed=("train", "--run", "{tmp}/half"),
        files=(("half/snapshot/users.parquet", b"PAR1"),),
        says=r"half written \(no manifest\.json\); type: kinfolio export",
    ),
    "a run half trained": Wrong(
        typed=("writeback", "--run", "{tmp}/half"),
        files=(
            ("half/model.safetensors", b"x"),
            ("half/snapshot/manifest.json", b"{}"),
        ),
        says=r"half written \(no run\.json\); type: kinfolio train",
    ),
    "a manifest that is damaged": Wrong(
        typed=("train", "--run", "{tmp}/half"),
        files=(("half/snapshot/manifest.json", b'{"format": '),),
        says=r"manifest\.json is damaged",
    ),
    "a width of nothing": Wrong(
        typed=("train", "--run", "{run}", "--dim", "1"), says=r"--dim is 1; expected"
    ),
    "a device that is not there": Wrong(
        typed=("train", "--run", "{run}", "--device", "abacus"), says=r"--device is 'abacus'"
    ),
    "a choice that does not exist": Wrong(
        typed=("train", "--run", "{run}", "--text", "maybe"),
        says=r"'maybe' is not one of",
        exit_code=2,
    ),
    "a roll-back with nothing to go back to": Wrong(
        typed=("versions", "rollback"), says=r"version"
    ),
    "dropping a version that is not there": Wrong(
        typed=("versions", "drop", "spring"), says=r"version.*spring|spring.*version"
    ),
    "a text to check that is not there": Wrong(
        typed=("check-text", "u1", "B", "{tmp}/text.txt"),
        says=r"no file .*text\.txt; give a text file",
    ),
    "a wipe without a yes": Wrong(
        typed=("db", "wipe"), says=r"--yes|not kinfolio's|NEO4J_URI", exit_code=-1
    ),
    "a server that does not answer": Wrong(
        typed=("recommend", "u1"),
        env=(("NEO4J_URI", "bolt://127.0.0.1:9"),),
        says=r"127\.0\.0\.1:9",
    ),
    "an address that is none": Wrong(
        typed=("recommend", "u1"), env=(("NEO4J_URI", "my server"),), says=r"NEO4J_URI|my server"
    ),
    "a wrong password": Wrong(
        typed=("recommend", "u1"), env=(("NEO4J_PASSWORD", "wrong"),), says=r"password"
    ),
    "a language model from nowhere": Wrong(
        typed=("explain", "u1", "B", "--model", "nowhere:big"), says=r"nowhere|kinfolio writeback"
    ),
}


@pytest.fixture
def world(six_users: Graph, tmp_path: Path) -> Run:
    """Six users in the graph, exported."""
    run = Run(tmp_path / "run")
    export(six_users, run.snapshot)
    return run


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def graph_content(run_cypher: RunCypher) -> list[dict[str, object]]:
    nodes = run_cypher(
        "MATCH (n) RETURN labels(n) AS labels, properties(n) AS has, "
        "COUNT { (n)--() } AS degree ORDER BY elementId(n)"
    )
    return nodes + run_cypher(
        "MATCH ()-[r]->() RETURN type(r) AS type, properties(r) AS has ORDER BY elementId(r)"
    )


@pytest.mark.parametrize("name", TABLE)
def test_a_wrong_input_gets_one_sentence(
    name: str, world: Run, tmp_path: Path, cli: Cli, run_cypher: RunCypher
) -> None:
    wrong = TABLE[name]
    for path, data in wrong.files:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    before = content(tmp_path), graph_content(run_cypher)
    typed = [text.format(tmp=tmp_path, run=world.folder) for text in wrong.typed]
    result = cli(*typed, env=dict(wrong.env))
    assert result.exit_code == wrong.exit_code or (wrong.exit_code < 0 < result.exit_code)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    line = result.stderr.strip().splitlines()[-1]
    assert re.search(wrong.says, line), result.stderr
    if wrong.exit_code == 1:
        assert line.startswith("kinfolio: ")
    assert (content(tmp_path), graph_content(run_cypher)) == before


def test_bad_rows_are_told_and_the_good_ones_loaded(cli: Cli, graph: Graph, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "interactions.tsv").write_text(
        "user\tproduct\trating\nu1\tA\t4\nu2\tA\tgood\n\tB\t1\nu3\tB\t2\n"
    )
    (folder / "ties.tsv").write_text("source\ttarget\nu1\tu3\nu1\tghost\n")
    result = cli("load", str(folder), "--rejects", str(tmp_path / "rejects.tsv"))
    assert result.exit_code == 0
    assert "3 rows were rejected" in result.stderr
    for place in ("interactions.tsv:3", "interactions.tsv:4", "ties.tsv:3"):
        assert place in result.stderr
    assert len((tmp_path / "rejects.tsv").read_text().splitlines()) == 4


class Door:
    """A door to the server that can be shut: what comes through is then cut off for real."""

    def __init__(self, server: Connection) -> None:
        address = urlsplit(server.uri)
        self._behind = (address.hostname or "127.0.0.1", address.port or 7687)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = [self._listener]
        port = self._listener.getsockname()[1]
        self.connection = replace(server, uri=f"bolt://127.0.0.1:{port}")
        threading.Thread(target=self._accept, daemon=True).start()

    def shut(self) -> None:
        while self._open:
            one = self._open.pop()
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._behind)
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)


def test_a_server_that_goes_away_in_a_load_is_told_and_the_load_goes_on_when_repeated(
    graph: Graph, community: Path, server: Connection, run_cypher: RunCypher
) -> None:
    door = Door(server)

    def shut_in_the_middle(step: str, done: int, total: int) -> None:
        if step.startswith("writing interactions"):
            door.shut()

    with (
        Graph(door.connection) as cut_off,
        pytest.raises(ServerError, match=r"127\.0\.0\.1") as caught,
    ):
        load(cut_off, community, progress=shut_in_the_middle)
    assert "\n" not in str(caught.value)
    part = run_cypher("MATCH (u:User) RETURN count(u) AS users")[0]["users"]
    assert part == 600
    load(graph, community)
    counts = (
        "MATCH (n) RETURN count(n) AS nodes, sum(COUNT { (n)--() }) AS ends, sum(n.gid) AS gids"
    )
    repeated = run_cypher(counts)
    run_cypher("MATCH (n) DETACH DELETE n")
    load(graph, community)
    assert run_cypher(counts) == repeated


@pytest.fixture
def training(world: Run, server_home: Path) -> Iterator[subprocess.Popen[str]]:
    """A training that takes long, in a process of its own, in its first steps."""
    typed = [sys.executable, "-m", "kinfolio.cli", "train", "--run", str(world.folder)]
    typed += ["--text", "off", "--tau", "0.3", "--steps", "100000", "--patience", "100000"]
    process = subprocess.Popen(
        typed,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A run of the tests in the background ignores Ctrl-C, and its children would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        yield process
        process.kill()


def test_ctrl_c_twice_in_training_leaves_the_run_as_it_was(
    world: Run, training: subprocess.Popen[str]
) -> None:
    before = content(world.folder)
    assert training.stderr is not None
    line = training.stderr.readline()
    assert "head" in line or "tau" in line
    training.send_signal(signal.SIGINT)
    assert "Ctrl-C again stops at once" in training.stderr.readline()
    training.send_signal(signal.SIGINT)
    _, err = training.communicate(timeout=60)
    assert training.returncode == 130
    assert "Traceback" not in err
    assert "stopped" in err
    assert "type the same command to go on" in err
    shutil.rmtree(world.folder / "checkpoints")
    assert content(world.folder) == before
