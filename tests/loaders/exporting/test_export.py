"""Exports of a real graph: a hand-written graph, held-out data, the folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadInput, NotReady
from kinfolio.loaders import export, load
from kinfolio.loaders.exporting import sources
from kinfolio.records import NO_TIME, Snapshot
from kinfolio.snapshot import read_snapshot

RunCypher = Callable[..., list[dict[str, Any]]]


def holdings(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Return user and product of each holding."""
    return [
        (snapshot.user_ids[source], snapshot.product_ids[target])
        for source, target in zip(snapshot.holdings.source, snapshot.holdings.target, strict=True)
    ]


def test_six_users_are_exported_as_loaded(six_users: Graph, tmp_path: Path) -> None:
    snapshot = export(six_users, tmp_path / "snapshot")
    assert snapshot.user_ids == ("u1", "u2", "u3", "u4", "u5", "u6")
    assert snapshot.product_ids == ("A", "B", "C", "D", "E", "F")
    assert snapshot.product_names[3] == "Dune Gold Trust"
    assert snapshot.product_texts[3] == "Dune Gold Trust. fund. Gold. Keeps bars of gold in a vault"
    assert snapshot.user_gids.tolist() == [0, 1, 2, 3, 4, 5]
    assert holdings(snapshot) == [
        ("u1", "A"), ("u1", "B"), ("u2", "A"), ("u2", "B"), ("u2", "C"),
        ("u3", "B"), ("u3", "C"), ("u4", "D"), ("u4", "E"), ("u5", "E"),
    ]  # fmt: skip
    assert snapshot.holdings.rating.tolist() == [4, 5, 5, 4, 5, 4, 4, 5, 3, 5]
    assert snapshot.holdings.split.tolist() == [0] * 10
    assert snapshot.holdings.at[0] == 1_704_844_800_000  # 2024-01-10
    ties = zip(snapshot.ties.source.tolist(), snapshot.ties.target.tolist(), strict=True)
    assert list(ties) == [(0, 1), (2, 1), (3, 4), (5, 0)]
    assert set(snapshot.ties.at.tolist()) == {NO_TIME}
    assert snapshot.reviews.user.tolist() == [1, 3, 5]
    assert snapshot.reviews.product.tolist() == [2, 4, 0]
    assert snapshot.reviews.text[2] == "The coupon came on the day."
    assert snapshot.reviews.describes_user.all()
    assert snapshot.reviews.describes_product.all()
    assert snapshot.cut == NO_TIME


def test_arrays_have_the_documented_types(six_users: Graph, tmp_path: Path) -> None:
    export(six_users, tmp_path / "snapshot")
    snapshot = read_snapshot(tmp_path / "snapshot")
    for edges in (snapshot.holdings, snapshot.ties):
        assert [
            array.dtype
            for array in (edges.source, edges.target, edges.split, edges.at, edges.rating)
        ] == [np.int32, np.int32, np.int8, np.int64, np.float32]
    assert snapshot.user_gids.dtype == snapshot.product_gids.dtype == np.int64
    assert snapshot.reviews.user.dtype == np.int32
    assert snapshot.reviews.describes_user.dtype == np.bool_


def test_two_exports_of_an_unchanged_graph_agree(
    six_users: Graph, tmp_path: Path, run_cypher: RunCypher
) -> None:
    first = export(six_users, tmp_path / "snapshot")
    assert export(six_users, tmp_path / "other").hash == first.hash
    assert read_snapshot(tmp_path / "snapshot").hash == first.hash
    run_cypher("MATCH (u:User {id: 'u6'}), (p:Product {id: 'A'}) CREATE (u)-[:HOLDS]->(p)")
    changed = export(six_users, tmp_path / "snapshot")
    assert changed.hash != first.hash
    assert read_snapshot(tmp_path / "snapshot").hash == changed.hash
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "six_users", "snapshot"]


