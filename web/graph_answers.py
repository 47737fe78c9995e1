"""Answers about the whole graph: products, searches, audiences, versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.models import show
from kinfolio.errors import NotFound, NotReady, quoted
from kinfolio.gnn.drift.monitor import DriftMonitor
from kinfolio.gnn.publishing.lineage.approval import Approved, approve
from kinfolio.gnn.publishing.lineage.lineage import lineage
from kinfolio.gnn.publishing.lineage.records import Lineage
from kinfolio.gnn.publishing.versions import (
    Split,
    Version,
    activate,
    found_versions,
    list_versions,
    split_users,
)
from kinfolio.gnn.serving.audience.audience import Audience
from kinfolio.gnn.serving.rules import Rule
from kinfolio.gnn.serving.similar import similar_products
from kinfolio.gnn.version_state import active_of, check_version, is_split
from kinfolio.ids import normalized_id
from kinfolio.llm_explain.evidence.reasons import explained_audience
from kinfolio.llm_explain.wording.clauses import Clauses
from kinfolio.records import Match, NodeView, SimilarProducts

MAX_MATCHES = 25
MAX_NEIGHBOURS = 1_000
_SEARCHES = {"user": "search_users", "product": "search_products"}


class GraphAnswers:
    """Answers without a user."""

    def __init__(self, graph: Graph, rules: Sequence[Rule], display: Clauses) -> None:
        self.graph = graph
        self.rules = tuple(rules)
        self.display = display
        """How names and numbers of people are displayed."""
        self.drift = DriftMonitor(graph, display.min_people)

    def normal_id(self, text: str) -> str:
        """Return an id in its normal form, as `load` stores it; of a mapped graph as it is."""
        return text if self.graph.mapping else normalized_id(text)

    def similar(self, product: str, k: int = 10) -> SimilarProducts:
        """Return the open products most similar to one."""
        return similar_products(self.graph, product, k)

    def product_name(self, product: str) -> str:
        """Return the name of a product, or its id.

        Raises:
            NotFound: there is no such product.
        """
        if names := self.product_names([product]):
            return names[product]
        raise NotFound(f"there is no product {quoted(product)} in the graph; check the id")

    def product_names(self, products: Sequence[str]) -> dict[str, str]:
        """Return the name of each product, by id; products that do not exist are missing."""
        rows = self.graph.read("search_product_names", product_ids=list(products))
        return {row["product"]: str(row["name"]) for row in rows}

    def audience(self, product: str, k: int = 100) -> tuple[Audience, tuple[str, ...]]:
        """Return the users whom to offer a product, each with a reason, and notes about them."""
        notes: list[str] = []
        found = explained_audience(
            self.graph, product, k, display=self.display, rules=self.rules, warn=notes.append
        )
        return found, tuple(notes)

    def search(self, kind: Literal["user", "product"], text: str) -> tuple[Match, ...]:
        """Return users or products whose id begins with a text or whose name contains it."""
        rows = self.graph.read(
            _SEARCHES[kind], id=self.normal_id(text), text=text.strip().lower(), most=MAX_MATCHES
        )
        return tuple(Match(**row) for row in rows)

    def show(self, kind: Literal["user", "product"], id: str) -> NodeView:
        """Return a user or product with related nodes.

        Raises:
            NotFound: there is none.
        """
        return show(self.graph, kind, id, sample=MAX_NEIGHBOURS)

    def versions(self) -> tuple[Version, ...]:
        """Return the versions in the graph, newest first."""
        return list_versions(self.graph)

    def serving_versions(self) -> tuple[str, str | None]:
        """Return the name of the active version, and of that which serves a part of the users.

        Raises:
            NotReady: none is active.
            VersionDamaged: one of them cannot be served.
        """
        found = found_versions(self.graph)
        active = active_of(found)
        if active is None:
            raise NotReady("no version is active; type: kinfolio writeback")
        check_version(active)
        ready = next((one for one in found if one.get("state") == "ready" and is_split(one)), None)
        if ready is not None:
            check_version(ready)
        return str(active["name"]), None if ready is None else str(ready["name"])

    def approve_version(self, name: str, by: str) -> Approved:
        """Approve a version; one that awaits approval is checked and serves from then on.

        Raises:
            NotFound: there is no version of that name.
            BadConfig: `by` may not approve it.
            NotReady, VersionDamaged: it cannot be served.
        """
        return approve(self.graph, name, by)

    def lineage(self, name: str, *, is_checked: bool) -> Lineage:
        """Return where a version comes from; compared with what is there now if `is_checked`.

        Raises:
            NotFound: there is no version of that name.
        """
        return lineage(self.graph, name, is_checked=is_checked)

    def split_users(self, percent: int) -> Split:
        """Let the ready version serve a percentage of the users; 0 ends the split.

        Raises:
            NotReady: there are not one active and one ready version.
            VersionDamaged: one of them cannot be served.
        """
        return split_users(self.graph, percent)

    def serve_version(self, name: str) -> Version:
        """Activate a version that is ready, and return it.

        Raises:
            NotFound: there is no version of that name.
            NotReady: it is not ready.
            VersionDamaged: it cannot be served.
        """
        if name not in {one.name for one in self.versions()}:
            raise NotFound(
                f"there is no version {quoted(name)} in the graph; type: kinfolio versions"
            )
        activate(self.graph, name)
        self.drift.measure_again()
        return next(one for one in self.versions() if one.name == name)
