"""Two products side by side for a user."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kinfolio.gnn.serving.rules import Rule
from kinfolio.llm_explain.conversation.influences import describe, influences_of
from kinfolio.llm_explain.conversation.language.speech import language
from kinfolio.llm_explain.conversation.mention import ProductRef
from kinfolio.llm_explain.conversation.phrases import (
    ProductNames,
    decimal,
    join_words,
    phrase,
    phrases,
)
from kinfolio.llm_explain.explanation import Explanation
from kinfolio.records import WhyNot

MAX_INFLUENCES = 3


def broken_rules(found: WhyNot, own_rules: Sequence[Rule]) -> str:
    """The rules that exclude a product, in words; own rules by their sentences."""
    words = phrases()["rules"] | {
        rule.name: rule.sentence(language()) or rule.reason for rule in own_rules
    }
    broken = [rule for rule in found.rules if not rule.passed]
    return join_words(words.get(rule.rule, rule.reason) for rule in broken)


def comparison_lines(
    verdicts: Mapping[ProductRef, WhyNot],
    own_rules: Sequence[Rule],
    names: ProductNames,
    explained: Callable[[ProductRef], Explanation],
) -> list[str]:
    """Return the sentences of a comparison: rules, ranks, scores and influences.

    Args:
        verdicts: of two products.
        own_rules: in addition to the built-in ones.
        names: of the products.
        explained: returns an explanation with all evidence.
    """
    lines = []
    for product, verdict in verdicts.items():
        if rules := broken_rules(verdict, own_rules):
            lines.append(phrase("excluded", product=names(product), rules=rules))
        if verdict.score is None:
            lines.append(phrase("compare_unscored", product=names(product)))
    if any(verdict.score is None for verdict in verdicts.values()):
        return lines
    better, other = sorted(verdicts, key=lambda one: (-(verdicts[one].score or 0.0), one.id))
    if all(verdict.allowed for verdict in verdicts.values()):
        lines.append(
            phrase(
                "compare_better",
                better=names(better),
                other=names(other),
                rank=verdicts[better].rank,
                other_rank=verdicts[other].rank,
            )
        )
    scores = [f"{names(one)}: {decimal(found.score or 0.0)}" for one, found in verdicts.items()]
    lines.append(phrase("compare_scores", score=scores[0], other_score=scores[1]))
    for product in verdicts:
        found = influences_of([explained(product)])
        if strongest := [one for one in found if one.share > 0][:MAX_INFLUENCES]:
            causes = describe(strongest)
            lines.append(phrase("influences", product=names(product), causes=causes))
    return lines
