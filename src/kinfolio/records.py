"""What travels between the folders: frozen records and nothing else.

Rows of arrays are *indices*, counted from 0 in the order of `gid`; ids are the user's own strings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from kinfolio.tabular import Tabular

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Slot = Literal["a", "b"]
Source = Literal["stored", "folded_in", "ties", "text", "popularity"]
Kind = Literal["holding", "tie", "text", "similar", "popularity"]

Progress = Callable[[str, int, int], None]
"""Told of a long step: its name, how much is done, of how much (0: not known)."""


def no_progress(step: str, done: int, total: int) -> None:
    """Tells nobody."""


SPLITS = ("train", "valid", "test")
"""Names of the parts of the data; an edge stores the position in this tuple."""
NO_TIME = -(2**63)
"""Marks an edge without a time in an int64 array of milliseconds since 1970 (UTC)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where a database is and how to enter it."""

    uri: str
    username: str
    password: str = field(repr=False)
    database: str | None = None
    """None: the server's default database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """What is known of a database server."""

    running: bool
    uri: str | None
    """None: kinfolio's own server was never started in this home."""
    version: str | None
    """None while it is not running."""
    edition: str | None
    home: str | None
    """Folder of kinfolio's own server; None for a server named by `NEO4J_URI`."""
    managed: bool
    """Whether kinfolio starts and stops it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """One node and what hangs on it, for people to look at."""

    label: str
    id: str
    properties: dict[str, Any]
    """Any: whatever the input's columns hold."""
    vectors: dict[str, int]
    """Lengths of the properties that are vectors; their numbers are left out."""
    counts: dict[str, int]
    samples: dict[str, tuple[dict[str, Any], ...]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edges:
    """Edges of one type in columns, sorted by source, then target."""

    source: NDArray[np.int32]
    """Shape (num_edges,); index of the user."""
    target: NDArray[np.int32]
    """Shape (num_edges,); index of the product (holdings) or of the other user (ties)."""
    split: NDArray[np.int8]
    """Shape (num_edges,); position in `SPLITS`; an edge without a split counts as train."""
    at: NDArray[np.int64]
    """Shape (num_edges,); milliseconds since 1970, or `NO_TIME`."""
    rating: NDArray[np.float32]
    """Shape (num_edges,); NaN where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reviews:
    """Reviews in columns, and what each may be used for in training.

    The rule: a review with a split or a time counts by that, and one after the training cut
    describes nothing; one with neither goes with its pair, and a pair that is held out hides it; a
    pair that is in no split lets it describe the product only.
    """

    user: NDArray[np.int32]
    product: NDArray[np.int32]
    at: NDArray[np.int64]
    text: tuple[str, ...]
    describes_user: NDArray[np.bool_]
    describes_product: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """The graph in columns as one export left it."""

    user_ids: tuple[str, ...]
    product_ids: tuple[str, ...]
    user_gids: NDArray[np.int64]
    """Shape (num_users,), ascending; row r of every user array belongs to this gid."""
    product_gids: NDArray[np.int64]
    product_names: tuple[str, ...]
    product_texts: tuple[str, ...]
    """Name, kind, category, sector and text of each product, joined; may be empty strings."""
    holdings: Edges
    ties: Edges
    reviews: Reviews
    cut: int
    """Time of the last training holding in milliseconds since 1970; `NO_TIME` when there is no
    held-out part or no time."""
    hash: str
    """Of the content; two exports of an unchanged graph agree."""

    @property
    def num_users(self) -> int:
        """Number of users."""
        return len(self.user_ids)

    @property
    def num_products(self) -> int:
        """Number of products."""
        return len(self.product_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported(Tabular):
    """What one export wrote."""

    counts: dict[str, int]
    """Rows of `users`, `products`, `holdings`, `ties` and `reviews`."""
    held_out: int
    """Holdings outside the training part."""
    cut: int | None
    """As `Snapshot.cut`; None when there is none."""
    hash: str
    consistency: Literal["quiet", "marked", "moving"]
    """What is known of writers at work meanwhile; see `docs/snapshot.md`."""
    how: Literal["whole", "changes", "part"]
    notes: tuple[str, ...]
    """Why something else was done than asked for, in sentences."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommended:
    """One line of a list."""

    rank: int
    product: str
    name: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendations(Tabular):
    """A user's list, best first, and where it came from."""

    _rows: ClassVar[str] = "products"

    user: str
    version: str | None
    search: Literal["exact", "index"] | None
    """None where no vectors were compared."""
    source: Source
    products: tuple[Recommended, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarProducts(Tabular):
    """The products most like one, best first; a score is a cosine between -1 and 1."""

    _rows: ClassVar[str] = "products"

    product: str
    version: str
    search: Literal["exact", "index"]
    products: tuple[Recommended, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one rule says about a user and a product."""

    rule: str
    passed: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot(Tabular):
    """Every rule's verdict on a user and a product, and where the product would stand."""

    _rows: ClassVar[str] = "rules"

    user: str
    product: str
    allowed: bool
    rules: tuple[Verdict, ...]
    rank: int | None
    """Among the allowed products and this one; None where it has no score."""
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilters:
    """What a list is limited to, in addition to the rules."""

    kinds: tuple[str, ...] = ()
    """Kinds or categories in lower case, one of which a product must have; empty: any."""
    excluded_kinds: tuple[str, ...] = ()
    max_risk: int | None = None
    """Excludes products with a higher risk level or without one."""
    excluded_products: tuple[str, ...] = ()
    """Ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """A list under a supposition, and what it does to the score of one product."""

    user: str
    version: str
    source: Source
    without: tuple[str, ...]
    """Products taken as not held."""
    added: tuple[str, ...]
    """Products taken as held."""
    products: tuple[Recommended, ...]
    product: str | None
    before: float | None
    """Score of the product as things are; None without a product or a vector."""
    after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A node or a relationship on a path: `id` is None for a person who must stay unnamed."""

    label: str | None = None
    id: str | None = None
    type: str | None = None
    direction: Literal["out", "in"] | None = None
