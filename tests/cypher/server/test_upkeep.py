"""Dump, restore, password and browser of the managed server: each needs a start of some seconds."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.graph_hash import graph_hash
from kinfolio.cypher.schema import create_schema
from kinfolio.cypher.server import dump_file
from kinfolio.cypher.server.server import Server
from kinfolio.cypher.server.upkeep import set_browser
from kinfolio.loaders import load
from kinfolio.records import Connection
from tests.conftest import Cli, write_six_users


@pytest.fixture(scope="module")
def own(
    server: Connection, server_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with the six users."""
    folder = tmp_path_factory.mktemp("upkeep")
    (folder / "home" / "server").mkdir(parents=True)
    shutil.copy(server_home / "server" / "jars.json", folder / "home" / "server" / "jars.json")
    own = Server(folder / "home")
    with Graph(own.start(print)) as graph:
        create_schema(graph)
        load(graph, write_six_users(folder / "six_users"))
    yield own
    own.wipe()


@pytest.fixture
def run(cli: Cli, own: Server) -> Cli:
    """The command line on that server."""
    return lambda *words: cli(*words, env={"NEO4J_URI": None, "KINFOLIO_HOME": str(own.home)})


def hash_of(own: Server) -> str:
    with Graph(own.start(print)) as graph:
        return graph_hash(graph)


def test_a_dump_brings_the_graph_back_and_a_wrong_one_changes_nothing(
    own: Server, run: Cli, tmp_path: Path
) -> None:
    file, before = tmp_path / "graph.dump", hash_of(own)
    result = run("db", "dump", str(file), "--json")
    assert result.exit_code == 0, result.stderr
    manifest = json.loads(result.stdout)
    assert (manifest["hash"], manifest["version"]) == (before, "2026.08.1")
    assert file.stat().st_mode & 0o077 == 0
    assert "exists; give another name, or --replace" in run("db", "dump", str(file)).stderr

    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "interactions.csv").write_text("user,product\nu7,A\n")
    assert run("load", str(tmp_path / "more")).exit_code == 0
    changed = hash_of(own)
    assert changed != before
    refused = run("db", "restore", str(file))
    assert "nodes, which a restore removes; to confirm" in refused.stderr

    cut = tmp_path / "cut.dump"
    cut.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    flipped = tmp_path / "flipped.dump"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    flipped.write_bytes(content)
    other, newer = tmp_path / "other.dump", tmp_path / "newer.dump"
    extracted = tmp_path / "extracted"
    extracted.mkdir()
    dump_file.extract_dump(file, extracted)
    described = dump_file.read_manifest(file)
    dump_file.write_dump(other, extracted / "neo4j.dump", replace(described, hash="0" * 32))
    dump_file.write_dump(newer, extracted / "neo4j.dump", replace(described, version="2031.1"))
    for wrong, words in (
        (cut, "is no complete dump|is damaged"),
        (flipped, "is damaged: its checksum differs"),
        (newer, "is of Neo4j 2031.1, and this kinfolio runs the older"),
        (other, "has another hash than when it was dumped"),
    ):
        result = run("db", "restore", str(wrong), "--replace")
        assert result.exit_code == 1
        assert any(part in result.stderr for part in words.split("|")), result.stderr
        assert hash_of(own) == changed

    assert run("db", "restore", str(file), "--replace").exit_code == 0
    assert hash_of(own) == before
    with tarfile.open(file) as archive:
        assert archive.getnames() == ["manifest.json", "neo4j.dump"]


def test_after_an_interrupted_restore_and_a_lost_password_the_graph_is_served(
    own: Server, run: Cli
) -> None:
    before, old = hash_of(own), own.files.password_file.read_text()
    own.stop()
    own.files.save_data()
    own.files.password_file.unlink()
    result = run("db", "password", "--reset", "--json")
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed["password"] != old.strip()
    assert Path(printed["file"]).read_text().strip() == printed["password"]
    assert hash_of(own) == before


def test_the_browser_is_served_on_this_machine_only(own: Server, run: Cli) -> None:
    address = set_browser(own, True, print)
    assert address is not None
    assert address.startswith("http://127.0.0.1:")
    with urlopen(address) as page:  # noqa: S310  # checked above
        assert b"Neo4j Browser" in page.read()
    assert run("db", "status").exit_code == 0
