"""Wrong inputs: a one-sentence error with a remedy, and nothing is changed.

The graph has six users; the run is exported but not trained, and nothing is written back.
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
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import ServerError
from kinfolio.loaders import export, load
from kinfolio.records import Connection
from kinfolio.run import Run
from tests.conftest import Cli, RunCypher


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongInput:
    """A command line and its error."""

    arguments: tuple[str, ...]
    error: str
    """Regular expression for the last line on stderr."""
    files: tuple[tuple[str, bytes], ...] = ()
    """Files written beforehand, below {tmp}."""
    env: tuple[tuple[str, str], ...] = ()
    exit_code: int = 1


def interactions(text: str, name: str = "in/interactions.tsv") -> tuple[tuple[str, bytes], ...]:
    return ((name, text.encode()),)


INTERACTIONS = "user\tproduct\nu1\tA\n"
WRONG_INPUTS = {
    "load: a missing folder": WrongInput(
        arguments=("load", "{tmp}/nowhere"), error=r"/nowhere does not exist; give the folder"
    ),
    "load: a file instead of a folder": WrongInput(
        arguments=("load", "{tmp}/in"),
        files=(("in", b"user,product\n"),),
        error=r"is a file.*folder",
    ),
    "load: a folder without interactions": WrongInput(
        arguments=("load", "{tmp}/in"),
        files=(("in/users.csv", b"user\nu1\n"),),
        error=r"/in has no interactions",
    ),
    "load: an empty file": WrongInput(
        arguments=("load", "{tmp}/in"), files=interactions(""), error=r"interactions\.tsv is empty"
    ),
    "load: a header without rows": WrongInput(
        arguments=("load", "{tmp}/in"),
        files=interactions("user\tproduct\n"),
        error=r"interactions\.tsv has no row",
    ),
    "load: a missing column": WrongInput(
        arguments=("load", "{tmp}/in"),
        files=interactions("customer\tproduct\nu1\tA\n"),
        error=r"interactions\.tsv has no column 'user'.*customer",
    ),
    "load: two files for one table": WrongInput(
        arguments=("load", "{tmp}/in"),
        files=(
            *interactions(INTERACTIONS),
            *interactions("user,product\nu1,A\n", "in/interactions.csv"),
        ),
        error=r"interactions\.csv and interactions\.tsv; keep one",
    ),
    "load: a file that is not Parquet": WrongInput(
        arguments=("load", "{tmp}/in"),
        files=(("in/interactions.parquet", b"this is not parquet at all"),),
        error=r"interactions\.parquet.*not a parquet file",
    ),
    "load: a truncated gzip file": WrongInput(
        arguments=("load", "{tmp}/in"),
        files=(("in/interactions.tsv.gz", gzip.compress(INTERACTIONS.encode() * 999)[:60]),),
        error=r"interactions\.tsv\.gz.*copy it again",
    ),
    "load: an unknown file format": WrongInput(
        arguments=("load", "{tmp}/in"),
        files=(("in/interactions.xlsx", b"PK"),),
        error=r"interactions\.xlsx.*\.tsv, \.csv, \.jsonl or \.parquet",
    ),
    "recommend: an unknown user": WrongInput(
        arguments=("recommend", "nobody"), error=r"no user.*nobody"
    ),
    "recommend: a user id with a quote": WrongInput(
        arguments=("recommend", "o'neil\") DETACH DELETE n //"), error=r"no user.*o.+neil"
    ),
    "recommend: a user id with an emoji": WrongInput(
        arguments=("recommend", "u🦊"), error=r"no user.*🦊"
    ),
    "recommend: -k is 0": WrongInput(
        arguments=("recommend", "u1", "-k", "0"), error=r"-k is 0; give a number"
    ),
    "recommend: -k is not a number": WrongInput(
        arguments=("recommend", "u1", "-k", "ten"),
        error=r"'ten' is not a valid integer",
        exit_code=2,
    ),
    "recommend: no user": WrongInput(arguments=("recommend",), error=r"give a USER", exit_code=2),
    "recommend: --all without a destination": WrongInput(
        arguments=("recommend", "--all"), error=r"give --out FILE", exit_code=2
    ),
    "train: before the export": WrongInput(
        arguments=("train", "--run", "{tmp}/new"), error=r"no snapshot yet; type: kinfolio export"
    ),
    "evaluate: before the training": WrongInput(
        arguments=("evaluate", "--run", "{run}"),
        error=r"no trained model yet; type: kinfolio train",
    ),
    "report: before the training": WrongInput(
        arguments=("report", "--run", "{run}"), error=r"no trained model yet; type: kinfolio train"
    ),
    "writeback: before the training": WrongInput(
        arguments=("writeback", "--run", "{run}"),
        error=r"no trained model yet; type: kinfolio train",
    ),
    "explain: before the write-back": WrongInput(
        arguments=("explain", "u1", "B"), error=r"no embeddings yet.*type: kinfolio writeback"
    ),
    "explain: an unknown product": WrongInput(
        arguments=("explain", "u1", "gold bars"), error=r"there is no product 'gold bars'"
    ),
    "why-not: an unknown product": WrongInput(
        arguments=("why-not", "u1", "gold bars"), error=r"there is no product 'gold bars'"
    ),
    "train: an incomplete snapshot": WrongInput(
        arguments=("train", "--run", "{tmp}/half"),
        files=(("half/snapshot/users.parquet", b"PAR1"),),
        error=r"half written \(no manifest\.json\); type: kinfolio export",
    ),
    "writeback: a snapshot of no known format": WrongInput(
        arguments=("writeback", "--run", "{tmp}/half"),
        files=(("half/model.safetensors", b"x"), ("half/snapshot/manifest.json", b"{}")),
        error=r"has snapshot format None, this kinfolio reads 2; type: kinfolio export",
    ),
    "train: a damaged manifest": WrongInput(
        arguments=("train", "--run", "{tmp}/half"),
        files=(("half/snapshot/manifest.json", b'{"format": '),),
        error=r"manifest\.json is damaged",
    ),
    "train: --dim out of range": WrongInput(
        arguments=("train", "--run", "{run}", "--dim", "1"), error=r"--dim is 1; expected"
    ),
    "train: an unknown device": WrongInput(
        arguments=("train", "--run", "{run}", "--device", "abacus"), error=r"--device is 'abacus'"
    ),
    "train: an unknown choice": WrongInput(
        arguments=("train", "--run", "{run}", "--text", "maybe"),
        error=r"'maybe' is not one of",
        exit_code=2,
    ),
    "versions rollback: no other version": WrongInput(
        arguments=("versions", "rollback"), error=r"there is no other version"
    ),
    "versions drop: an unknown version": WrongInput(
        arguments=("versions", "drop", "spring"), error=r"there is no version 'spring'"
    ),
    "check-text: a missing file": WrongInput(
        arguments=("check-text", "u1", "B", "{tmp}/text.txt"),
        error=r"no file .*text\.txt; give a text file",
    ),
    "db wipe: a server that kinfolio does not manage": WrongInput(
        arguments=("db", "wipe"), error=r"NEO4J_URI names .* does not manage"
    ),
    "NEO4J_URI: no server there": WrongInput(
        arguments=("recommend", "u1"),
        env=(("NEO4J_URI", "bolt://127.0.0.1:9"),),
        error=r"nothing listens at bolt://127\.0\.0\.1:9",
    ),
    "NEO4J_URI: not an address": WrongInput(
        arguments=("recommend", "u1"),
        env=(("NEO4J_URI", "my server"),),
        error=r"NEO4J_URI is 'my server'",
    ),
    "NEO4J_PASSWORD: wrong": WrongInput(
        arguments=("recommend", "u1"),
        env=(("NEO4J_PASSWORD", "wrong"),),
        error=r"refused the password of user",
    ),
    "explain: an unknown model provider": WrongInput(
        arguments=("explain", "u1", "B", "--model", "nowhere:big"), error=r"--model nowhere:big"
    ),
}


@pytest.fixture
def exported(six_users: Graph, tmp_path: Path) -> Run:
    """A run with the snapshot of six users."""
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


@pytest.mark.parametrize("name", WRONG_INPUTS)
def test_a_wrong_input_is_a_one_sentence_error_and_changes_nothing(
    name: str, exported: Run, tmp_path: Path, cli: Cli, run_cypher: RunCypher
) -> None:
    wrong = WRONG_INPUTS[name]
    for path, data in wrong.files:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    before = content(tmp_path), graph_content(run_cypher)
    arguments = [text.format(tmp=tmp_path, run=exported.folder) for text in wrong.arguments]
    result = cli(*arguments, env=dict(wrong.env))
    assert (result.exit_code, result.stdout) == (wrong.exit_code, "")
    assert "Traceback" not in result.stderr
    line = result.stderr.strip().splitlines()[-1]
    assert re.search(wrong.error, line), result.stderr
    if wrong.exit_code == 1:
        assert line.startswith("kinfolio: ")
    assert (content(tmp_path), graph_content(run_cypher)) == before


def test_bad_rows_are_reported_and_the_others_are_loaded(
    cli: Cli, graph: Graph, tmp_path: Path
) -> None:
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


class Proxy:
    """A TCP proxy of the server; closing it cuts all connections."""

    def __init__(self, server: Connection) -> None:
        address = urlsplit(server.uri)
        self._server = (address.hostname or "127.0.0.1", address.port or 7687)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listener]
        port = self._listener.getsockname()[1]
        self.connection = replace(server, uri=f"bolt://127.0.0.1:{port}")
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        while self._sockets:
            one = self._sockets.pop()
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                upstream = socket.create_connection(self._server)
                self._sockets += [client, upstream]
                for one, other in ((client, upstream), (upstream, client)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)


def test_a_load_that_loses_its_server_reports_it_and_resumes_when_repeated(
    graph: Graph, community: Path, server: Connection, run_cypher: RunCypher
) -> None:
    proxy = Proxy(server)

    def close_while_writing(step: str, done: int, total: int) -> None:
        if step.startswith("writing interactions"):
            proxy.close()

    with (
        Graph(proxy.connection) as interrupted,
        pytest.raises(ServerError, match=r"127\.0\.0\.1") as caught,
    ):
        load(interrupted, community, progress=close_while_writing)
    assert "\n" not in str(caught.value)
    assert run_cypher("MATCH (u:User) RETURN count(u) AS users") == [{"users": 600}]
    load(graph, community)
    counts = (
        "MATCH (n) RETURN count(n) AS nodes, sum(COUNT { (n)--() }) AS ends, sum(n.gid) AS gids"
    )
    repeated = run_cypher(counts)
    run_cypher("MATCH (n) DETACH DELETE n")
    load(graph, community)
    assert run_cypher(counts) == repeated


@pytest.fixture
def training(exported: Run, server_home: Path) -> Iterator[subprocess.Popen[str]]:
    """A long training in its first steps, in a separate process."""
    command = [sys.executable, "-m", "kinfolio.cli", "train", "--run", str(exported.folder)]
    command += ["--text", "off", "--tau", "0.3", "--steps", "100000", "--patience", "100000"]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Child processes inherit that a test run in the background ignores Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        yield process
        process.kill()


def test_ctrl_c_twice_in_training_does_not_change_the_run(
    exported: Run, training: subprocess.Popen[str]
) -> None:
    before = content(exported.folder)
    assert training.stderr is not None
    assert training.stderr.readline() == "preparing the training data ...\n"
    assert any("head" in line or "tau" in line for line in training.stderr)
    training.send_signal(signal.SIGINT)
    assert any("Ctrl-C again stops at once" in line for line in training.stderr)
    training.send_signal(signal.SIGINT)
    _, err = training.communicate(timeout=60)
    assert training.returncode == 130
    assert "Traceback" not in err
    assert "interrupted" in err
    assert "to resume, type the same command" in err
    shutil.rmtree(exported.folder / "checkpoints")
    assert content(exported.folder) == before
