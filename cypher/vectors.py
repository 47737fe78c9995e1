"""Rows of numbers as parameters, in the most compact form that the server accepts.

A number in a list takes 9 bytes and a Python object; in a vector, which servers accept from 2025.10
on, 4 bytes and no object. A vector may contain several rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kinfolio.cypher.graph import Graph
from kinfolio.errors import KinfolioError, ServerUnreachable, WrongPassword

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_VECTOR_LENGTH = 4_096
"""Maximum length of a vector in Neo4j."""


def accepts_vectors(graph: Graph) -> bool:
    """Return whether the server accepts vectors as parameters, by sending one."""
    import numpy as np

    try:
        graph.read("packing_vector", numbers=_vector(np.ones((1, 2), np.float32)))
    except (ServerUnreachable, WrongPassword):
        raise
    except KinfolioError:
        return False  # from the server, or from the driver with an older protocol
    return True


def rows_at_once(width: int) -> int:
    """Return the number of rows of a width in one vector."""
    return max(1, MAX_VECTOR_LENGTH // max(width, 1))


def pack_rows(rows: NDArray[np.float32], *, as_vectors: bool) -> list[Any]:
    """Concatenate rows to pieces of `rows_at_once` rows.

    Args:
        rows: float32, shape (num_rows, width).
        as_vectors: return vectors of the driver instead of lists.
    """
    size = rows_at_once(rows.shape[1])
    pieces = [rows[first : first + size] for first in range(0, len(rows), size)]
    if as_vectors and rows.shape[1] <= MAX_VECTOR_LENGTH:
        return [_vector(piece) for piece in pieces]
    return [piece.ravel().tolist() for piece in pieces]


def _vector(rows: NDArray[np.float32]) -> Any:
    from neo4j.vector import Vector

    return Vector(rows.astype(">f4").tobytes(), "f32")
