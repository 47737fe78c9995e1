"""`load --split` on a real graph, and the data that training uses afterwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.graph_hash import graph_hash
from kinfolio.errors import BadInput
from kinfolio.loaders import export, load
from kinfolio.loaders.reading.meaning import Meaning
from kinfolio.loaders.reading.splitting import SplitRule
from tests.conftest import RunCypher

DAYS = [f"2024-01-{day:02d}" for day in range(1, 21)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty interactions on consecutive days; a tie and a review on each of three days."""
    files = {
        "interactions.csv": ["user,product,timestamp"]
        + [f"u{n % 4},p{n},{day}" for n, day in enumerate(DAYS)],
        "ties.csv": ["source,target,timestamp"]
        + [f"u0,u{n + 1},{DAYS[day]}" for n, day in enumerate((3, 15, 17))],
        "reviews.csv": ["review,user,product,timestamp,text"]
        + [f"r{day},u0,p{day},{DAYS[day]},fine" for day in (4, 12, 16)],
    }
    for name, lines in files.items():
        (tmp_path / name).write_text("\n".join(lines))
    return tmp_path


def test_with_a_split_by_time_training_uses_no_later_data(
    graph: Graph, run_cypher: RunCypher, folder: Path, tmp_path: Path
) -> None:
    load(graph, folder, meaning=Meaning(split=SplitRule.parse("time:0.1")))
    found = run_cypher("MATCH ()-[h:HOLDS]->() RETURN h.split AS split ORDER BY h.at")
    assert [row["split"] for row in found] == ["train"] * 16 + ["valid"] * 2 + ["test"] * 2
    snapshot = export(graph, tmp_path / "run" / "snapshot")
    last_training_day = np.datetime64(DAYS[15], "ms").astype(int)
    assert snapshot.cut == last_training_day
    assert (snapshot.holdings.at[snapshot.holdings.split > 0] > snapshot.cut).all()
    assert dict(zip(snapshot.ties.at <= snapshot.cut, snapshot.ties.split, strict=True)) == {
        True: 0,
        False: 2,
    }
    reviews = snapshot.reviews
    assert reviews.describes_product.tolist() == (reviews.at <= snapshot.cut).tolist()
    assert reviews.describes_product.sum() == 2


@pytest.mark.parametrize("rule", ["time:0.1", "random:0.25"])
def test_loading_again_does_not_change_the_splits(graph: Graph, folder: Path, rule: str) -> None:
    load(graph, folder, meaning=Meaning(split=SplitRule.parse(rule)))
    before = graph_hash(graph)
    load(graph, folder, meaning=Meaning(split=SplitRule.parse(rule)))
    assert graph_hash(graph) == before
    load(graph, folder)
    assert graph_hash(graph) == before


def test_a_refused_split_writes_nothing(graph: Graph, run_cypher: RunCypher, folder: Path) -> None:
    content = (folder / "interactions.csv").read_text()
    (folder / "interactions.csv").write_text(content.replace(",2024-01-05", ","))
    with pytest.raises(BadInput, match="has 1 rows without a timestamp"):
        load(graph, folder, meaning=Meaning(split=SplitRule.parse("time:0.1")))
    assert run_cypher("MATCH (n) RETURN count(*) AS n") == [{"n": 0}]