def test_the_size_of_the_pieces_does_not_change_a_snapshot(
    graph: Graph, community: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(graph, community)
    whole = export(graph, tmp_path / "one")
    monkeypatch.setattr(sources, "NODES_PER_PIECE", 37)
    monkeypatch.setattr(sources, "EDGES_PER_PIECE", 300)
    monkeypatch.setattr(sources, "AUTHORS_PER_PIECE", 41)
    assert export(graph, tmp_path / "two").hash == whole.hash
    lines = (community / "interactions.tsv").read_text().splitlines()[1:]
    assert sorted(holdings(whole)) == sorted(
        (line.split("\t")[0], line.split("\t")[1]) for line in lines
    )


def test_training_uses_nothing_after_the_cut(graph: Graph, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "interactions.tsv").write_text(
        "user\tproduct\ttimestamp\tsplit\n"
        "u1\tA\t2024-01-01\ttrain\nu2\tA\t2024-02-01\ttrain\n"
        "u1\tB\t2024-03-01\tvalid\nu2\tB\t2024-04-01\ttest\nu3\tC\t\t\n"
    )
    (folder / "ties.tsv").write_text(
        "source\ttarget\ttimestamp\tsplit\n"
        "u1\tu2\t2024-01-15\t\nu1\tu3\t2024-02-02\t\nu2\tu3\t\t\n"
        "u2\tu1\t2024-01-15\ttest\nu3\tu1\t2024-01-15\ttrain\n"
    )
    (folder / "reviews.tsv").write_text(
        "review\tuser\tproduct\ttimestamp\tsplit\ttext\n"
        "r1\tu1\tA\t2024-01-31\t\tbefore the cut\n"
        "r2\tu1\tB\t2024-02-01\t\tbefore the cut, of a pair held out later\n"
        "r3\tu1\tC\t2024-02-02\t\tafter the cut\n"
        "r4\tu2\tA\t\ttrain\tof train\n"
        "r5\tu2\tB\t2024-01-01\ttest\tof test\n"
        "r6\tu2\tC\t\t\tneither, pair in no split\n"
        "r7\tu3\tC\t\t\tneither, pair without a split counts as train\n"
    )
    load(graph, folder)
    snapshot = export(graph, tmp_path / "snapshot")
    assert snapshot.cut == 1_706_745_600_000  # 2024-02-01
    pairs = zip(snapshot.ties.source.tolist(), snapshot.ties.target.tolist(), strict=True)
    assert dict(zip(pairs, snapshot.ties.split.tolist(), strict=True)) == {
        (0, 1): 0, (0, 2): 2, (1, 2): 0, (1, 0): 2, (2, 0): 0,
    }  # fmt: skip
    reviews = snapshot.reviews
    used = dict(
        zip(
            reviews.text,
            zip(reviews.describes_user.tolist(), reviews.describes_product.tolist(), strict=True),
            strict=True,
        )
    )
    assert used == {
        "before the cut": (True, True),
        "before the cut, of a pair held out later": (True, True),
        "after the cut": (False, False),
        "of train": (True, True),
        "of test": (False, False),
        "neither, pair in no split": (False, True),
        "neither, pair without a split counts as train": (True, True),
    }


def test_users_and_products_without_row_numbers_are_numbered(
    six_users: Graph, tmp_path: Path, run_cypher: RunCypher
) -> None:
    run_cypher(
        "CREATE (:User {id: 'v2'})-[:HOLDS]->(:Product {id: 'G'}), "
        "(:User {id: 'v1'})-[:HOLDS {at: 5}]->(:Product {id: 'H', name: 'Heath'})"
    )
    snapshot = export(six_users, tmp_path / "snapshot")
    assert snapshot.user_ids[6:] == ("v1", "v2")
    assert snapshot.product_ids[6:] == ("G", "H")
    assert snapshot.product_names[6:] == ("G", "Heath")
    assert holdings(snapshot)[-2:] == [("v1", "H"), ("v2", "G")]
    found = run_cypher("MATCH (u:User) RETURN u.id AS id, u.gid AS gid ORDER BY gid")
    assert [row["id"] for row in found][6:] == ["v1", "v2"]


def test_rows_stay_contiguous_after_users_are_deleted(
    six_users: Graph, tmp_path: Path, run_cypher: RunCypher
) -> None:
    run_cypher("MATCH (n) WHERE n.id IN ['u2', 'A'] DETACH DELETE n")
    snapshot = export(six_users, tmp_path / "snapshot")
    assert snapshot.user_gids.tolist() == [0, 2, 3, 4, 5]
    assert holdings(snapshot) == [
        ("u1", "B"), ("u3", "B"), ("u3", "C"), ("u4", "D"), ("u4", "E"), ("u5", "E"),
    ]  # fmt: skip


def test_a_pair_that_is_held_twice_counts_once(
    six_users: Graph, tmp_path: Path, run_cypher: RunCypher
) -> None:
    run_cypher(
        "MATCH (u:User {id: 'u1'}), (p:Product {id: 'A'}) CREATE (u)-[:HOLDS {split: 'test'}]->(p)"
    )
    snapshot = export(six_users, tmp_path / "snapshot")
    assert len(snapshot.holdings.source) == 10
    assert snapshot.holdings.split.tolist() == [0] * 10


def test_an_empty_graph_is_refused_with_the_command_to_type(graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="type: kinfolio load FOLDER"):
        export(graph, tmp_path / "snapshot")
    assert not (tmp_path / "snapshot").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("MATCH ()-[h:HOLDS]->() SET h.at = datetime('2024-01-01')", "as the property `at`"),
        ("MATCH ()-[h:HOLDS]->() SET h.split = 'dev'", "the graph has the split 'dev'"),
        ("CREATE (:User {name: 'x'})", "1 User or Product nodes in the graph have no id"),
    ],
)
def test_invalid_values_are_refused_in_one_sentence_and_keep_the_old_snapshot(
    six_users: Graph, tmp_path: Path, run_cypher: RunCypher, change: str, sentence: str
) -> None:
    before = export(six_users, tmp_path / "snapshot")
    run_cypher(change)
    with pytest.raises(BadInput) as caught:
        export(six_users, tmp_path / "snapshot")
    assert sentence in str(caught.value)
    assert read_snapshot(tmp_path / "snapshot").hash == before.hash
