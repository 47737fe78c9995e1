"""A snapshot as PyG's feature store and graph store, for graphs larger than memory.

Arrays are mapped from files in the snapshot folder. With a `SnapshotSampler` both stores work with
PyG's `NodeLoader` and `LinkLoader`:

    features, graph = open_stores(folder)
    sampler = SnapshotSampler(graph, [10, 10])
    for batch in NodeLoader((features, graph), sampler, "user", batch_size=512):
        ...
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kinfolio.loaders.pyg.arrays import EDGE_TYPES, Arrays, EdgeType, Incoming
from kinfolio.loaders.pyg.imports import pyg_warnings_ignored

with pyg_warnings_ignored():
    from torch_geometric.data import EdgeAttr, FeatureStore, GraphStore, TensorAttr
    from torch_geometric.data.graph_store import EdgeLayout


class SnapshotGraph(GraphStore):  # type: ignore[misc]  # PyG has no types
    """Edges of a snapshot, each type sorted by its ends (`EdgeLayout.CSC`).

    Edge types are `(user, holds, product)`, `(user, tied_to, user)` and the reverse
    `(product, rev_holds, user)` and `(user, rev_tied_to, user)`.
    """

    def __init__(self, arrays: Arrays) -> None:
        super().__init__()
        self.num_nodes = dict(arrays.num_nodes)
        self._edges = {kind: arrays.incoming(kind) for kind in EDGE_TYPES}

    def incoming(self, kind: EdgeType) -> Incoming:
        """Return the edges of one type by their ends, as mapped arrays."""
        return self._edges[kind]

    def get_all_edge_attrs(self) -> list[Any]:
        """Return all attributes."""
        return [
            EdgeAttr(
                edge_type=kind,
                layout=EdgeLayout.CSC,
                is_sorted=True,
                size=(self.num_nodes[kind[0]], self.num_nodes[kind[2]]),
            )
            for kind in self._edges
        ]

    def _get_edge_index(self, edge_attr: Any) -> tuple[Tensor, Tensor] | None:
        edges = self._edges.get(edge_attr.edge_type)
        if edges is None:
            return None
        source = torch.from_numpy(edges.source)
        if edge_attr.layout == EdgeLayout.CSC:
            return source, torch.from_numpy(edges.begin)
        if edge_attr.layout == EdgeLayout.COO:
            ends = np.repeat(np.arange(len(edges.begin) - 1), np.diff(edges.begin))
            return source.long(), torch.from_numpy(ends)
        return None

    def _put_edge_index(self, edge_index: Any, edge_attr: Any) -> bool:
        return False  # a snapshot is read-only

    def _remove_edge_index(self, edge_attr: Any) -> bool:
        return False


class SnapshotFeatures(FeatureStore):  # type: ignore[misc]  # PyG has no types
    """Arrays of nodes and edges: `gid` of users and products, `split`, `at`, `rating` of edges.

    Arrays of edges are in the order of the snapshot's table (`e_id` of a batch), under
    `(user, holds, product)` and `(user, tied_to, user)`. Others can be added, preferably mapped:
    `features.put_tensor(array, "product", "x", index=None)`.
    """

    def __init__(self, arrays: Arrays) -> None:
        super().__init__()
        self._num_nodes = dict(arrays.num_nodes)
        self._values: dict[tuple[Any, str], NDArray[Any]] = {
            (kind, "gid"): arrays.gids(kind) for kind in arrays.num_nodes
        }
        for kind, (table, start, _) in EDGE_TYPES.items():
            if start == "source":
                for column in ("split", "at", "rating"):
                    self._values[kind, column] = arrays.edge_values(table, column)

    def get_all_tensor_attrs(self) -> list[Any]:
        """Return all attributes."""
        return [TensorAttr(group, name) for group, name in self._values]

    def _get_tensor(self, attr: Any) -> Tensor | None:
        values = self._values.get((attr.group_name, attr.attr_name))
        if values is None:
            return None
        if attr.index is None:
            return torch.from_numpy(values)
        index = attr.index.numpy() if isinstance(attr.index, Tensor) else attr.index
        return torch.from_numpy(np.array(values[index]))

    def _get_tensor_size(self, attr: Any) -> tuple[int, ...]:
        return tuple(self._values[attr.group_name, attr.attr_name].shape)

    def _put_tensor(self, tensor: Any, attr: Any) -> bool:
        values = tensor.numpy() if isinstance(tensor, Tensor) else tensor
        if attr.index is not None or len(values) != self._num_nodes.get(
            attr.group_name, len(values)
        ):
            return False
        self._values[attr.group_name, attr.attr_name] = values
        return True

    def _remove_tensor(self, attr: Any) -> bool:
        return self._values.pop((attr.group_name, attr.attr_name), None) is not None


def open_stores(
    folder: Path, *, keep_held_out: bool = False
) -> tuple[SnapshotFeatures, SnapshotGraph]:
    """Open the feature store and the graph store of a snapshot folder; see `Arrays`."""
    arrays = Arrays(folder, keep_held_out=keep_held_out)
    return SnapshotFeatures(arrays), SnapshotGraph(arrays)
