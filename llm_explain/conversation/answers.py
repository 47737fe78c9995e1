"""What the conversation can find out, each as one answer with its words.

The same functions serve the router's lines and a large model's tools. Every one is about the user
of the session. They say nothing that the functions behind them did not give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kinfolio.llm_explain.conversation.influences import by_kind, causes, told
from kinfolio.llm_explain.conversation.mention import Listed
from kinfolio.llm_explain.conversation.phrases import listed, numbered, percent, say, shown, texts
from kinfolio.llm_explain.conversation.tools import Tools
from kinfolio.llm_explain.explain import as_document
from kinfolio.llm_explain.explanation import Explanation
from kinfolio.records import Recommendations, Recommended, WhyNot, Wishes

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph

LIST_LENGTH = 5
MOST_CAUSES = 3
_SIMILAR_LOOKED_AT = 15


@dataclass(frozen=True, slots=True)
class Said:
    """One answer: its words, what it adds to the JSON document, what the conversation keeps."""

    text: str
    fields: dict[str, Any] = field(default_factory=dict)
    """Any: JSON values."""
    keeps: dict[str, Any] = field(default_factory=dict)
    explanation: Explanation | None = None


class Answers:
    """Answers to one user."""

    def __init__(self, user_id: str, graph: Graph, tools: Tools) -> None:
        self.user = user_id
        self.graph = graph
        self._tools = tools

    def recommend(self, wishes: Wishes, k: int = LIST_LENGTH, told_wishes: str = "") -> Said:
        """The list, under wishes where there are any."""
        if wishes == Wishes():
            found = self._tools.recommend(self.user, k)
        else:
            found = self._tools.wished(self.user, wishes, k)
        return _list(found, told_wishes)

    def explain(self, product: Listed) -> Said:
        """Why a product has its score, in checked sentences."""
        found = self._tools.explain(self.user, product.product)
        document = as_document(found, self.graph.names)
        return Said(
            found.text,
            {"product": product.product, "explanation": document},
            _last(product),
            found,
        )

    def why_not(self, product: Listed) -> Said:
        """Which rule keeps a product away, or where it stands."""
        found = self._tools.why_not(self.user, product.product)
        name = shown(product.name)
        if broken := _broken(found):
            text = say("kept", product=name, rules=listed(broken))
        elif found.rank is None:
            text = say("allowed_unranked", product=name)
        else:
            text = say("allowed", product=name, rank=found.rank)
        rules = [{"rule": rule.rule, "passed": rule.passed} for rule in found.rules]
        fields = {"product": product.product, "rules": rules, "rank": found.rank}
        return Said(text, fields, _last(product))

    def similar(self, product: Listed) -> Said:
        """Products most like one, those that the user may have."""
        found = self._tools.similar(product.product, _SIMILAR_LOOKED_AT)
        allowed: list[Recommended] = []
        for one in found.products:
            if self._tools.why_not(self.user, one.product).allowed:
                rank = len(allowed) + 1
                allowed.append(
                    Recommended(rank=rank, product=one.product, name=one.name, score=one.score)
                )
            if len(allowed) == LIST_LENGTH:
                break
        name = shown(product.name)
        fields = {"product": product.product, "products": _documents(allowed)}
        if not allowed:
            return Said(say("similar_none", product=name), fields, _last(product))
        text = "\n".join([say("similar_list", product=name), *numbered(allowed)])
        return Said(text, fields, {**_last(product), "listed": _pairs(allowed)})

    def compare(self, first: Listed, second: Listed) -> Said:
        """Two products side by side: places, scores, rules and what counts for each."""
        if first.product == second.product:
            return Said(say("compare_same"), {}, _last(first))
        pair = (first, second)
        verdicts = [self._tools.why_not(self.user, one.product) for one in pair]
        lines = []
        for one, verdict in zip(pair, verdicts, strict=True):
            if broken := _broken(verdict):
                rules = listed(broken)
                lines.append(say("compare_refused", product=shown(one.name), rules=rules))
            if verdict.score is None:
                lines.append(say("compare_unscored", product=shown(one.name)))
        scores = [verdict.score for verdict in verdicts]
        if scores[0] is not None and scores[1] is not None:
            order = sorted((0, 1), key=lambda i: (-(scores[i] or 0.0), pair[i].product))
            names = [shown(pair[i].name) for i in order]
            if all(verdict.allowed for verdict in verdicts):
                ranks = [verdicts[i].rank for i in order]
                lines.append(
                    say(
                        "compare_better",
                        better=names[0],
                        other=names[1],
                        rank=ranks[0],
                        other_rank=ranks[1],
                    )
                )
            both = [f"{shown(pair[i].name)}: {scores[i]:.2f}" for i in (0, 1)]
            lines.append(say("compare_scores", score=both[0], other_score=both[1]))
            for one in pair:
                found = causes([self._tools.evidence(self.user, one.product)])
                strongest = [cause for cause in found if cause.share > 0][:MOST_CAUSES]
                if strongest:
                    name = shown(one.name)
                    lines.append(say("compare_for", product=name, causes=told(strongest)))
        products = [
            {
                "product": one.product,
                "name": one.name,
                "allowed": verdict.allowed,
                "rank": verdict.rank,
                "score": verdict.score,
            }
            for one, verdict in zip(pair, verdicts, strict=True)
        ]
        return Said(" ".join(lines), {"products": products}, _last(first))

    def influence(self, products: Sequence[Listed], is_list: bool) -> Said:
        """What counts most for a product, or for a whole list."""
        found = [self._tools.evidence(self.user, one.product) for one in products]
        every = causes(found)
        kinds = by_kind(found)
        if set(kinds) <= {"popularity"}:
            return Said(say("influence_none"), {"kinds": kinds})
        helps = [cause for cause in every if cause.share > 0][:MOST_CAUSES]
        hurts = [cause for cause in every if cause.share < 0][:1]
        if not helps:
            lines = [say("influence_nothing")]
        elif is_list:
            lines = [say("influence_list", number=len(products), causes=told(helps))]
        else:
            lines = [say("influence_product", product=shown(products[0].name), causes=told(helps))]
        if hurts:
            lines.append(say("influence_against", causes=told(hurts)))
        parts = listed(say(f"kind_{kind}", share=percent(part)) for kind, part in kinds.items())
        lines.append(say("influence_kinds", kinds=parts))
        fields: dict[str, Any] = {
            "products": [one.product for one in products],
            "kinds": kinds,
            "causes": [
                {"kind": cause.kind, "words": cause.words, "share": cause.share} for cause in every
            ],
        }
        return Said(" ".join(lines), fields, {} if is_list else _last(products[0]))

    def what_if(
        self, without: Sequence[Listed], added: Sequence[Listed], asked: Listed | None
    ) -> Said:
        """The list, and one product's score, if some holdings were not there and others were."""
        lines = []
        off = [one for one in without if self.holds(one)]
        on = [one for one in added if not self.holds(one)]
        if idle := [shown(one.name) for one in without if one not in off]:
            lines.append(say("what_if_not_held", products=listed(idle)))
        if idle := [shown(one.name) for one in added if one not in on]:
            lines.append(say("what_if_held", products=listed(idle)))
        if not off and not on:
            return Said(" ".join(lines))
        found = self._tools.what_if(
            self.user,
            without=[one.product for one in off],
            added=[one.product for one in on],
            product_id=asked.product if asked else None,
            k=LIST_LENGTH,
        )
        now = self._tools.recommend(self.user, LIST_LENGTH)
        lines += self._changes(found.products, now.products, off, on)
        if asked and found.before is not None and found.after is not None:
            before, after = f"{found.before:.2f}", f"{found.after:.2f}"
            name = shown(asked.name)
            lines.append(say("what_if_score", product=name, before=before, after=after))
        fields = {
            "without": [one.product for one in off],
            "added": [one.product for one in on],
            "products": _documents(found.products),
            "product": found.product,
            "before": found.before,
            "after": found.after,
        }
        # The list of the conversation stays the true one.
        return Said("\n".join(lines), fields)

    def _changes(
        self,
        after: Sequence[Recommended],
        before: Sequence[Recommended],
        off: Sequence[Listed],
        on: Sequence[Listed],
    ) -> list[str]:
        parts = []
        if off:
            parts.append(say("what_if_without", products=listed(shown(x.name) for x in off)))
        if on:
            parts.append(say("what_if_added", products=listed(shown(x.name) for x in on)))
        supposed = listed(parts)
        supposed = supposed[:1].upper() + supposed[1:]
        if not after:
            return [say("what_if_empty", supposed=supposed)]
        lines = [say("what_if_list", supposed=supposed), *numbered(after)]
        new = [x for x in after if x.product not in {y.product for y in before}]
        gone = [x for x in before if x.product not in {y.product for y in after}]
        if new:
            lines.append(say("what_if_new", products=listed(shown(x.name) for x in new)))
        if gone:
            lines.append(say("what_if_gone", products=listed(shown(x.name) for x in gone)))
        if [x.product for x in after] == [x.product for x in before]:
            lines.append(say("what_if_same", number=len(after)))
        return lines

    def holds(self, product: Listed) -> bool:
        """Whether the user holds a product."""
        return not self._passes(product, "held")

    def is_dismissed(self, product: Listed) -> bool:
        """Whether the user has dismissed a product."""
        return not self._passes(product, "dismissed")

    def _passes(self, product: Listed, rule: str) -> bool:
        verdicts = self._tools.why_not(self.user, product.product).rules
        return all(verdict.passed for verdict in verdicts if verdict.rule == rule)


def _list(found: Recommendations, told_wishes: str) -> Said:
    fields = {"products": _documents(found.products)}
    if not found.products:
        text = say("wish_empty", wishes=told_wishes) if told_wishes else say("empty_list")
        return Said(text, fields, {"listed": []})
    if told_wishes:
        head = say("wish_list", wishes=told_wishes)
    else:
        head = say("popular_list" if found.source == "popularity" else "list")
    return Said(
        "\n".join([head, *numbered(found.products)]), fields, {"listed": _pairs(found.products)}
    )


def _broken(found: WhyNot) -> list[str]:
    """What keeps the product away, in words; own rules by their reasons."""
    words = texts()["rules"]
    return [
        words.get(rule.rule, rule.reason.rstrip(".")) for rule in found.rules if not rule.passed
    ]


def _documents(products: Sequence[Recommended]) -> list[dict[str, Any]]:
    return [
        {"rank": one.rank, "product": one.product, "name": one.name, "score": one.score}
        for one in products
    ]


def _pairs(products: Sequence[Recommended]) -> list[list[str]]:
    return [[one.product, one.name] for one in products]


def _last(product: Listed) -> dict[str, Any]:
    return {"last": [product.product, product.name]}
