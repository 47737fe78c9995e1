"""Fixtures of all tests: one real server per run, graphs, the command line in this process."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.cypher.schema import create_schema
from kinfolio.cypher.server.server import Server
from kinfolio.records import Connection
from kinfolio.run import Run

# Without Java's second compiler a server starts in half the time. One thread is faster for models
# this small.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")

RunCypher = Callable[..., list[dict[str, Any]]]
Cli = Callable[..., "Result"]

MODEL_FIXTURES = {"models", "demo_run"}
"""Fixtures of tests that load the text encoder or the language model."""

SLOW_FILES = {"test_train.py", "test_ablations.py", "test_report.py", "test_check.py"}
"""Files whose tests train models or try thousands of wordings: more than five seconds a test."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Set `server` and `model` by the fixtures of a test, indirect ones included, and `slow`."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if "server" in fixtures:
            item.add_marker("server")
        if fixtures & MODEL_FIXTURES:
            item.add_marker("model")
        if item.path.name in SLOW_FILES:
            item.add_marker("slow")


@pytest.fixture(scope="session")
def server_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of the server of this run, also `KINFOLIO_HOME` of the `cli` fixture."""
    folder = os.environ.get("KINFOLIO_TEST_HOME")
    if not folder:
        return tmp_path_factory.mktemp("home")
    return Path(folder) / os.environ.get("PYTEST_XDIST_WORKER", "")


@pytest.fixture(scope="session")
def server(server_home: Path) -> Iterator[Connection]:
    """A real server in a fresh home, wiped at the end of the run.

    With `KINFOLIO_TEST_HOME=FOLDER` server and home remain for the next run.
    """
    own = Server(server_home)
    try:
        yield own.start(lambda text: print(text, file=sys.__stderr__))
    finally:
        if "KINFOLIO_TEST_HOME" not in os.environ:
            own.wipe()


@pytest.fixture
def run_cypher(server: Connection) -> Iterator[RunCypher]:
    """Run any statement on the server; rows as dicts."""
    with open_driver(server) as driver:

        def run(text: str, /, **parameters: Any) -> list[dict[str, Any]]:
            with driver.session() as session:
                return session.run(text, parameters).data()

        yield run


def drop_constraints(run: RunCypher) -> None:
    """Drop every constraint, as in a graph without kinfolio."""
    for row in run("SHOW CONSTRAINTS YIELD name"):
        run("DROP CONSTRAINT $name IF EXISTS", name=row["name"])


def empty(server: Connection) -> None:
    """Remove all nodes, relationships, vector indexes, and the row numbers of mapped graphs."""
    with open_driver(server) as driver, driver.session() as session:
        session.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS").consume()
        for row in session.run("SHOW VECTOR INDEXES YIELD name").data():
            session.run(f"DROP INDEX {row['name']}").consume()
        for row in session.run("SHOW CONSTRAINTS YIELD name, labelsOrTypes, properties").data():
            label = row["labelsOrTypes"][0]
            if row["properties"] == ["gid"] and label not in ("User", "Product"):
                session.run(f"DROP CONSTRAINT {row['name']}").consume()


@pytest.fixture
def graph(server: Connection) -> Iterator[Graph]:
    """An empty graph with its constraints."""
    empty(server)
    with Graph(server) as opened:
        create_schema(opened)
        yield opened


@pytest.fixture(scope="module")
def shared_graph(server: Connection) -> Iterator[Graph]:
    """An empty graph, shared by the tests of one file."""
    empty(server)
    with Graph(server) as opened:
        create_schema(opened)
        yield opened


@dataclass(frozen=True, slots=True)
class Result:
    """Exit code and output of a command."""

    exit_code: int
    stdout: str
    stderr: str


def environment_of(server: Connection, home: Path) -> dict[str, str]:
    """Return the variables with which a command uses a server, and a home of its own."""
    return {
        "KINFOLIO_HOME": str(home),
        "NEO4J_URI": server.uri,
        "NEO4J_USERNAME": server.username,
        "NEO4J_PASSWORD": server.password,
    }


@pytest.fixture
def cli(
    server: Connection, server_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Run a command in this process with the server: `cli("recommend", "u1", "--json")`.

    `input=` is its stdin; `env=` are variables to set (None: to remove).
    """
    monkeypatch.delenv("NEO4J_DATABASE", raising=False)
    for variable, content in environment_of(server, server_home).items():
        monkeypatch.setenv(variable, content)

    def run(*arguments: str, input: str = "", env: dict[str, str | None] | None = None) -> Result:
        with monkeypatch.context() as patch:
            for name, value in (env or {}).items():
                if value is None:
                    patch.delenv(name, raising=False)
                else:
                    patch.setenv(name, value)
            return run_command(*arguments, input=input)

    return run


