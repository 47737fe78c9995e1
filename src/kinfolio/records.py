"""Frozen records that packages exchange; rows of arrays are in the order of `gid`, ids texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import unquote

from kinfolio.tabular import Tabular

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Slot = Literal["a", "b"]
Source = Literal["stored", "folded_in", "ties", "text", "popularity"]
Kind = Literal["holding", "tie", "text", "similar", "popularity"]

Progress = Callable[[str, int, int], None]
"""Progress callback of a long step: its name, number done, total (0: unknown)."""


def no_progress(step: str, done: int, total: int) -> None:
    """No-op callback."""


SPLITS = ("train", "valid", "test")
"""Names of the splits; an edge stores the position in this tuple."""
TIMEOUT_SECONDS = 30.0
NO_TIME = -(2**63)
"""Time of an edge without one, in int64 arrays of milliseconds since 1970 (UTC)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Address and credentials of a database.

    Credentials in the address are moved out of it, so that no message prints them.
    """

    uri: str
    username: str
    password: str = field(repr=False)
    database: str | None = None
    """None: the server's default database."""
    timeout: float = TIMEOUT_SECONDS
    """Seconds to wait for the first answer, and for a sign of life in a longer silence."""
    managed: bool = False
    """Whether it is kinfolio's own server."""

    def __post_init__(self) -> None:
        scheme, separator, rest = self.uri.partition("://")
        credentials, at, host = rest.rpartition("@")
        if not at:
            return
        object.__setattr__(self, "uri", f"{scheme}{separator}{host}")
        if not self.password:
            username, _, password = credentials.partition(":")
            object.__setattr__(self, "username", unquote(username) or self.username)
            object.__setattr__(self, "password", unquote(password))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """State of a database server."""

    running: bool
    uri: str | None
    """None: kinfolio's own server was not started in this home yet."""
    version: str | None
    """None while it is not running."""
    edition: str | None
    home: str | None
    """Folder of kinfolio's own server; None for the server in `NEO4J_URI`."""
    managed: bool
    """Whether kinfolio starts and stops it."""
    problem: str | None = None
    """Why a server that kinfolio does not manage cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """One node and its relationships, for display."""

    label: str
    id: str
    properties: dict[str, Any]
    """Any: values of the input's columns."""
    vectors: dict[str, int]
    """Lengths of the properties that are vectors."""
    counts: dict[str, int]
    samples: dict[str, tuple[dict[str, Any], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A user or a product that a search found."""

    id: str
    name: str | None
    holdings: int
    """Products that the user holds, or users who hold the product."""


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
    """Shape (num_edges,); NaN if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reviews:
    """Reviews in columns; for their use in training see `loaders/exporting/leakage.py`."""

    user: NDArray[np.int32]
    product: NDArray[np.int32]
    at: NDArray[np.int64]
    text: tuple[str, ...]
    describes_user: NDArray[np.bool_]
    describes_product: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """The graph in columns, as exported."""

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
    """Time of the last training holding as in `Edges`; `NO_TIME` without held-out part or times."""
    hash: str
    """Hash of the content, equal for all exports of an unchanged graph."""

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
    """Result of one export."""

    counts: dict[str, int]
    """Rows of `users`, `products`, `holdings`, `ties` and `reviews`."""
    held_out: int
    """Holdings outside the training part."""
    cut: int | None
    """As `Snapshot.cut`; None if there is none."""
    hash: str
    consistency: Literal["quiet", "marked", "moving"]
    """Whether there were concurrent writes; see `docs/snapshot.md`."""
    how: Literal["whole", "changes", "part"]
    notes: tuple[str, ...]
    """Reasons for reading more than requested, in sentences."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommended:
    """One product of a list."""

    rank: int
    product: str
    name: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendations(Tabular):
    """Recommendations for a user, best first, and their source."""

    _rows: ClassVar[str] = "products"

    user: str
    version: str | None
    search: Literal["exact", "index"] | None
    """None if no vectors were compared."""
    source: Source
    split: int | None = None
    """Percentage of users served by the other version while users are split; None: no split."""
    products: tuple[Recommended, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarProducts(Tabular):
    """Products similar to one, best first; scores are cosines between -1 and 1."""

    _rows: ClassVar[str] = "products"

    product: str
    version: str
    search: Literal["exact", "index"]
    products: tuple[Recommended, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Result of one rule for a user and a product; `code` is that of a rule that excludes it."""

    rule: str
    passed: bool
    reason: str
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot(Tabular):
    """Results of all rules for a user and a product, and the product's rank."""

    _rows: ClassVar[str] = "rules"

    user: str
    product: str
    allowed: bool
    rules: tuple[Verdict, ...]
    rank: int | None
    """Rank among the eligible products and this one; None without a score."""
    score: float | None
    version: str | None = None
    known_by: tuple[str, ...] = ()  # of a product that came after the training


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilters:
    """Restrictions of a list, in addition to the rules."""

    kinds: tuple[str, ...] = ()
    """Kinds or categories in lower case, one of which a product must have; empty: any."""
    excluded_kinds: tuple[str, ...] = ()
    min_risk: int | None = None
    max_risk: int | None = None  # either excludes products without a risk level, too
    properties: tuple[tuple[str, str], ...] = ()  # names and their values in lower case
    excluded_products: tuple[str, ...] = ()  # ids


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """Recommendations after hypothetical changes of holdings, and the score of one product."""

    user: str
    version: str
    source: Source
    without: tuple[str, ...]
    """Products assumed not to be held."""
    added: tuple[str, ...]
    """Products assumed to be held."""
    products: tuple[Recommended, ...]
    product: str | None
    before: float | None
    """Score of the product without the changes; None without a product or a vector."""
    after: float | None


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check."""

    name: str
    ok: bool
    detail: str
    cure: str | None = None
    """The remedy; None if the check passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A node or a relationship on a path; `id` is None for an anonymous user."""

    label: str | None = None
    id: str | None = None
    type: str | None = None
    direction: Literal["out", "in"] | None = None
