"""`load --bulk`: the offline import into kinfolio's own, empty server."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.graph_hash import graph_hash
from kinfolio.cypher.server.server import Server
from kinfolio.errors import BadInput
from kinfolio.loaders import load, write_community
from kinfolio.loaders.reading.meaning import Meaning
from kinfolio.loaders.reading.splitting import SplitRule
from kinfolio.loaders.writing.bulk import load_in_bulk
from kinfolio.records import no_progress
from tests.conftest import run_command


@pytest.fixture
def own(tmp_path: Path, server_home: Path) -> Iterator[Server]:
    """A separate home whose server was not started, with the list of jars of the other home."""
    (tmp_path / "home" / "server").mkdir(parents=True)
    shutil.copy(server_home / "server" / "jars.json", tmp_path / "home" / "server")
    server = Server(tmp_path / "home")
    yield server
    server.wipe()


@pytest.fixture
def special_rows(tmp_path: Path) -> Path:
    """The community, with texts and columns that are hard to store as CSV."""
    folder = tmp_path / "special_rows"
    write_community(folder, num_users=60, num_products=30)
    (folder / "users.jsonl").write_text(
        "\n".join(
            json.dumps(row)
            for row in (
                {"user": 'say "x", \\ y', "name": "two\nlines", "stars": 5, "tags": ["a", "b"]},
                {"user": "p007", "name": " blank ", "stars": 4.5},
            )
        )
    )
    for path in folder.glob("users.*"):
        if path.suffix != ".jsonl":
            path.unlink()
    for path in folder.glob("ties.*"):
        path.unlink()
    table = pyarrow.csv.read_csv(
        folder / "interactions.tsv", parse_options=pyarrow.csv.ParseOptions(delimiter="\t")
    )
    (folder / "interactions.tsv").unlink()
    pq.write_table(table.drop_columns(["split"]), folder / "interactions.parquet")
    ties = {
        "source": ["p007", "p007"],
        "target": ['say "x", \\ y', "p008"],
        "since": pa.array([datetime.date(2024, 1, 2), None]),
        "seen": pa.array([1_719_835_200_123_456, None], pa.timestamp("us", tz="Europe/Berlin")),
        "note": ["", None],
        "share": [0.1, 1e-17],
    }
    pq.write_table(pa.table(ties), folder / "ties.parquet")
    return folder


def test_a_bulk_load_gives_the_same_graph_and_needs_an_empty_server(
    graph: Graph, own: Server, special_rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = SplitRule.parse("time:0.1")
    ordinary = load(graph, special_rows, meaning=Meaning(split=split))
    # A killed importer leaves a database and its marker file.
    (own.home / "server" / "importing").touch()
    half = own.home / "server" / "neo4j" / "data" / "databases" / "neo4j"
    half.mkdir(parents=True)
    (half / "neostore").write_bytes(b"half")
    report = load_in_bulk(
        special_rows, own, progress=no_progress, note=print, meaning=Meaning(split=split)
    )
    assert (report.users, report.interactions) == (ordinary.users, ordinary.interactions)
    with Graph(own.start(print)) as filled:
        assert graph_hash(filled) == graph_hash(graph)
        again = load(filled, special_rows)
        assert again.rejected == report.rejected
        assert graph_hash(filled) == graph_hash(graph)
    with pytest.raises(BadInput, match="--bulk fills an empty graph only"):
        load_in_bulk(special_rows, own, progress=no_progress, note=print)
    # Interrupted before completion: the next start has an empty graph.
    (own.home / "server" / "importing").touch()
    with Graph(own.start(print)) as emptied:
        assert emptied.read("load_counts")[0]["nodes"] == 0
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:1")
    refused = run_command("load", "--bulk", str(special_rows))
    assert refused.exit_code == 1
    assert "omit --bulk, or unset NEO4J_URI" in refused.stderr
