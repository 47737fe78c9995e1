"""Scores of all users for one product.

The server compares the product's vector with every user's stored vector in 32 bits. Users whose
stored vector does not count are scored by their query vectors. Those who may be among the k best
are scored again in 64 bits, so the ranking is that of all exact scores.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph, Rows
from kinfolio.errors import KinfolioError, ServerUnreachable, WrongPassword, quoted
from kinfolio.gnn.serving.audience.population import in_pages, read_population
from kinfolio.gnn.serving.search import read_compared
from kinfolio.gnn.serving.user_state import unrated_kinds
from kinfolio.gnn.version_state import ServedVersion, damaged
from kinfolio.records import Source

NEAR = 2e-5
"""Largest error of a cosine of 32 bits, and more."""
SAME_DIGITS = 9
"""Users whose scores agree to this many decimals are ordered by id: the last digit of a sum
depends on its order."""


@dataclass(frozen=True, slots=True, eq=False)
class Eligible:
    """Users whom the rules allow the product, with scores in 32 bits."""

    gids: NDArray[np.int64]
    """Users with a stored vector that counts."""
    others: list[str]
    """Ids of the other users."""
    scores: NDArray[np.float64]
    """Of `gids`, then of `others`."""


class Scored(NamedTuple):
    """A user with a score in 64 bits."""

    score: float
    user: str
    name: str
    source: Source


class AudienceSearch:
    """One product of the active version, and the rules."""

    def __init__(self, graph: Graph, product: dict[str, Any], conditions: tuple[str, ...]) -> None:
        # Any: a row of `recommend_product_vector`
        self._graph = graph
        self._product = product
        self._served = ServedVersion(product["version"], product["slot"], product["length"])
        self._id = str(product["product"])
        self._embedding = np.array(product["embedding"], np.float64)
        # Any: parameters, as `Graph.read` takes them
        self._rules: dict[str, Any] = {
            "conditions": conditions,
            "harmless": unrated_kinds(graph),
        }
        bounds = graph.read("audience_bounds", product_id=self._id)[0]
        self._last = int(bounds["last"])
        self._out = np.array([gid for gid in bounds["out"] if gid is not None], np.int64)
        self._population = read_population(graph, self._served, product | bounds)

    def eligible(self) -> Eligible:
        """Return all users whom the rules allow the product, with scores in 32 bits."""
        pages = self._near()
        gids = np.concatenate([np.array(page["gids"], np.int64) for page in pages])
        near = np.concatenate([np.array(page["near"], np.float64) for page in pages])
        is_in = ~np.isin(gids, self._out)
        gids, near = gids[is_in], near[is_in]
        linked = self._linked(gids)
        known = self._population
        place = np.searchsorted(known.gids, gids).clip(max=max(0, len(known.gids) - 1))
        is_stored = np.zeros(len(gids), np.bool_)
        if len(known.gids):
            is_stored = (known.gids[place] == gids) & (near >= 0)
        lengths = known.lengths[place[is_stored]] * math.hypot(*self._embedding)
        scores = (2 * near[is_stored] - 1) * lengths + linked[is_stored]
        others, other_scores = self._others(gids[~is_stored].tolist(), linked[~is_stored])
        return Eligible(gids[is_stored], others, np.concatenate([scores, other_scores]))

    def _near(self) -> Rows:
        parameters = {"slot": self._served.slot, "product_id": self._id, **self._rules}
        try:
            found = in_pages(
                self._graph,
                "audience_near",
                self._last,
                embedding=self._product["embedding"],
                **parameters,
            )
        except (ServerUnreachable, WrongPassword):
            raise
        except KinfolioError:
            # A damaged vector fails the statement: no stored vector is compared.
            found = in_pages(self._graph, "audience_near", self._last, embedding=None, **parameters)
        return found or [{"gids": [], "near": []}]

    def _linked(self, gids: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the links' contribution to each user's score."""
        parameters = {"product_id": self._id, "width": len(self._embedding)}
        rows = read_compared(self._graph, self._served, "audience_linked", parameters)
        linked = np.zeros(len(gids))
        if rows and len(gids):
            order = np.argsort(gids)
            found = np.array([row["gid"] for row in rows], np.int64)
            places = order[np.searchsorted(gids, found, sorter=order).clip(max=len(gids) - 1)]
            is_there = gids[places] == found
            linked[places[is_there]] = np.array([row["linked"] for row in rows])[is_there]
        return linked

    def _others(
        self, gids: list[int], linked: NDArray[np.float64]
    ) -> tuple[list[str], NDArray[np.float64]]:
        """Return ids and scores of the users without a gid or a stored vector that counts."""
        known = self._population
        known.read_ids(self._graph, gids)
        added = dict(zip(gids, linked.tolist(), strict=True))
        links = {known.ids[gid]: added[gid] for gid in gids if gid in known.ids}
        new = self._graph.read("audience_new", product_id=self._id, **self._rules)[0]["ids"]
        links |= {row["user"]: float(row["linked"]) for row in self._read_candidates([], new)}
        known.read_queries(self._graph, list(links))
        users = [user for user in links if user in known.queries]  # others were deleted meanwhile
        queries = np.array([known.queries[user][1] for user in users], np.float64)
        scores = queries.reshape(len(users), len(self._embedding)) @ self._embedding
        return users, scores + np.array([links[user] for user in users])

    def best(self, users: Eligible, k: int) -> list[Scored]:
        """Return the k best, scored in 64 bits; equal scores in the order of ids."""
        chosen = np.arange(len(users.scores))
        if len(chosen) > k:
            longest = self._population.lengths.max(initial=1.0)
            error = NEAR * math.hypot(*self._embedding) * float(longest)
            last = np.partition(users.scores, len(chosen) - k)[len(chosen) - k]
            chosen = np.flatnonzero(users.scores >= last - 2 * error)
        num_stored = len(users.gids)
        gids = users.gids[chosen[chosen < num_stored]]
        others = [users.others[place - num_stored] for place in chosen[chosen >= num_stored]]
        rows = self._read_candidates(gids.tolist(), others)
        scored = [
            Scored(score, row["user"], row["name"], source)
            for row, (score, source) in zip(rows, self._score(rows, set(others)), strict=True)
        ]
        return sorted(scored, key=lambda one: (-round(one.score, SAME_DIGITS), one.user))[:k]

    def _score(self, rows: Rows, others: set[str]) -> list[tuple[float, Source]]:
        """Score some candidates in 64 bits, in the order of operations of `recommend_score`."""
        if not rows:
            return []
        known = self._population.queries
        heads, dim = self._product["heads"], self._product["dim"]
        sources: list[Source] = []
        queries = np.empty((len(rows), len(self._embedding)))
        for place, row in enumerate(rows):
            if row["user"] in others:
                source, queries[place] = known[row["user"]]
                sources.append(source)
            else:
                queries[place] = row["embedding"]
                sources.append("stored")
        is_stored = np.array([source == "stored" for source in sources])
        queries[is_stored] = _as_query(queries[is_stored], heads, dim)
        linked = np.array([row["linked"] for row in rows], np.float64)
        # `cumsum` adds one after the other, `sum` and `@` do not.
        scores = linked + (self._embedding * queries).cumsum(axis=1)[:, -1]
        if not np.isfinite(scores).all():
            raise damaged(self._served.name, f"a link to product {quoted(self._id)} is not finite")
        return list(zip(scores.tolist(), sources, strict=True))

    def _read_candidates(self, gids: list[int], ids: list[str]) -> Rows:
        if not gids and not ids:
            return []
        return self._graph.read(
            "audience_candidates",
            slot=self._served.slot,
            product_id=self._id,
            gids=gids,
            ids=ids,
        )


def _as_query(vectors: NDArray[np.float64], heads: int, dim: int) -> NDArray[np.float64]:
    """Return stored vectors as `recommend_query_vector` does: unit blocks, then 1 and 0."""
    blocks = vectors[:, : heads * dim].reshape(len(vectors), heads, dim)
    lengths = np.sqrt((blocks * blocks).cumsum(axis=2)[:, :, -1:])
    blocks = np.divide(blocks, lengths, out=np.zeros_like(blocks), where=lengths > 0)
    ends = np.broadcast_to([1.0, 0.0], (len(vectors), 2))
    return np.concatenate([blocks.reshape(len(vectors), heads * dim), ends], axis=1)
