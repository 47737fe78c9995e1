"""Similar products, by the cosine of their vectors without the popularity term."""

from __future__ import annotations

from typing import Any, Literal

from kinfolio.cypher.graph import Graph
from kinfolio.errors import KinfolioError, NotReady, ServerUnreachable, WrongPassword, quoted
from kinfolio.gnn.serving.not_found import product_not_found
from kinfolio.gnn.serving.recommend import check_k
from kinfolio.gnn.serving.search import EXACT_BELOW, Found, Warn, ranked, read_compared
from kinfolio.gnn.serving.user_state import TRIES
from kinfolio.gnn.version_state import (
    ServedVersion,
    check_version,
    damaged,
    is_vector,
    place_in_split,
)
from kinfolio.records import SimilarProducts


def similar_products(
    graph: Graph,
    product_id: str,
    k: int = 10,
    *,
    user_id: str | None = None,
    warn: Warn | None = None,
) -> SimilarProducts:
    """Return the open products most similar to one, best first; a score is a cosine.

    By the version that serves the user; by the active one without a user.

    Raises:
        BadConfig: k is out of range.
        NotFound: there is no such product.
        NotReady: no version is active, or the product is not in it.
    """
    check_k(k)
    row = read_product_vector(graph, product_id, user_id)
    if row["version"] is None:
        raise NotReady("no embeddings are in the graph yet; type: kinfolio writeback")
    served = ServedVersion(row["version"], row["slot"], row["length"])
    embedding = row["embedding"]
    if embedding is None or not any(embedding[:-2]):
        raise no_vector(product_id, row["version"])
    rows, search = _search(graph, served, row, k, warn)
    return SimilarProducts(
        product=product_id, version=row["version"], search=search, products=ranked(rows)
    )


def read_product_vector(
    graph: Graph, product_id: str, user_id: str | None = None
) -> dict[str, Any]:
    """Return the row of `recommend_product_vector`, checked. Any: values of a row.

    By the version that serves the user; by the active one without a user.

    Raises:
        NotFound: there is no such product.
        VersionDamaged: the version cannot be served, or the vector is damaged.
    """
    place = None if user_id is None else place_in_split(user_id)
    row: dict[str, Any] = {}
    for _ in range(TRIES):
        rows = graph.read("recommend_product_vector", product_id=product_id, place=place, only=None)
        row = rows[0]
        # A read during a version flip can miss both versions.
        if row["version"] is not None or not graph.read("version_list"):
            break
    if row["slot"] is not None or row["version"] is not None:
        check_version({**row, "name": row["version"]})
    if row["product"] is None:
        raise product_not_found(graph, product_id)
    if row["embedding"] is not None:
        width = row["heads"] * row["dim"] + 2
        if not (is_vector(row["embedding"], width) and any(row["embedding"])):
            raise damaged(
                row["version"], f"the vector of product {quoted(product_id)} is not {width} numbers"
            )
    return row


def no_vector(product_id: str, version: str) -> NotReady:
    """Return the error for a product that came after the training."""
    return NotReady(
        f"product {quoted(product_id)} has no vector in version {quoted(version)}; "
        "type: kinfolio refresh --new-only, or export, train and write back again"
    )


def _search(
    graph: Graph, served: ServedVersion, row: dict[str, Any], k: int, warn: Warn | None
) -> tuple[Found, Literal["exact", "index"]]:
    embedding = row["embedding"]
    if row["fetch"] is not None and row["products"] > EXACT_BELOW:
        try:
            found = graph.read(
                "recommend_similar_index",
                slot=served.slot,
                product_id=row["product"],
                query=[*embedding[:-2], 0.0, 0.0],
                width=len(embedding),
                n=max(row["fetch"], 2 * k) + 1,
                k=k,
            )
        except (ServerUnreachable, WrongPassword):
            raise
        except KinfolioError:
            found = []  # the server does not support conditions in a vector search
        if len(found) == k:
            return found, "index"
    parameters = {
        "slot": served.slot,
        "product_id": row["product"],
        "width": len(embedding),
        "k": k,
    }
    return read_compared(graph, served, "recommend_similar", parameters, warn), "exact"
