"""All products of a version, read once, to compute the lists of all users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.eligibility import Eligibility
from kinfolio.gnn.serving.rules import Rule
from kinfolio.records import Slot

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

PAGE_PRODUCTS = 5_000


@dataclass(slots=True)
class Catalogue:
    """Products with their vectors, links and eligibility."""

    ids: list[str]
    """In ascending order."""
    vectors: NDArray[np.float64]
    """Shape (num_products, width); without a version one column, the number of holders."""
    has_score: NDArray[np.bool_]
    place_of_gid: dict[int, int]
    links: csr_array
    """Shape (num_products, num_products); from held products to others."""
    eligibility: Eligibility
    vectors32: Tensor = field(init=False)
    """The vectors, float32, shape (width, num_products)."""

    def __post_init__(self) -> None:
        import torch

        self.vectors32 = torch.from_numpy(np.ascontiguousarray(self.vectors.T, np.float32))

    def linked(self, linking: list[list[int]]) -> NDArray[np.float64] | None:
        """Return what links add to each score: shape (len(linking), num_products).

        `linking` has the gids of each user's held products whose links count. None without links.
        """
        if not self.links.nnz:
            return None
        pairs = [
            (row, self.place_of_gid[gid])
            for row, gids in enumerate(linking)
            for gid in gids
            if gid in self.place_of_gid
        ]
        rows, places = zip(*pairs, strict=True) if pairs else ((), ())
        held = coo_array((np.ones(len(rows)), (rows, places)), shape=(len(linking), len(self.ids)))
        added: NDArray[np.float64] = (csr_array(held) @ self.links).toarray()
        return added


def read_catalogue(graph: Graph, slot: Slot | None, rules: Sequence[Rule]) -> Catalogue:
    """Read all products of the graph, in the order of their ids.

    Vectors are those of the slot; without one, the number of holders is the score.
    """
    ids: list[str] = []
    vectors: list[list[float] | None] = []
    gids: list[int | None] = []
    links: list[tuple[list[int], list[float]]] = []
    after = ""
    while page := graph.read(
        "recommend_products", slot=slot or "a", after=after, size=PAGE_PRODUCTS
    ):
        ids += [row["product"] for row in page]
        vectors += [[row["holders"]] if slot is None else row["embedding"] for row in page]
        gids += [row["gid"] for row in page]
        links += [
            ([], []) if slot is None else (row["similar"] or [], row["weights"] or [])
            for row in page
        ]
        after = page[-1]["product"]
    place_of_gid = {gid: place for place, gid in enumerate(gids) if gid is not None}
    width = max((len(vector) for vector in vectors if vector), default=1)
    none = [0.0] * width
    return Catalogue(
        ids=ids,
        vectors=np.array([vector or none for vector in vectors], np.float64).reshape(-1, width),
        has_score=np.array([vector is not None for vector in vectors], np.bool_),
        place_of_gid=place_of_gid,
        links=_links(links, place_of_gid),
        eligibility=Eligibility(graph, ids, rules),
    )


def _links(
    links: Sequence[tuple[list[int], list[float]]], place_of_gid: dict[int, int]
) -> csr_array:
    found = [
        (source, place_of_gid[gid], weight)
        for source, (gids, weights) in enumerate(links)
        for gid, weight in zip(gids, weights, strict=True)
        # Products added or removed while the pages were read have no place.
        if gid in place_of_gid
    ]
    sources, targets, weights = zip(*found, strict=True) if found else ((), (), ())
    shape = (len(links), len(links))
    return csr_array(coo_array((np.array(weights, np.float64), (sources, targets)), shape=shape))
