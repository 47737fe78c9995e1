"""Constraints and indexes of the graph, safe to create again. Vector indexes: see write-back."""

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
"""Those on what kinfolio writes itself; nothing else is asked of a graph with other names."""
WAIT_SECONDS = 300


def create_schema(graph: Graph) -> None:
    """Create what is missing of the constraints and indexes and wait until they are filled.

    Raises:
        BadInput: what is in the graph breaks a constraint, or a mapping's ids tell nothing apart.
        NotReady: with a mapping, the graph uses names for itself that kinfolio would take.
    """
    prepare(graph)
    for name in CONSTRAINTS if graph.mapping is None else OWN_CONSTRAINTS:
        graph.schema(name)
    graph.read("schema_wait", seconds=WAIT_SECONDS)
    if graph.mapping is not None:
        for label in (graph.mapping.users.label, graph.mapping.products.label):
            # IF NOT EXISTS also passes over a name that stands for something else.
            if not has_own_numbers(graph, label):
                raise NotReady(
                    f"the row numbers of {label} need a constraint, and a constraint of its name, "
                    "user_gid or product_gid, is on another label; if an earlier kinfolio load "
                    "left it there, type in the database: DROP CONSTRAINT user_gid"
                )