def run_command(*arguments: str, input: str = "") -> Result:
    """Run a command in this process."""
    from kinfolio.cli.main import main

    out, err = io.BytesIO(), io.BytesIO()
    stdout, stderr = _writer(out), _writer(err)
    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(input.encode()), "utf-8")
    exit_code = 0
    try:
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            main(list(arguments))
    except SystemExit as stop:
        exit_code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    finally:
        sys.stdin = stdin
    return Result(exit_code, out.getvalue().decode(), err.getvalue().decode())


def _writer(buffer: io.BytesIO) -> io.TextIOWrapper:
    return io.TextIOWrapper(buffer, "utf-8", write_through=True)


SIX_USERS = {
    "users.csv": """
user,country,risk_tolerance
u1,DE,4
u2,DE,4
u3,AT,5
u4,CH,5
u5,DE,1
u6,FR,
""",
    "products.csv": """
product,name,kind,category,risk,open,countries,text
A,Amber Bond Fund,fund,Bonds,2,true,,Lends to states and pays a coupon twice a year.
B,Birch Equity Fund,fund,Equity,4,true,,Holds growing firms of medium size.
C,Cedar Index Fund,fund,Equity,3,true,DE|AT,"Follows a broad index, at low costs."
D,Dune Gold Trust,fund,Gold,4,true,CH,Keeps bars of gold in a vault.
E,Elm Green Bond,bond,Bonds,1,true,,Lends to towns for wind and solar power.
F,Fjord Savings Plan,savings,Saving,1,false,,Puts a small sum aside every month.
""",
    "interactions.tsv": """
user	product	rating	timestamp
u1	A	4	2024-01-10
u1	B	5	2024-02-10
u2	A	5	2024-01-20
u2	B	4	2024-03-01
u2	C	5	2024-04-01
u3	B	4	2024-02-20
u3	C	4	2024-05-01
u4	D	5	2024-01-05
u4	E	3	2024-06-01
u5	E	5	2024-03-15
""",
    "ties.tsv": """
source	target	kind
u1	u2	follows
u3	u2	follows
u4	u5	family
u6	u1	follows
""",
    "reviews.jsonl": """
{"review": "r1", "user": "u2", "product": "C", "rating": 5, "text": "Low costs and a broad index."}
{"review": "r2", "user": "u4", "product": "E", "rating": 3, "text": "Slow, but the wind parks pay."}
{"review": "r3", "user": "u6", "product": "A", "rating": 4, "text": "The coupon came on the day."}
""",
}
"""Files of a graph that can be checked by hand. No user holds F, which is closed; u6 has no
holdings and no risk tolerance; only u4 may buy D; C is sold to u1, u2, u3 and u5."""


def write_six_users(folder: Path) -> Path:
    """Write the files of the six users; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in SIX_USERS.items():
        (folder / name).write_text(text.lstrip(), "utf-8")
    return folder


@pytest.fixture
def six_users(graph: Graph, tmp_path: Path) -> Graph:
    """The graph with six users loaded."""
    from kinfolio.loaders import load

    load(graph, write_six_users(tmp_path / "six_users"))
    return graph


@pytest.fixture(scope="session")
def community(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generated community: 600 users, 120 products."""
    from kinfolio.loaders import write_community

    folder = tmp_path_factory.mktemp("community")
    write_community(folder)
    return folder


@pytest.fixture(scope="session")
def demo_run(
    server: Connection, community: Path, server_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """A run of the generated community, trained for 60 steps."""
    from kinfolio.gnn.training.config import TrainConfig
    from kinfolio.gnn.training.train import train
    from kinfolio.loaders import export, load

    run = Run(tmp_path_factory.mktemp("run"))
    empty(server)
    with Graph(server) as opened:
        create_schema(opened)
        load(opened, community)
        export(opened, run.snapshot)
    config = TrainConfig(dim=32, steps=60, tau=0.2, text="on", cold=0.1, reviews=2, device="cpu")
    train(run, config, cache=server_home / "cache" / "texts.sqlite")
    return run


@pytest.fixture(scope="module")
def demo_graph(server: Connection, community: Path, demo_run: Run) -> Iterator[Graph]:
    """The generated community with the embeddings of `demo_run`; tests must not change it."""
    from kinfolio.gnn.publishing.write_back import write_back
    from kinfolio.gnn.training.train import read_embeddings
    from kinfolio.loaders import load

    empty(server)
    with Graph(server) as opened:
        create_schema(opened)
        load(opened, community)
        write_back(opened, read_embeddings(demo_run))
        yield opened
