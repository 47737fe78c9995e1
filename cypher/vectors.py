"""Many rows of numbers as one parameter, in the form that the server takes fastest.

A list of numbers costs 9 bytes and a Python object each; a vector of Neo4j's own kind, as servers
of 2025.10 and newer take it, costs 4 bytes and no object, and may hold several rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kinfolio.cypher.graph import Graph
from kinfolio.errors import KinfolioError, ServerUnreachable, WrongPassword

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST_VECTOR = 4_096
"""Numbers in one vector of Neo4j."""


def takes_vectors(graph: Graph) -> bool:
    """Whether the server takes vectors as parameters, found by sending one."""
    import numpy as np

    probe = _vector(np.ones((1, 2), np.float32))
    try:
        graph.read("packing_vector", numbers=probe)
    except (ServerUnreachable, WrongPassword):
        raise
    except KinfolioError:
        # From the server, or from a driver that speaks an older protocol with it.
        return False
    return True


def rows_at_once(width: int) -> int:
    """How many rows of a width go together."""
    return max(1, LONGEST_VECTOR // max(width, 1))


def packed(rows: NDArray[np.float32], *, as_vectors: bool) -> list[Any]:
    """Rows joined to pieces of `rows_at_once` each, the last one shorter.

    Args:
        rows: shape (num_rows, width).
        as_vectors: whether the server `takes_vectors`; lists of numbers otherwise.

    Returns:
        Any: vectors of the driver, or lists of numbers.
    """
    size = rows_at_once(rows.shape[1])
    pieces = [rows[first : first + size] for first in range(0, len(rows), size)]
    if as_vectors and rows.shape[1] <= LONGEST_VECTOR:
        return [_vector(piece) for piece in pieces]
    return [piece.ravel().tolist() for piece in pieces]


def _vector(rows: NDArray[np.float32]) -> Any:
    from neo4j.vector import Vector

    return Vector(rows.astype(">f4").tobytes(), "f32")
