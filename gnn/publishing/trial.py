"""Try a version before it is activated: real lists of some users, and the sums behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady, VersionDamaged, quoted
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.serving.search import best_products
from kinfolio.gnn.serving.user_state import UserState, read_user_states

TRIED_USERS = 8
LIST_LENGTH = 10
MAX_DEVIATION = 1e-4
"""Of a score from the sum of its contributions, as in explanations."""

RowsOf = Callable[[Sequence[str]], NDArray[np.float32]]
"""Returns the rows of `product_rows` of products, by id."""


def try_out(
    graph: Graph,
    version: str,
    embeddings: Embeddings,
    vectors: NDArray[np.float32],
    is_present: NDArray[np.bool_],
    check_sums: bool,
) -> None:
    """Compute the lists of up to 8 users by a version that is not active yet.

    `vectors` are the rows of `product_rows`; `is_present`: whether each user is in the graph.

    Raises:
        NotReady: a score is not finite, or differs from the sum of its contributions.
    """
    users = np.flatnonzero(is_present)
    chosen = users[np.unique(np.linspace(0, len(users) - 1, TRIED_USERS).astype(int))]
    row_of = {product: row for row, product in enumerate(embeddings.product_ids)}

    def rows_of(products: Sequence[str]) -> NDArray[np.float32]:
        rows: NDArray[np.float32] = vectors[[row_of[product] for product in products]]
        return rows

    ids = [embeddings.user_ids[user] for user in chosen] if len(users) else []
    try_lists(graph, version, ids, rows_of if check_sums else None)


def try_lists(graph: Graph, version: str, users: Sequence[str], rows_of: RowsOf | None) -> None:
    """Compute the lists of users by a version that is not active yet; None: without the sums.

    Raises:
        NotReady: as `try_out` does.
    """
    try:
        for state in read_user_states(graph, users, version):
            listed, _ = best_products(graph, state, LIST_LENGTH)
            if state.source == "stored" and rows_of is not None:
                rows = rows_of([one["product"] for one in listed]).astype(np.float64)
                _check_sums(graph, state, rows, [one["score"] for one in listed])
    except VersionDamaged as error:
        raise _refused(version, str(error).split("; type:")[0]) from error


def _check_sums(
    graph: Graph, state: UserState, rows: NDArray[np.float64], scores: list[float]
) -> None:
    """Compare scores by the stored vector with those by the messages, of which it is the sum."""
    folded = graph.read(
        "what_if_vector",
        user_id=state.user,
        without=[],
        added=[],
        only=state.version,
        checked=False,
    )[0]["query"]
    difference = rows[:, : len(folded)] @ (np.array(folded) - np.array(state.query[:-2]))
    deviation = np.abs(difference) / np.maximum(1.0, np.abs(scores))
    if len(rows) and not deviation.max() <= MAX_DEVIATION:
        worst = int(deviation.argmax())
        raise _refused(
            str(state.version),
            f"the contributions to a score of {quoted(state.user)} add up to "
            f"{scores[worst] + difference[worst]:.4f} and not to {scores[worst]:.4f}",
        )


def _refused(version: str, problem: str) -> NotReady:
    return NotReady(
        f"version {quoted(version)} was written but not activated, so the version before still "
        f"serves: {problem}; train again and type: kinfolio writeback"
    )
