"""The lineage of a version names what it was made of, and notices what is no longer so."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.graph_hash import graph_hash
from kinfolio.cypher.inspection.guess import guess
from kinfolio.cypher.inspection.inventory import inspect
from kinfolio.errors import NotFound
from kinfolio.gnn.new_products.adding import add_new_products
from kinfolio.gnn.publishing.lineage.lineage import lineage
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.training.train import read_embeddings, train
from kinfolio.loaders import export, load
from kinfolio.loaders.reading.meaning import Meaning
from kinfolio.run import Run
from tests.conftest import Cli, RunCypher, drop_constraints, write_six_users
from tests.cypher.inspection.movies import make_movies
from tests.gnn.trained import SMALL, Words

CONFIG = replace(SMALL, steps=10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_six_users(tmp_path / "files")


@pytest.fixture
def run(graph: Graph, folder: Path, tmp_path: Path) -> Run:
    """A run of the six users; its version `one` is in the graph."""
    load(graph, folder)
    run = Run(tmp_path / "run")
    export(graph, run.snapshot)
    train(run, CONFIG, cache=tmp_path / "texts", load=Words)
    write_back(graph, read_embeddings(run), name="one", run=run, by="ann")
    return run


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def outcomes(graph: Graph) -> dict[str, str]:
    return {check.name: check.outcome for check in lineage(graph, "one").checks}


ALL_SAME = dict.fromkeys(("run", "model", "snapshot", "graph", "content"), "same")


def test_the_lineage_names_files_run_encoder_and_writer(
    graph: Graph, run: Run, folder: Path
) -> None:
    found = lineage(graph, "one")
    assert (found.state, found.written_by, found.approved_by) == ("active", "ann", None)
    (loaded,) = found.sources.loads
    assert (loaded.number, loaded.options, loaded.replaces) == (1, "", False)
    assert {file.name: file.sha256 for file in loaded.files} == {
        path.name: sha256(path) for path in folder.iterdir()
    }
    rows = {file.table: (file.rows, file.rejected) for file in loaded.files}
    assert rows["interactions"] == (10, 0)
    assert rows["reviews"] == (3, 0)
    assert found.sources.changed_since == 0
    assert found.graph_hash == graph_hash(graph)
    info = run.need_info()
    assert found.snapshot == info["data"]["snapshot"]
    assert found.run is not None
    assert (found.run.folder, found.run.config) == (str(run.folder), info["config"])
    assert (found.run.sha256, found.run.model_sha256) == (sha256(run.info), sha256(run.model))
    assert found.run.packages == info["versions"]
    assert found.metrics == info["metrics"]
    assert found.encoder is not None
    assert found.encoder.name == "embedded"
    assert len(found.encoder.sha256 or "") == 64
    assert {check.name: check.outcome for check in found.checks} == ALL_SAME
    assert lineage(graph, "one", is_checked=False).checks == ()
    with pytest.raises(NotFound, match="there is no version 'two'"):
        lineage(graph, "two")


def test_each_change_since_is_noticed(
    graph: Graph, run: Run, folder: Path, run_cypher: RunCypher, tmp_path: Path
) -> None:
    for file, name in ((run.info, "run"), (run.model, "model")):
        before = file.read_bytes()
        file.write_bytes(before + b" ")
        assert outcomes(graph) == ALL_SAME | {name: "changed"}
        file.write_bytes(before)
    shutil.move(run.snapshot, tmp_path / "away")
    assert outcomes(graph) == ALL_SAME | {"snapshot": "missing"}
    shutil.move(tmp_path / "away", run.snapshot)
    shutil.move(run.folder, tmp_path / "moved")
    gone = dict.fromkeys(("run", "model", "snapshot"), "missing")
    assert outcomes(graph) == ALL_SAME | gone
    shutil.move(tmp_path / "moved", run.folder)

    vector = "MATCH (p:Product {id: 'A'}) SET p.embedding_a = [x IN p.embedding_a | x + $by]"
    run_cypher(vector, by=0.25)
    assert outcomes(graph) == ALL_SAME | {"content": "changed"}
    run_cypher(vector, by=-0.25)
    # A new product is part of the graph, and of the slot with its hash.
    with (folder / "products.csv").open("a", encoding="utf-8") as file_of_products:
        file_of_products.write("G,Glade Bond Fund,fund,Bonds,2,true,,Lends to states.\n")
    load(graph, folder)
    assert outcomes(graph) == ALL_SAME | {"graph": "changed"}
    add_new_products(graph, tmp_path / "texts", load=Words)
    assert outcomes(graph) == ALL_SAME | {"graph": "changed"}
    assert len(lineage(graph, "one").sources.loads) == 1


def test_loads_are_recorded_once_and_begin_again_with_a_replacement(
    graph: Graph, run: Run, folder: Path, run_cypher: RunCypher
) -> None:
    embeddings = read_embeddings(run)
    before = graph_hash(graph)
    load(graph, folder)
    assert graph_hash(graph) == before
    run_cypher("MATCH (u:User {id: 'u1'}) SET u.changed = timestamp() + 1000")
    write_back(graph, embeddings, name="two", run=run)
    sources = lineage(graph, "two").sources
    assert (len(sources.loads), sources.changed_since) == (1, 1)
    load(graph, folder, meaning=Meaning(least_rating=4))
    load(graph, folder)
    write_back(graph, embeddings, name="three", run=run)
    sources = lineage(graph, "three").sources
    assert [(one.number, one.options) for one in sources.loads] == [
        (1, ""),
        (2, "--least-rating 4"),
        (3, ""),
    ]
    assert sources.summary == "15 files in 3 loads"
    load(graph, folder, replace=lambda removed, users: None)
    write_back(graph, embeddings, name="four", run=run)
    sources = lineage(graph, "four").sources
    assert [(one.number, one.replaces) for one in sources.loads] == [(4, True)]
    # The record of a load does not change what other commands see.
    assert graph.read("load_counts")[0]["users"] == 6


def test_old_records_of_loads_are_deleted(
    graph: Graph, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kinfolio.loaders.writing import history

    monkeypatch.setattr(history, "KEPT", 2)
    for least in (3.0, 4.0):
        load(graph, folder, meaning=Meaning(least_rating=least))
    write_back(graph, read_embeddings(run), name="two", run=run)
    sources = lineage(graph, "two").sources
    assert [one.number for one in sources.loads] == [2, 3]
    assert sources.summary == "10 files in 2 loads; 1 earlier ones are no longer recorded"


def test_a_graph_of_other_programs_says_so(
    graph: Graph, run_cypher: Callable[..., Any], tmp_path: Path
) -> None:
    make_movies(run_cypher)
    drop_constraints(run_cypher)
    mapping = guess(graph, inspect(graph))
    with Graph(graph.connection, mapping) as mapped:
        run = Run(tmp_path / "run")
        export(mapped, run.snapshot)
        train(run, replace(CONFIG, text="off"), cache=tmp_path / "texts", load=Words)
        write_back(mapped, read_embeddings(run), name="one", run=run)
        found = lineage(mapped, "one")
        assert found.sources.summary == "the graph was not loaded by kinfolio"
        assert found.encoder is not None
        assert found.encoder.name == ""
        expected = ALL_SAME | {"graph": "unknown"}
        assert {check.name: check.outcome for check in found.checks} == expected
        assert run_cypher("MATCH (l:LoadRecord) RETURN l") == []


def test_a_version_of_an_older_kinfolio_has_gaps(
    graph: Graph, run: Run, run_cypher: RunCypher
) -> None:
    run_cypher(
        "MATCH (v:EmbeddingVersion) REMOVE v.written_by, v.graph_hash, v.loads, v.run, v.run_hash, "
        "v.model_hash, v.config, v.encoder, v.kinfolio, v.hash_products, v.hash_users"
    )
    found = lineage(graph, "one")
    assert (found.written_by, found.graph_hash, found.run, found.encoder) == (None,) * 4
    assert found.sources.summary == "no load is recorded"
    assert {check.outcome for check in found.checks} == {"unknown"}


def test_the_command_prints_80_columns_and_fails_on_damage(
    graph: Graph, run: Run, cli: Cli, run_cypher: RunCypher
) -> None:
    told = cli("lineage", "one")
    assert told.exit_code == 0, told.stderr
    lines = told.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("written") and line.endswith("by ann") for line in lines)
    assert "  users.csv: 6 rows" in told.stdout
    assert "  content    SAME: slot a has what was written, by its hashes" in lines
    document = json.loads(cli("lineage", "one", "--json").stdout)
    assert document["written_by"] == "ann"
    assert [check["outcome"] for check in document["checks"]] == ["same"] * 5
    run_cypher("MATCH (u:User {id: 'u1'}) SET u.message_a = [x IN u.message_a | x + 1.0]")
    told = cli("lineage", "one")
    assert told.exit_code == 1
    assert "  content    CHANGED: hash of users" in told.stdout
    assert "type: kinfolio versions check one" in told.stderr
    assert cli("lineage", "two").exit_code == 1


def test_a_write_back_by_the_command_records_its_run(
    graph: Graph, run: Run, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINFOLIO_APPROVAL", "required")
    arguments = ("writeback", "--run", str(run.folder), "--by", "ben", "--json")
    document = json.loads(cli(*arguments, "--name", "two").stdout)
    assert list(document)[-3:] == ["seconds", "state", "replaced"]
    assert (document["state"], document["replaced"]) == ("awaits approval", None)
    assert json.loads(cli(*arguments, "--name", "three").stdout)["replaced"] == "two"
    told = cli("writeback", "--run", str(run.folder), "--name", "four", "--by", "ben")
    assert told.stdout.startswith("version four awaits approval in slot b: ")
    assert "it replaced version three, which awaited approval" in told.stderr
    assert "somebody else types: kinfolio versions approve four" in told.stderr
    document = json.loads(cli("lineage", "four", "--json").stdout)
    assert (document["state"], document["written_by"]) == ("awaits approval", "ben")
    assert document["run"]["folder"] == str(run.folder)
    assert document["checks"][0] == {
        "name": "run",
        "outcome": "same",
        "detail": f"{run.info} has the recorded SHA-256",
    }
