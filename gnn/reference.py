"""The reference of a version: the distributions of its training, to compare later ones with.

It is stored in the model file and with the version in the graph, as compressed bytes, so that
`kinfolio drift` needs only the graph. It has counts and checksums, no ids of users.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from kinfolio.errors import RunBroken
from kinfolio.records import NO_TIME

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kinfolio.records import Snapshot

_FORMAT = 1
_TRAIN = 0
NUM_BINS = 8
_ARRAYS = {
    "product_gids": np.int64,
    "product_holders": np.int64,
    "product_recent": np.int64,
    "product_texts": np.uint32,
    "users_by_holdings": np.int64,
}
_NUMBERS = ("users", "latest", "recent_users")
_RECENT = 0.1
"""Share of the training holdings."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """What a training saw, in counts."""

    users: int
    latest: int
    """Time of the last training holding, milliseconds since 1970, or `NO_TIME`."""
    product_gids: NDArray[np.int64]
    """Shape (num_products,), ascending."""
    product_holders: NDArray[np.int64]
    """Shape (num_products,); training holdings of each product."""
    product_recent: NDArray[np.int64]
    """Shape (num_products,); holdings of each product in the latest tenth; 0 without times."""
    recent_users: int
    """Number of users of that tenth."""
    product_texts: NDArray[np.uint32]
    """Shape (num_products,); checksum of the text of each product."""
    users_by_holdings: NDArray[np.int64]
    """Shape (NUM_BINS,); number of users in each bin of `bins_of_holdings`."""

    @property
    def products(self) -> int:
        """Number of products."""
        return len(self.product_gids)

    @property
    def holdings(self) -> int:
        """Number of training holdings."""
        return int(self.product_holders.sum())


def reference_of(snapshot: Snapshot) -> Reference:
    """Return the reference of a snapshot, of its training holdings."""
    holdings = snapshot.holdings
    is_train = holdings.split == _TRAIN
    is_recent = _latest_tenth(holdings.at, is_train)
    per_user = np.bincount(holdings.source[is_train], minlength=snapshot.num_users)
    per_product = np.bincount(holdings.target[is_train], minlength=snapshot.num_products)
    return Reference(
        users=snapshot.num_users,
        latest=int(holdings.at[is_train].max(initial=NO_TIME)),
        product_gids=snapshot.product_gids.astype(np.int64),
        product_holders=per_product.astype(np.int64),
        product_recent=np.bincount(
            holdings.target[is_recent], minlength=snapshot.num_products
        ).astype(np.int64),
        recent_users=len(np.unique(holdings.source[is_recent])),
        product_texts=checksums(snapshot.product_texts),
        users_by_holdings=bins_of_holdings(per_user),
    )


def _latest_tenth(at: NDArray[np.int64], is_train: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the latest tenth of the training holdings; none where times are missing or equal."""
    times = at[is_train]
    if not len(times) or (times == NO_TIME).any() or times.min() == times.max():
        return np.zeros(len(at), np.bool_)
    first = np.sort(times)[int(len(times) * (1 - _RECENT))]
    recent: NDArray[np.bool_] = is_train & (at >= first)
    return recent


def checksums(texts: Iterable[str]) -> NDArray[np.uint32]:
    """Return the CRC-32 of each text."""
    return np.array([crc32(text.encode("utf-8", "surrogatepass")) for text in texts], np.uint32)


def bins_of_holdings(per_user: NDArray[Any]) -> NDArray[np.int64]:
    """Return the number of users with 1, 2, 3-4, 5-8, ..., 33-64 and more holdings.

    `per_user` has the whole number of holdings of each user; those with none do not count.
    """
    held = per_user[per_user > 0]
    bins = np.ceil(np.log2(held)).astype(np.int64).clip(max=NUM_BINS - 1)
    return np.bincount(bins, minlength=NUM_BINS).astype(np.int64)


def reference_to_bytes(reference: Reference) -> bytes:
    """Return a reference as bytes."""
    header = {name: getattr(reference, name) for name in _NUMBERS}
    header |= {"format": _FORMAT, "products": reference.products}
    arrays = [getattr(reference, name).astype(kind).tobytes() for name, kind in _ARRAYS.items()]
    return zlib.compress(b"\n".join([json.dumps(header).encode(), b"".join(arrays)]))


def reference_from_bytes(content: bytes) -> Reference:
    """Read a reference.

    Raises:
        RunBroken: it is damaged or of another version.
    """
    try:
        head, _, body = zlib.decompress(content).partition(b"\n")
        header = json.loads(head)
        if header["format"] != _FORMAT:
            raise ValueError(f"format {header['format']}")
        fields: dict[str, Any] = {}  # arrays and numbers
        first = 0
        for name, kind in _ARRAYS.items():
            size = NUM_BINS if name == "users_by_holdings" else header["products"]
            fields[name] = np.frombuffer(body, kind, size, first)
            first += fields[name].nbytes
        for name in _NUMBERS:
            fields[name] = int(header[name])
        return Reference(**fields)
    except (zlib.error, KeyError, TypeError, ValueError) as error:
        raise RunBroken(
            f"what the version stores of its training is damaged ({error}); "
            "type: kinfolio writeback"
        ) from error
