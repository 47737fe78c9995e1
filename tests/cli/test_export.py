"""`kinfolio export`: output and files."""

from __future__ import annotations

import json
from pathlib import Path

from kinfolio.cypher.graph import Graph
from kinfolio.snapshot import read_snapshot
from tests.conftest import Cli, RunCypher


def test_export_prints_the_counts_and_the_next_step(
    cli: Cli, six_users: Graph, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    result = cli("export", "--run", str(run))
    assert result.exit_code == 0
    assert result.stdout == (
        f"{run}/snapshot: 6 users, 6 products, 10 interactions, 4 ties, 3 reviews\n"
    )
    assert result.stderr.endswith(f"next: kinfolio train --run {run}\n")


def test_json_and_the_manifest_agree(
    cli: Cli, six_users: Graph, run_cypher: RunCypher, tmp_path: Path
) -> None:
    run_cypher("MATCH (:User {id: 'u5'})-[h:HOLDS]->() SET h.split = 'test'")
    answer = json.loads(cli("export", "--run", str(tmp_path), "--json").stdout)
    manifest = json.loads((tmp_path / "snapshot" / "manifest.json").read_text())
    assert answer["hash"] == manifest["hash"] == read_snapshot(tmp_path / "snapshot").hash
    assert (answer["users"], answer["interactions"], answer["held_out"]) == (6, 10, 1)
    assert answer["cut"] == "2024-06-01T00:00:00+00:00"
    assert manifest["counts"] == {
        "users": 6, "products": 6, "holdings": 10, "ties": 4, "reviews": 3,
    }  # fmt: skip
    assert manifest["server"].startswith("Neo4j/")


def test_an_empty_graph_is_a_one_sentence_error(cli: Cli, graph: Graph, tmp_path: Path) -> None:
    result = cli("export", "--run", str(tmp_path / "run"))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "kinfolio: the graph holds no products held by users yet; type: kinfolio load FOLDER"
    )
    assert not (tmp_path / "run").exists()
