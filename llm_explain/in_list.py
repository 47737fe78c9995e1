"""What a cap on lists does to an explained product, as a sentence of its explanation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kinfolio.errors import NotReady, quoted
from kinfolio.gnn.serving.caps.effect import CapEffect, cap_effect
from kinfolio.gnn.serving.why_not import why_not
from kinfolio.llm_explain.explanation import Explanation, Sentence
from kinfolio.llm_explain.wording.clauses import Clauses

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph
    from kinfolio.gnn.serving.caps.caps import ListCaps
    from kinfolio.gnn.serving.rules import Rule


def explain_in_list(
    graph: Graph,
    explanation: Explanation,
    caps: ListCaps,
    clauses: Clauses,
    *,
    rules: Sequence[Rule] = (),
) -> Explanation:
    """Return an explanation with the effect of a cap, and a sentence if it moves the product.

    `rules`: own rules of the lists.

    Raises:
        NotReady: another version serves the user since the explanation was written.
    """
    found = why_not(graph, explanation.user, explanation.product, rules=rules)
    if found.version != explanation.version:
        raise NotReady(
            f"version {quoted(found.version)} replaced {quoted(explanation.version)} while the "
            "explanation was written; ask again"
        )
    effect = cap_effect(graph, found, caps, rules=rules)
    if effect is None or effect.rank == effect.rank_without:
        return replace(explanation, cap=effect)
    sentence = Sentence(text=_in_words(effect, explanation, clauses), evidence=())
    # The notice remains the last one.
    sentences = (*explanation.sentences[:-1], sentence, explanation.sentences[-1])
    text = " ".join(one.text for one in sentences)
    return replace(explanation, cap=effect, sentences=sentences, text=text)


def _in_words(effect: CapEffect, explanation: Explanation, clauses: Clauses) -> str:
    key = "capped_out" if effect.rank is None else "capped_moved"
    return clauses.fixed[key].format(
        product=explanation.label or clauses.display_name(explanation.name),
        at_most=clauses.number(effect.at_most),
        per=clauses.words[effect.per],
        rank=clauses.number(effect.rank or 0),
        rank_without=clauses.number(effect.rank_without),
    )
