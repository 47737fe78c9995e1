"""PyG stores and the sampler, compared with the same graph as a dense matrix."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kinfolio.errors import BadConfig, NotReady
from kinfolio.loaders.pyg.arrays import EDGE_TYPES
from kinfolio.loaders.pyg.sampler import SnapshotSampler
from kinfolio.loaders.pyg.stores import SnapshotGraph, open_stores
from kinfolio.records import NO_TIME, Edges, Snapshot
from kinfolio.snapshot import with_hash, write_snapshot
from tests.gnn.snapshots import no_reviews

HOLDS = ("user", "holds", "product")
REV_HOLDS = ("product", "rev_holds", "user")
TIED_TO = ("user", "tied_to", "user")
USERS, PRODUCTS = 60, 40


def some_edges(rng: np.random.Generator, ends: int, count: int) -> Edges:
    keys = np.sort(rng.permutation(USERS * ends)[:count])
    return Edges(
        source=(keys // ends).astype(np.int32),
        target=(keys % ends).astype(np.int32),
        split=rng.integers(0, 3, count).astype(np.int8),
        at=rng.integers(0, 1_000, count),
        rating=rng.integers(1, 6, count).astype(np.float32),
    )


def make(seed: int = 0) -> Snapshot:
    rng = np.random.default_rng(seed)
    return with_hash(
        Snapshot(
            user_ids=tuple(f"u{n}" for n in range(USERS)),
            product_ids=tuple(f"p{n}" for n in range(PRODUCTS)),
            user_gids=np.arange(USERS) * 3,
            product_gids=np.arange(PRODUCTS) + 7,
            product_names=("",) * PRODUCTS,
            product_texts=("",) * PRODUCTS,
            holdings=some_edges(rng, PRODUCTS, 500),
            ties=some_edges(rng, USERS, 150),
            reviews=no_reviews(),
            cut=NO_TIME,
            hash="",
        )
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_snapshot(make(), tmp_path / "snapshot")
    return tmp_path / "snapshot"


def edges_of(snapshot: Snapshot, kind: Any) -> tuple[Any, Any, Any]:
    """Return source, end and split of the edges of one type, from the record."""
    table, start, end = EDGE_TYPES[kind]
    edges = getattr(snapshot, table)
    return getattr(edges, start), getattr(edges, end), edges.split


def global_edges(batch: Any, kind: Any) -> list[tuple[int, int]]:
    """Return the edges of a batch in rows of the snapshot."""
    row, col = batch[kind].edge_index
    start, end = batch[kind[0]].n_id[row], batch[kind[2]].n_id[col]
    return list(zip(start.tolist(), end.tolist(), strict=True))


def loader(folder: Path, *, neighbors: Any, keep_held_out: bool = False, **options: Any) -> Any:
    from torch_geometric.loader import NodeLoader

    stores = open_stores(folder, keep_held_out=keep_held_out)
    sampler = SnapshotSampler(stores[1], neighbors)
    return NodeLoader(stores, sampler, input_nodes="user", batch_size=7, **options)


@pytest.mark.parametrize("keep_held_out", [False, True])
def test_the_graph_store_has_the_edges_of_the_snapshot(folder: Path, keep_held_out: bool) -> None:
    _, graph = open_stores(folder, keep_held_out=keep_held_out)
    for kind in EDGE_TYPES:
        start, end, split = edges_of(make(), kind)
        mask = np.ones(len(split), bool) if keep_held_out else split == 0
        found = graph.get_edge_index(edge_type=kind, layout="coo")
        assert sorted(zip(*(part.tolist() for part in found), strict=True)) == sorted(
            zip(start[mask].tolist(), end[mask].tolist(), strict=True)
        )
        rows = graph.incoming(kind).edge
        assert (start[rows] == graph.incoming(kind).source).all()


def test_arrays_are_mapped_not_read(folder: Path) -> None:
    features, graph = open_stores(folder)
    for kind in EDGE_TYPES:
        incoming = graph.incoming(kind)
        for array in (incoming.begin, incoming.source, incoming.edge):
            assert isinstance(array, np.memmap)
    assert isinstance(features._values["user", "gid"], np.memmap)


def test_nodes_and_edges_have_their_values(folder: Path) -> None:
    features, _ = open_stores(folder)
    snapshot = make()
    index = torch.tensor([5, 2, 2])
    assert features.get_tensor("user", "gid", index=index).tolist() == [15, 6, 6]
    assert features.get_tensor("product", "gid", index=None).tolist() == list(range(7, 47))
    rating = features.get_tensor(HOLDS, "rating", index=index)
    assert rating.tolist() == snapshot.holdings.rating[[5, 2, 2]].tolist()
    assert features.put_tensor(np.eye(PRODUCTS, dtype=np.float32), "product", "x", index=None)
    assert features.get_tensor("product", "x", index=index).argmax(dim=1).tolist() == [5, 2, 2]
    assert not features.put_tensor(np.zeros((3, 2)), "product", "y", index=None)


@pytest.mark.parametrize("neighbors", [[3, 2], [-1, -1], [4, 0], [1], {REV_HOLDS: [2, 2]}])
def test_the_edges_of_a_batch_are_training_edges_of_the_snapshot(
    folder: Path, neighbors: Any
) -> None:
    snapshot = make()
    seen = 0
    for batch in loader(folder, neighbors=neighbors):
        for kind in batch.edge_types:
            start, end, split = edges_of(snapshot, kind)
            pairs = global_edges(batch, kind)
            seen += len(pairs)
            assert len(set(pairs)) == len(pairs)
            rows = batch[kind].e_id.numpy()
            assert (split[rows] == 0).all()
            assert pairs == list(zip(start[rows].tolist(), end[rows].tolist(), strict=True))
        gids = batch["user"].gid.tolist()
        assert gids == (batch["user"].n_id * 3).tolist()
    assert seen


@pytest.mark.parametrize("hops", [1, 2, 3])
@pytest.mark.parametrize("keep_held_out", [False, True])
def test_all_neighbours_are_the_exact_subgraph(
    folder: Path, hops: int, keep_held_out: bool
) -> None:
    snapshot = make()
    edges_by_kind = {}
    for kind in EDGE_TYPES:
        start, end, split = edges_of(snapshot, kind)
        use = np.ones(len(split), bool) if keep_held_out else split == 0
        edges_by_kind[kind] = list(zip(start[use].tolist(), end[use].tolist(), strict=True))
    for batch in loader(folder, neighbors=[-1] * hops, keep_held_out=keep_held_out):
        # By hand: all nodes from which the seeds can be reached in that many steps, edge by edge.
        near = {("user", int(n)) for n in batch["user"].n_id[: batch["user"].batch_size]}
        expected: dict[Any, set[tuple[int, int]]] = {kind: set() for kind in EDGE_TYPES}
        for _ in range(hops):
            more = set()
            for kind, edges in edges_by_kind.items():
                into = {(s, e) for s, e in edges if (kind[2], e) in near}
                expected[kind] |= into
                more |= {(kind[0], s) for s, _ in into}
            near |= more
        for kind in EDGE_TYPES:
            assert set(global_edges(batch, kind)) == expected[kind]
        assert {("user", n) for n in batch["user"].n_id.tolist()} == {
            node for node in near if node[0] == "user"
        }


def test_the_number_of_sampled_neighbours_is_as_requested(folder: Path) -> None:
    _, graph = open_stores(folder)
    size = np.diff(graph.incoming(REV_HOLDS).begin)
    for count in (1, 2, 5):
        for batch in loader(folder, neighbors={REV_HOLDS: [count]}):
            taken = np.bincount(batch[REV_HOLDS].edge_index[1], minlength=batch["user"].batch_size)
            assert taken.tolist() == np.minimum(size[batch["user"].n_id], count).tolist()


def test_neighbours_are_sampled_uniformly(folder: Path) -> None:
    """Each holding of a user is sampled equally often, by both methods."""
    _, graph = open_stores(folder, keep_held_out=True)
    incoming = graph.incoming(REV_HOLDS)
    for count in (2, 4):
        sampler = SnapshotSampler(graph, [count], seed=1)
        user = int(np.argmax(np.diff(incoming.begin)))
        size = int(np.diff(incoming.begin)[user])
        assert (size > count * count + count) == (count == 2)
        places, _ = sampler._sample_edges(incoming, np.full(6_000, user), count)
        counts = np.bincount(places - incoming.begin[user], minlength=size)
        mean = 6_000 * count / size
        assert abs(counts - mean).max() < 5 * np.sqrt(mean)


def test_link_batches_contain_negative_pairs(folder: Path) -> None:
    from torch_geometric.loader import LinkLoader

    stores = open_stores(folder)
    links = stores[1].get_edge_index(edge_type=HOLDS, layout="coo")
    batches = LinkLoader(
        stores,
        SnapshotSampler(stores[1], [4, 4]),
        edge_label_index=(HOLDS, torch.stack(links)),
        neg_sampling="binary",
        batch_size=50,
    )
    all_links = set(zip(*(part.tolist() for part in links), strict=True))
    seen = set()
    for batch in batches:
        start, end = batch[HOLDS].edge_label_index
        pairs = list(
            zip(
                batch["user"].n_id[start].tolist(), batch["product"].n_id[end].tolist(), strict=True
            )
        )
        positive = batch[HOLDS].edge_label == 1
        seen |= {pair for pair, is_one in zip(pairs, positive, strict=True) if is_one}
        assert (~positive).sum() == positive.sum()
    assert seen == all_links


def test_workers_sample_differently_and_seeds_reproduce(folder: Path) -> None:
    one, again = (
        [batch["product"].n_id.tolist() for batch in loader(folder, neighbors=[2, 2])]
        for _ in range(2)
    )
    assert one == again
    two = list(loader(folder, neighbors=[2, 2], num_workers=2))
    assert len(two) == len(one)
    assert all(len(batch["user"].n_id) > 0 for batch in two)


def test_arrays_are_written_once_per_snapshot(folder: Path) -> None:
    _, before = open_stores(folder)
    written = (folder / "arrays" / "counted" / "manifest.json").stat().st_mtime_ns
    open_stores(folder)
    assert (folder / "arrays" / "counted" / "manifest.json").stat().st_mtime_ns == written
    manifest = json.loads((folder / "manifest.json").read_text())
    write_snapshot(make(seed=1), folder)
    assert json.loads((folder / "manifest.json").read_text())["hash"] != manifest["hash"]
    _, after = open_stores(folder)
    assert after.incoming(HOLDS).source.tolist() != before.incoming(HOLDS).source.tolist()
    assert sorted(path.name for path in (folder / "arrays").iterdir()) == ["counted"]


def test_large_tables_are_sorted_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kinfolio import snapshot as module

    write_snapshot(make(), tmp_path / "one")
    monkeypatch.setattr(module, "_ROWS_PER_PIECE", 37)
    write_snapshot(make(), tmp_path / "many")
    graphs: list[SnapshotGraph] = [open_stores(tmp_path / name)[1] for name in ("one", "many")]
    for kind in EDGE_TYPES:
        for one, many in pairwise(graph.incoming(kind) for graph in graphs):
            assert one.source.tolist() == many.source.tolist()
            assert one.edge.tolist() == many.edge.tolist()
            assert one.begin.tolist() == many.begin.tolist()


def test_invalid_arguments_are_refused_in_one_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="there is no snapshot"):
        open_stores(tmp_path / "nothing")
    _, graph = open_stores(folder)
    with pytest.raises(BadConfig, match="one number for each hop"):
        SnapshotSampler(graph, [])
    with pytest.raises(BadConfig, match="keys among"):
        SnapshotSampler(graph, {("user", "likes", "product"): [1]})
