"""Constraints of the graph; safe to create again. Vector indexes come with write-back."""

from __future__ import annotations

from kinfolio.cypher.graph import Graph

CONSTRAINTS = (
    "schema_user_id",
    "schema_user_gid",
    "schema_product_id",
    "schema_product_gid",
    "schema_review_id",
    "schema_category_name",
    "schema_version_name",
)
WAIT_SECONDS = 300


def create_schema(graph: Graph) -> None:
    """Create what is missing of the constraints and wait until their indexes are filled."""
    for name in CONSTRAINTS:
        graph.schema(name)
    graph.read("schema_wait", seconds=WAIT_SECONDS)
