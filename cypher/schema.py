"""Constraints and indexes of the graph, idempotent. Write-back creates the vector indexes."""

from __future__ import annotations

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.inspection.check import has_own_numbers, prepare
from kinfolio.errors import NotReady

CONSTRAINTS = (
    "schema_user_id",
    "schema_user_gid",
    "schema_product_id",
    "schema_product_gid",
    "schema_review_id",
    "schema_category_name",
    "schema_version_name",
    "schema_user_changed",
    "schema_product_changed",
)
OWN_CONSTRAINTS = ("schema_user_gid", "schema_product_gid", "schema_version_name")
"""Constraints on kinfolio's own properties, the only ones in a graph with other names."""
WAIT_SECONDS = 300


def create_schema(graph: Graph) -> None:
    """Create missing constraints and indexes and wait until they are online.

    Raises:
        BadInput: the graph violates a constraint, or the ids of a mapping are not unique.
        NotReady: a graph with a mapping uses names that kinfolio writes, or a constraint of
            kinfolio is on another label.
    """
    prepare(graph)
    for name in CONSTRAINTS if graph.mapping is None else OWN_CONSTRAINTS:
        graph.schema(name)
    graph.read("schema_wait", seconds=WAIT_SECONDS)
    mapping = graph.mapping
    labels = (mapping.users.label, mapping.products.label) if mapping else ("User", "Product")
    for label in labels:
        # IF NOT EXISTS also skips a constraint of that name on another label.
        if not has_own_numbers(graph, label):
            raise NotReady(
                f"the row numbers of {label} need a constraint, and a constraint of its name, "
                "user_gid or product_gid, is on another label; if an earlier kinfolio load "
                "left it there, type in the database: DROP CONSTRAINT user_gid"
            )
