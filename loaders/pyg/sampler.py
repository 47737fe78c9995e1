"""Neighbour sampling in NumPy: PyG's loaders without pyg-lib.

A hop samples edges into the nodes of the previous hop; every node is expanded once. With `-1`
neighbours, k hops give the exact subgraph of all edges into nodes fewer than k hops away.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kinfolio.errors import BadConfig
from kinfolio.loaders.pyg.arrays import EdgeType, Incoming
from kinfolio.loaders.pyg.imports import pyg_warnings_ignored
from kinfolio.loaders.pyg.stores import SnapshotGraph

with pyg_warnings_ignored():
    from torch_geometric.sampler import BaseSampler, HeteroSamplerOutput
    from torch_geometric.sampler.neighbor_sampler import edge_sample, node_sample

_Hop = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Source and end of each sampled edge, and its row in the snapshot's table."""


class SnapshotSampler(BaseSampler):  # type: ignore[misc]  # PyG has no types
    """Samples neighbours from a `SnapshotGraph`, without replacement.

    Args:
        graph: result of `open_stores`, by default with training edges only.
        num_neighbors: for each hop, the number of edges into a node of every edge type, -1 for all;
            or such a list for each edge type.
        seed: seed of the sampling.
    """

    def __init__(
        self,
        graph: SnapshotGraph,
        num_neighbors: list[int] | dict[EdgeType, list[int]],
        seed: int = 0,
    ) -> None:
        kinds: list[EdgeType] = [attr.edge_type for attr in graph.get_all_edge_attrs()]
        if not isinstance(num_neighbors, dict):
            num_neighbors = {kind: list(num_neighbors) for kind in kinds}
        unknown = [kind for kind in num_neighbors if kind not in kinds]
        lengths = {len(count) for count in num_neighbors.values()}
        if unknown or len(lengths) != 1 or not all(num_neighbors.values()):
            raise BadConfig(
                f"num_neighbors is {num_neighbors}; one number for each hop was expected, or a "
                f"dict of equally long lists with keys among {kinds}"
            )
        self._graph = graph
        self._num_neighbors = num_neighbors
        self._hops = lengths.pop()
        self._seed = seed
        self._random: np.random.Generator | None = None

    def sample_from_nodes(self, index: Any, **_: Any) -> Any:
        """Sample the subgraph around nodes."""
        return node_sample(index, self._sample)

    def sample_from_edges(self, index: Any, neg_sampling: Any = None) -> Any:
        """Sample the subgraph around the ends of edges and of negative pairs."""
        return edge_sample(index, self._sample, self._graph.num_nodes, False, None, neg_sampling)

    def _sample(self, seed: dict[str, Tensor], seed_time: Any = None) -> Any:
        if seed_time is not None and any(time is not None for time in seed_time.values()):
            raise BadConfig("temporal sampling is not supported; leave input_time out")
        none = np.zeros(0, np.int64)
        kinds = {node for kind in self._num_neighbors for node in (kind[0], kind[2])} | set(seed)
        found = {kind: seed[kind].numpy() if kind in seed else none for kind in sorted(kinds)}
        fresh = dict(found)
        nodes_by_hop = {kind: [len(nodes)] for kind, nodes in found.items()}
        hops: dict[EdgeType, list[_Hop]] = {kind: [] for kind in self._num_neighbors}
        for hop in range(self._hops):
            reached: dict[str, list[NDArray[np.int64]]] = {kind: [none] for kind in found}
            for kind, counts in self._num_neighbors.items():
                incoming = self._graph.incoming(kind)
                place, end = self._sample_edges(incoming, fresh[kind[2]], counts[hop])
                start = incoming.source[place].astype(np.int64)
                hops[kind].append((start, end, np.asarray(incoming.edge[place])))
                reached[kind[0]].append(start)
            for node, parts in reached.items():
                fresh[node] = np.setdiff1d(np.concatenate(parts), found[node])
                found[node] = np.concatenate([found[node], fresh[node]])
                nodes_by_hop[node].append(len(fresh[node]))
        local = {kind: _Local(nodes) for kind, nodes in found.items()}
        edges = {
            kind: [np.concatenate(column) for column in zip(*parts, strict=True)]
            for kind, parts in hops.items()
        }
        return HeteroSamplerOutput(
            node={kind: torch.from_numpy(nodes.copy()) for kind, nodes in found.items()},
            row={kind: local[kind[0]].of(start) for kind, (start, _, _) in edges.items()},
            col={kind: local[kind[2]].of(end) for kind, (_, end, _) in edges.items()},
            edge={kind: torch.from_numpy(edge) for kind, (_, _, edge) in edges.items()},
            num_sampled_nodes=nodes_by_hop,
            num_sampled_edges={
                kind: [len(start) for start, _, _ in parts] for kind, parts in hops.items()
            },
        )

    def _sample_edges(
        self, edges: Incoming, nodes: NDArray[np.int64], count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sample edges into nodes: the position of each edge, and its node."""
        begin, size = edges.begin[nodes], edges.begin[nodes + 1] - edges.begin[nodes]
        if count < 0:
            place, owner = _ranges(begin, size)
            return place, nodes[owner]
        few = size <= count
        # Rejection sampling is fast where most draws differ; otherwise all edges are shuffled.
        some = ~few & (size <= count * count + count)
        many = ~few & ~some
        place, owner = _ranges(begin[few], size[few])
        places, ends = [place], [nodes[few][owner]]
        if some.any():
            place, owner = _ranges(begin[some], size[some])
            order = np.lexsort((self._generator().random(len(place)), owner))
            first = np.cumsum(size[some]) - size[some]
            nth = np.arange(len(place)) - first[owner]
            places.append(place[order][nth < count])
            ends.append(nodes[some][owner[nth < count]])
        if many.any():
            nth = self._distinct(size[many], count)
            places.append((begin[many][:, None] + nth).ravel())
            ends.append(np.repeat(nodes[many], count))
        return np.concatenate(places), np.concatenate(ends)

    def _distinct(self, size: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """Draw distinct numbers below each size: int64, shape (len(size), count)."""
        random = self._generator()
        drawn = random.integers(0, size[:, None], (len(size), count))
        again = np.arange(len(size))
        while len(again):
            ordered = np.sort(drawn[again], axis=1)
            again = again[(ordered[:, 1:] == ordered[:, :-1]).any(axis=1)]
            drawn[again] = random.integers(0, size[again][:, None], (len(again), count))
        return drawn

    def _generator(self) -> np.random.Generator:
        if self._random is None:
            # Created on first use: each worker of a loader has its own copy and seed.
            worker = torch.utils.data.get_worker_info()
            self._random = np.random.default_rng([self._seed, worker.id if worker else 0])
        return self._random


class _Local:
    """Positions of nodes in a batch."""

    def __init__(self, nodes: NDArray[np.int64]) -> None:
        self._order = np.argsort(nodes)
        self._sorted = nodes[self._order]

    def of(self, nodes: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(self._order[np.searchsorted(self._sorted, nodes)])


def _ranges(
    begin: NDArray[np.int64], size: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Concatenate ranges of `size` numbers from each `begin`; return the range of each, too."""
    owner = np.repeat(np.arange(len(size)), size)
    nth = np.arange(len(owner)) - (np.cumsum(size) - size)[owner]
    return begin[owner] + nth, owner
