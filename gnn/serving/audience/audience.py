"""The users who are most likely to want a product and may have it, best first.

Scores and rules are those of `recommend` and `why-not`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.audience.scoring import AudienceSearch, Scored
from kinfolio.gnn.serving.recommend import check_k
from kinfolio.gnn.serving.rules import Rule, conditions_of
from kinfolio.gnn.serving.search import Warn
from kinfolio.gnn.serving.similar import no_vector, read_product_vector
from kinfolio.gnn.serving.user_state import unrated_kinds
from kinfolio.records import Kind, Source
from kinfolio.tabular import Tabular


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """The largest contribution to a score."""

    kind: Kind
    text: str
    """A clause about the user, like "holds Birch Equity Fund"."""
    share: float
    """Contribution over the sum of absolute contributions."""
    contribution: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One user of an audience."""

    rank: int
    user: str
    name: str
    score: float
    source: Source
    reason: Reason | None = None
    """None where it was not asked for, and without a version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience(Tabular):
    """Users who are most likely to want a product, best first."""

    _rows: ClassVar[str] = "users"

    product: str
    version: str | None
    eligible: int
    """Number of users whom the rules allow the product."""
    users: tuple[Member, ...]


def audience(
    graph: Graph,
    product_id: str,
    k: int = 100,
    *,
    rules: Sequence[Rule] = (),
    warn: Warn | None = None,
) -> Audience:
    """Return the k users with the highest score for a product among those whom the rules allow it.

    By the active version for all users, also during a split: scores of two versions do not compare.
    Equal scores (to nine decimals) are in the order of ids. Own rules apply in addition to the
    built-in ones. `warn` is called with a warning about a short list.

    Raises:
        NotFound: there is no such product.
        NotReady: it came after the training and has no vector yet.
        BadConfig: k is out of range.
    """
    check_k(k, "users")
    product = read_product_vector(graph, product_id)
    conditions = conditions_of(rules)
    if product["version"] is None:
        rows = graph.read(
            "audience_popular",
            conditions=conditions,
            product_id=product_id,
            k=k,
            harmless=unrated_kinds(graph),
        )
        eligible = int(rows[0]["eligible"]) if rows else 0
        members = [Scored(row["score"], row["user"], row["name"], "popularity") for row in rows]
    elif product["embedding"] is None:
        raise no_vector(product_id, product["version"])
    else:
        search = AudienceSearch(graph, product, conditions)
        users = search.eligible()
        eligible = len(users.scores)
        members = search.best(users, k)
    if warn is not None:
        _warn(warn, product["version"], members, k)
    return Audience(
        product=product_id,
        version=product["version"],
        eligible=eligible,
        users=tuple(
            Member(rank=rank, user=one.user, name=one.name, score=one.score, source=one.source)
            for rank, one in enumerate(members, 1)
        ),
    )


def _warn(warn: Warn, version: str | None, members: Sequence[Scored], k: int) -> None:
    if version is None:
        warn(
            "no version of embeddings is active, so all users have the same score, the number of "
            "the product's holders; type: kinfolio writeback"
        )
    if negative := sum(one.score < 0 for one in members):
        warn(
            f"{negative} of {len(members)} users have a negative score: what is known rather "
            "speaks against the product"
        )
    if len(members) < k:
        warn(
            f"{len(members)} of {k} asked for: the rules allow no other user the product; "
            "kinfolio why-not USER PRODUCT names the rule"
        )
