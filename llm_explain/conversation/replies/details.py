"""What speaks against a product, and what would take it off the list."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from kinfolio.gnn.serving.what_if import what_if
from kinfolio.llm_explain.conversation.answers import (
    LIST_LENGTH,
    Answers,
    Reply,
)
from kinfolio.llm_explain.conversation.influences import describe, influences_of
from kinfolio.llm_explain.conversation.mention import ProductRef
from kinfolio.llm_explain.conversation.phrases import phrase
from kinfolio.llm_explain.conversation.replies.comparison import broken_rules

_MAX_REASONS = 3
_MAX_HOLDINGS = 4
"""Strongest holdings of which the smallest change is sought."""
_MAX_TOGETHER = 2


def against(answers: Answers, product: ProductRef) -> Reply:
    """Return what speaks against a product: rules, negative contributions, few holders, risk."""
    verdict = answers.verdicts(product)
    name = answers.names([product])(product)
    lines = []
    if rules := broken_rules(verdict, answers.rules):
        lines.append(phrase("excluded", product=name, rules=rules))
    negative = [one for one in influences_of([answers.all_evidence(product)]) if one.share < 0]
    if negative:
        causes = describe(negative[:_MAX_REASONS])
        lines.append(phrase("against_product", product=name, causes=causes))
    row = answers.graph.read("facts_products", ids=[product.id])[0]
    if row["holders"] < answers.wording.min_people:
        number = answers.wording.count(row["holders"])
        lines.append(phrase("fact_few_holders", product=name, number=number))
    if row["risk"] is not None:
        lines.append(phrase("against_risk", product=name, risk=row["risk"]))
    if not lines:
        lines.append(phrase("against_nothing", product=name))
    fields = {
        "topic": "against",
        "product": product.id,
        "causes": [one.words for one in negative[:_MAX_REASONS]],
    }
    return Reply(" ".join(lines), fields, {"last_product": list(product)})


def would_change(answers: Answers, product: ProductRef) -> Reply:
    """Return the smallest change of holdings that takes a product off the list, recomputed."""
    name = answers.names([product])(product)
    updates = {"last_product": list(product)}
    fields = {"topic": "would_change", "product": product.id}
    if not _is_listed(answers, product, ()):
        return Reply(phrase("change_not_listed", product=name), fields, updates)
    for without in _changes(answers, product):
        if not _is_listed(answers, product, without):
            names = answers.names(without)
            text = phrase("change_found", product=name, products=names.listed(without))
            ids = [one.id for one in without]
            return Reply(text, {**fields, "without": ids}, updates)
    return Reply(phrase("change_none", product=name), fields, updates)


def _changes(answers: Answers, product: ProductRef) -> Iterator[tuple[ProductRef, ...]]:
    """Yield removals of holdings, small ones first, of strong holdings first."""
    pieces = [
        piece
        for piece in answers.all_evidence(product).evidence
        if piece.kind == "holding" and piece.share > 0
    ]
    pieces.sort(key=lambda piece: -piece.share)
    held: dict[str, ProductRef] = {}
    for piece in pieces:
        name = str(dict(piece.facts).get("name", ""))
        # The path begins at the user; the next product is the holding.
        id = next((step.id for step in piece.path if step.label == "Product" and step.id), None)
        if id is not None and id != product.id:
            held.setdefault(id, ProductRef(id, name or id))
    strongest = [one for one in held.values() if answers.holds(one)][:_MAX_HOLDINGS]
    for size in range(1, _MAX_TOGETHER + 1):
        yield from combinations(strongest, size)


def _is_listed(answers: Answers, product: ProductRef, without: tuple[ProductRef, ...]) -> bool:
    found = what_if(
        answers.graph,
        answers.user,
        without=[one.id for one in without],
        k=LIST_LENGTH,
        rules=answers.rules,
    )
    return product.id in {one.product for one in found.products}
