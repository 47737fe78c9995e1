"""Small graphs written with plain Cypher, independent of the tested code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Row = dict[str, Any]
"""Properties of a node; or of a relationship, with `u` and `p` (or `v`), the `gid`s of its ends."""


def store_graph(
    run_cypher: Callable[..., Any],
    *,
    users: Sequence[Row],
    products: Sequence[Row],
    holds: Sequence[Row] = (),
    ties: Sequence[Row] = (),
    dismissed: Sequence[Row] = (),
    reviews: Sequence[Row] = (),
) -> None:
    """Write nodes and relationships to an empty graph."""
    run_cypher("UNWIND $rows AS row CREATE (u:User) SET u = row", rows=users)
    run_cypher("UNWIND $rows AS row CREATE (p:Product) SET p = row", rows=products)
    pair = "UNWIND $rows AS r MATCH (u:User {gid: r.u}), (p:Product {gid: r.p}) "
    run_cypher(f"{pair} CREATE (u)-[h:HOLDS]->(p) SET h = r, h.u = null, h.p = null", rows=holds)
    run_cypher(
        "UNWIND $rows AS r MATCH (u:User {gid: r.u}), (v:User {gid: r.v}) "
        "CREATE (u)-[t:TIED_TO]->(v) SET t = r, t.u = null, t.v = null",
        rows=ties,
    )
    run_cypher(f"{pair} CREATE (u)-[:DISMISSED]->(p)", rows=dismissed)
    run_cypher(
        f"{pair} CREATE (u)-[:WROTE]->(w:Review)-[:ABOUT]->(p) "
        "SET w = r, w.u = null, w.p = null, w.id = coalesce(r.id, randomUUID())",
        rows=reviews,
    )
