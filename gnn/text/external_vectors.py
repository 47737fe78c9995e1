"""External vectors of users and products, from a Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinfolio.errors import BadInput
from kinfolio.records import Snapshot


@dataclass(frozen=True, slots=True)
class GivenVectors:
    """External vectors; rows of zeros where the file has none."""

    users: NDArray[np.float32]
    """Shape (num_users, width)."""
    products: NDArray[np.float32]
    """Shape (num_products, width)."""


def read_vectors(file: Path, snapshot: Snapshot) -> GivenVectors:
    """Read external vectors.

    The file has a column `vector` of lists of numbers, all of one length, and a column `user` or
    `product` with ids, or both, one of them empty in each row. Ids that are not in the snapshot
    are ignored.

    Raises:
        BadInput: the file cannot be read, has another format, or none of its ids is in the
            snapshot.
    """
    import pyarrow as pa
    from pyarrow import compute, parquet

    expected = (
        "expected a Parquet file with a column vector (lists of numbers, all of one length) and "
        "a column user or product (ids)"
    )
    try:
        table = parquet.read_table(file)
        ids = {name: table[name] for name in ("user", "product") if name in table.column_names}
        lists = table["vector"].combine_chunks()
        lengths = compute.unique(compute.list_value_length(lists)).to_pylist()
        flat = compute.list_flatten(lists).cast(pa.float32()).to_numpy(zero_copy_only=False)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise BadInput(
            f"--vectors {file} cannot be used ({str(error).splitlines()[0]}); {expected}"
        ) from error
    if not ids or len(lengths) != 1 or not lengths[0]:
        found = f"lists of {len(lengths)} lengths" if ids else f"columns {table.column_names}"
        raise BadInput(f"--vectors {file} has {found}; {expected}")
    if not np.isfinite(flat).all():
        raise BadInput(f"--vectors {file} has numbers that are not finite; {expected}")
    rows = flat.reshape(-1, lengths[0])
    users = _placed(ids.get("user"), rows, snapshot.user_ids)
    products = _placed(ids.get("product"), rows, snapshot.product_ids)
    if not (users.any() or products.any()):
        raise BadInput(
            f"--vectors {file} is about no user or product of the snapshot; expected the ids "
            "they were loaded with"
        )
    return GivenVectors(users=users, products=products)


def _placed(column: object, rows: NDArray[np.float32], known: Sequence[str]) -> NDArray[np.float32]:
    placed = np.zeros((len(known), rows.shape[1]), np.float32)
    if column is not None:
        place = {name: number for number, name in enumerate(known)}
        for number, name in enumerate(column.to_pylist()):  # type: ignore[attr-defined]
            at = None if name is None else place.get(str(name))
            if at is not None:
                placed[at] = rows[number]
    return placed
