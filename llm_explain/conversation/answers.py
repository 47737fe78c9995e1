"""Answers about one user: results of the serving functions and of `explain`, in words.

The router's intents, a large model's tools and the MCP server call the same methods. No method
takes a user: the user comes from the session.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.gnn.serving.similar import similar_products
from kinfolio.gnn.serving.verdicts import read_verdicts
from kinfolio.gnn.serving.what_if import recommend_filtered, what_if
from kinfolio.gnn.serving.why_not import why_not
from kinfolio.llm_explain.conversation.influences import describe, influences_of, shares_by_kind
from kinfolio.llm_explain.conversation.language.speech import DEFAULT_LANGUAGE, language
from kinfolio.llm_explain.conversation.mention import ProductRef
from kinfolio.llm_explain.conversation.phrases import (
    ProductNames,
    decimal,
    join_words,
    list_changes,
    percent,
    phrase,
    supposition,
)
from kinfolio.llm_explain.conversation.replies.comparison import (
    MAX_INFLUENCES,
    broken_rules,
    comparison_lines,
)
from kinfolio.llm_explain.explain import as_document, explain
from kinfolio.llm_explain.explanation import Explanation
from kinfolio.llm_explain.wording.clauses import Clauses, load_clauses
from kinfolio.llm_explain.wording.plan import Length
from kinfolio.records import ListFilters, Recommended, WhyNot

if TYPE_CHECKING:
    from kinfolio.gnn.serving.rules import Rule
    from kinfolio.llm_explain.wording.writers import Writer

LIST_LENGTH = 5
_SIMILAR_CANDIDATES = 15
NO_FILTERS = ListFilters()


@dataclass(frozen=True, slots=True)
class Reply:
    """The text of one answer, its fields in the JSON document, its changes to the state."""

    text: str
    fields: dict[str, Any] = field(default_factory=dict)
    """Any: JSON values."""
    updates: dict[str, Any] = field(default_factory=dict)
    explanation: Explanation | None = None
    recommended: tuple[Recommended, ...] = ()
    """Of a list."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers about one user, with the settings of the session."""

    graph: Graph
    user: str
    writers: Sequence[Writer]
    rules: Sequence[Rule] = ()
    """Own rules in addition to the built-in ones."""
    clauses: Clauses | None = None
    may_delete: bool = True
    """Whether the session's caller may delete the user's data."""
    contact: str = ""
    """How a user reaches a person, in the words of the deployment."""

    @property
    def default_language(self) -> str:
        """Language of a conversation in which nobody has chosen another."""
        return self.clauses.language if self.clauses else DEFAULT_LANGUAGE

    @property
    def wording(self) -> Clauses:
        """The clauses of the language of the answer, with the settings of the deployment."""
        own = self.clauses or load_clauses(language())
        found = own if own.language == language() else own.in_language(language())
        return found.with_rules(self.rules)

    def recommend(
        self,
        filters: ListFilters = NO_FILTERS,
        k: int = LIST_LENGTH,
        description: str = "",
        *,
        chosen: Sequence[Recommended] | None = None,
    ) -> Reply:
        """Recommend k products; `description` states the filters in words.

        `chosen`: products under the same filters of which the list takes the first k.
        """
        if filters == NO_FILTERS:
            found = recommend(self.graph, self.user, k, rules=self.rules)
        else:
            found = recommend_filtered(self.graph, self.user, filters, k, rules=self.rules)
        products = found.products
        if chosen is not None:
            products = tuple(replace(one, rank=n) for n, one in enumerate(chosen[:k], start=1))
        fields = {"version": found.version, "products": _documents(products)}
        if not products:
            key = "filtered_empty" if description else "empty_list"
            return Reply(phrase(key, filters=description), fields, {"last_list": []})
        key = "popular_list" if found.source == "popularity" else "list"
        head = phrase("filtered_list" if description else key, filters=description)
        text = "\n".join([head, *self.names(products).lines(products)])
        return Reply(text, fields, {"last_list": _pairs(products)}, recommended=products)

    def explain(self, product: ProductRef, length: Length = "normal") -> Reply:
        """Explain the score of a product in checked sentences."""
        found = explain(
            self.graph,
            self.user,
            product.id,
            self.writers,
            clauses=self.wording,
            length=length,
        )
        document = as_document(found, self.graph.names)
        fields = {"product": product.id, "explanation": document}
        return Reply(found.text, fields, _last(product), found)

    def why_not(self, product: ProductRef) -> Reply:
        """Name the rules that exclude a product, or its rank."""
        found = self.verdicts(product)
        broken = broken_rules(found, self.rules)
        key = "allowed_unranked" if found.rank is None else "allowed"
        text = phrase(
            "excluded" if broken else key,
            product=self.names([product])(product),
            rules=broken,
            rank=found.rank,
        )
        fields = {
            "version": found.version,
            "product": product.id,
            "rules": [{"rule": r.rule, "passed": r.passed, "code": r.code} for r in found.rules],
            "rank": found.rank,
        }
        return Reply(text, fields, _last(product))

    def similar(self, product: ProductRef) -> Reply:
        """List the products most similar to one that pass the rules."""
        found = similar_products(self.graph, product.id, _SIMILAR_CANDIDATES, user_id=self.user)
        allowed: list[Recommended] = []
        for one in found.products:
            if len(allowed) < LIST_LENGTH and not self._violated_rules(one.product, self.rules):
                allowed.append(replace(one, rank=len(allowed) + 1))
        fields = {
            "version": found.version,
            "product": product.id,
            "products": _documents(allowed),
        }
        names = self.names([product, *allowed])
        head = phrase("similar_list" if allowed else "similar_none", product=names(product))
        updates = {"last_list": _pairs(allowed)} if allowed else {}
        text = "\n".join([head, *names.lines(allowed)])
        return Reply(text, fields, {**_last(product), **updates})

    def compare(self, first: ProductRef, second: ProductRef) -> Reply:
        """Compare the ranks, scores, rules and influences of two products."""
        if first.id == second.id:
            return Reply(phrase("compare_same"), {}, _last(first))
        verdicts = {product: self.verdicts(product) for product in (first, second)}
        lines = comparison_lines(verdicts, self.rules, self.names(verdicts), self.all_evidence)
        products = [
            {
                "product": p.id,
                "name": p.name,
                "allowed": v.allowed,
                "rank": v.rank,
                "score": v.score,
            }
            for p, v in verdicts.items()
        ]
        version = verdicts[first].version
        return Reply(" ".join(lines), {"version": version, "products": products}, _last(first))

    def influence(self, products: Sequence[ProductRef], is_list: bool) -> Reply:
        """State the largest contributions to a product, or on average to a list."""
        explanations = [self.all_evidence(product) for product in products]
        influences = influences_of(explanations)
        kinds = shares_by_kind(explanations)
        if set(kinds) <= {"popularity"}:
            return Reply(phrase("influence_none"), {"kinds": kinds})
        positive = [one for one in influences if one.share > 0][:MAX_INFLUENCES]
        key = "influence_list" if is_list else "influences"
        lines = [
            phrase(
                key if positive else "influence_nothing",
                number=len(products),
                product=self.names(products)(products[0]),
                causes=describe(positive),
            )
        ]
        if negative := [one for one in influences if one.share < 0][:1]:
            lines.append(phrase("influence_against", causes=describe(negative)))
        shares = [phrase(f"kind_{kind}", share=percent(share)) for kind, share in kinds.items()]
        lines.append(phrase("influence_kinds", kinds=join_words(shares)))
        fields = {
            "version": explanations[0].version,
            "products": [product.id for product in products],
            "kinds": kinds,
            "causes": [asdict(one) for one in influences],
        }
        return Reply(" ".join(lines), fields, {} if is_list else _last(products[0]))

    def what_if(
        self,
        without: Sequence[ProductRef],
        added: Sequence[ProductRef],
        scored: ProductRef | None = None,
    ) -> Reply:
        """Return the list, and one product's score, as if holdings were removed and added."""
        lines = []
        names = self.names([*without, *added, *([scored] if scored else [])])
        removed = [product for product in without if self.holds(product)]
        new = [product for product in added if not self.holds(product)]
        if unchanged := [product for product in without if product not in removed]:
            lines.append(phrase("what_if_not_held", products=names.listed(unchanged)))
        if unchanged := [product for product in added if product not in new]:
            lines.append(phrase("what_if_held", products=names.listed(unchanged)))
        if not removed and not new:
            return Reply(" ".join(lines))
        found = what_if(
            self.graph,
            self.user,
            without=[product.id for product in removed],
            added=[product.id for product in new],
            product_id=scored.id if scored else None,
            k=LIST_LENGTH,
            rules=self.rules,
        )
        now = recommend(self.graph, self.user, LIST_LENGTH, rules=self.rules)
        listed = self.names([*now.products, *found.products])
        supposed = supposition(removed, new, names)
        lines += list_changes(now.products, found.products, supposed, listed)
        if scored and found.before is not None and found.after is not None:
            before, after = decimal(found.before), decimal(found.after)
            product = names(scored)
            lines.append(phrase("what_if_score", product=product, before=before, after=after))
        fields = {
            "version": found.version,
            "without": list(found.without),
            "added": list(found.added),
            "products": _documents(found.products),
            "product": found.product,
            "before": found.before,
            "after": found.after,
        }
        # The state retains the actual list.
        return Reply("\n".join(lines), fields)

    def names(self, products: Iterable[ProductRef | Recommended]) -> ProductNames:
        """Return how products are called in one answer."""
        return ProductNames(self.graph, products)

    def holds(self, product: ProductRef) -> bool:
        """Return whether the user holds a product."""
        return "held" in self._violated_rules(product.id)

    def has_dismissed(self, product: ProductRef) -> bool:
        """Return whether the user has dismissed a product."""
        return "dismissed" in self._violated_rules(product.id)

    def _violated_rules(self, product_id: str, own_rules: Sequence[Rule] = ()) -> set[str]:
        verdicts = read_verdicts(self.graph, self.user, product_id, rules=own_rules)
        return {verdict.rule for verdict in verdicts if not verdict.passed}

    def verdicts(self, product: ProductRef) -> WhyNot:
        """Return the verdict of each rule on a product, and its rank."""
        return why_not(self.graph, self.user, product.id, rules=self.rules)

    def all_evidence(self, product: ProductRef) -> Explanation:
        """Return the explanation of a product with every contribution as evidence."""
        return explain(
            self.graph, self.user, product.id, (), all_evidence=True, clauses=self.wording
        )


def _documents(products: Sequence[Recommended]) -> list[dict[str, Any]]:
    return [asdict(one) for one in products]


def _pairs(products: Sequence[Recommended]) -> list[list[str]]:
    return [[one.product, one.name] for one in products]


def _last(product: ProductRef) -> dict[str, Any]:
    return {"last_product": list(product)}
