"""Every user's list in one pass: vectors come once from the graph, scores are made here.

The same vectors, rules and order as `recommend`; which products suit whom is asked of the graph,
once for every risk tolerance and country that people have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady
from kinfolio.gnn.recommend import check_k
from kinfolio.gnn.user_state import UserState, read_user_states
from kinfolio.records import Progress, Slot, no_progress
from kinfolio.run import whole_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAGE_USERS = 256
PAGE_PRODUCTS = 2_000
SAME_DIGITS = 9
"""Products whose scores agree to this many digits behind the point go by id."""


@dataclass(slots=True)
class _Catalogue:
    ids: list[str]
    vectors: NDArray[np.float64]
    """Shape (num_products, width); one column, the number of holders, without a version."""
    has_score: NDArray[np.bool_]
    place: dict[str, int]
    suitable: dict[tuple[int | None, str | None], NDArray[np.bool_]] = field(default_factory=dict)


def recommend_all(
    graph: Graph, file: Path, k: int = 10, *, progress: Progress = no_progress
) -> int:
    """The number of users whose lists were written to a tab-separated file, whole or not at all.

    Raises:
        BadConfig: k is out of range.
        NotReady: another version became active meanwhile.
    """
    check_k(k)
    users = 0
    with whole_file(file) as temporary, temporary.open("w", encoding="utf-8", newline="") as out:
        out.write("user\trank\tproduct\tscore\n")
        for state, ranked in _lists(graph, k):
            out.writelines(
                f"{_cell(state.user)}\t{rank}\t{_cell(product)}\t{score:.9g}\n"
                for rank, (product, score) in enumerate(ranked, 1)
            )
            users += 1
            if users % PAGE_USERS == 0:
                progress("making lists", users, 0)
    return users


def _lists(graph: Graph, k: int) -> Iterator[tuple[UserState, list[tuple[str, float]]]]:
    catalogue: _Catalogue | None = None
    version: str | None = None
    for page in _pages(graph):
        out = {row["user"]: row["out"] for row in page}
        states = read_user_states(graph, list(out))
        for state in states:
            if catalogue is None:
                version = state.version
                catalogue = _read_catalogue(graph, None if version is None else state.slot)
            if state.version != version:
                raise NotReady(
                    f"version {state.version!r} took the place of {version!r} while the lists "
                    "were made; run the command again"
                )
        if catalogue is None:
            continue
        queries = np.array([state.query or (1.0,) for state in states])
        scores = queries @ catalogue.vectors.T
        for row, state in enumerate(states):
            allowed = catalogue.has_score & _suitable(graph, catalogue, state)
            # Products without a vector or added since the catalogue was read have no place.
            held = [catalogue.place[p] for p in out[state.user] if p in catalogue.place]
            allowed[held] = False
            yield state, _best(catalogue.ids, scores[row], allowed, k)


def _pages(graph: Graph) -> Iterator[list[dict[str, Any]]]:  # Any: a row of a statement
    after = ""
    while page := graph.read("recommend_users", after=after, size=PAGE_USERS):
        yield page
        after = page[-1]["user"]


def _read_catalogue(graph: Graph, slot: Slot | None) -> _Catalogue:
    ids: list[str] = []
    vectors: list[list[float] | None] = []
    after = ""
    while page := graph.read(
        "recommend_products", slot=slot or "a", after=after, size=PAGE_PRODUCTS
    ):
        ids += [row["product"] for row in page]
        vectors += [[row["holders"]] if slot is None else row["embedding"] for row in page]
        after = page[-1]["product"]
    width = max((len(vector) for vector in vectors if vector), default=1)
    return _Catalogue(
        ids=ids,
        vectors=np.array([vector or [0.0] * width for vector in vectors]).reshape(-1, width),
        has_score=np.array([vector is not None for vector in vectors], np.bool_),
        place={product: place for place, product in enumerate(ids)},
    )


def _suitable(graph: Graph, catalogue: _Catalogue, state: UserState) -> NDArray[np.bool_]:
    key = (state.risk_tolerance, state.country)
    if key not in catalogue.suitable:
        rows = graph.read("recommend_suitable", risk_tolerance=key[0], country=key[1])
        mask = np.zeros(len(catalogue.ids), np.bool_)
        mask[[catalogue.place[p] for p in rows[0]["products"] if p in catalogue.place]] = True
        catalogue.suitable[key] = mask
    return catalogue.suitable[key]


def _best(
    ids: list[str], scores: NDArray[np.float64], allowed: NDArray[np.bool_], k: int
) -> list[tuple[str, float]]:
    """The k best allowed products; those of one score in the order of their ids."""
    places = np.flatnonzero(allowed)
    if len(places) > k:
        least = np.partition(scores[places], -k)[-k]
        places = places[scores[places] >= least - 10.0**-SAME_DIGITS]
    # The last digit of a product of matrices depends on where a row stands in the matrix.
    ranked = sorted((-round(float(scores[place]), SAME_DIGITS), ids[place]) for place in places)
    return [(product, -score) for score, product in ranked[:k]]


def _cell(text: str) -> str:
    """A text that keeps to its cell."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
