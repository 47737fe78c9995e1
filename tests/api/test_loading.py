from __future__ import annotations

from pathlib import Path

import kinfolio
from kinfolio.cypher.graph import Graph
from tests.conftest import write_six_users


def test_loading_twice_writes_the_same_graph_and_export_counts_it(
    graph: Graph, tmp_path: Path
) -> None:
    folder = write_six_users(tmp_path / "six_users")
    with kinfolio.Kinfolio(graph) as opened:
        report = opened.load(folder)
        assert opened.load(folder, replace=True).removed is not None
        exported = opened.export(tmp_path / "run")
    assert (report.to_frame()["users"].item(), report.to_frame()["products"].item()) == (6, 6)
    assert exported.to_frame()["counts.holdings"].item() == report.interactions == 10


def test_a_split_rule_holds_out_the_latest_interactions(graph: Graph, tmp_path: Path) -> None:
    with kinfolio.Kinfolio(graph) as opened:
        opened.load(write_six_users(tmp_path / "six_users"), split="time:0.2")
        assert opened.export(tmp_path / "run").held_out == 4  # of 10: 2 each in valid and test
