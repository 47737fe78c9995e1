"""The functions of the other rooms as a conversation takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph
    from kinfolio.gnn.serving.rules import Rule
    from kinfolio.llm_explain.conversation.tools import Tools
    from kinfolio.llm_explain.wording.clauses import Clauses
    from kinfolio.llm_explain.wording.writers import Writer


def make_tools(
    graph: Graph,
    writers: Sequence[Writer],
    rules: Sequence[Rule] = (),
    clauses: Clauses | None = None,
) -> Tools:
    """The tools of a conversation on a graph, under own rules and a deployment's clauses."""
    from kinfolio.gnn.serving.recommend import recommend
    from kinfolio.gnn.serving.similar import similar_products
    from kinfolio.gnn.serving.what_if import recommend_filtered, what_if
    from kinfolio.gnn.serving.why_not import why_not
    from kinfolio.llm_explain.conversation.tools import Tools
    from kinfolio.llm_explain.explain import explain

    return Tools(
        recommend=lambda user, k: recommend(graph, user, k, rules=rules),
        wished=lambda user, wishes, k: recommend_filtered(graph, user, wishes, k, rules=rules),
        why_not=lambda user, product: why_not(graph, user, product, rules=rules),
        explain=lambda user, product: explain(graph, user, product, writers, clauses=clauses),
        evidence=lambda user, product: explain(
            graph, user, product, (), all_evidence=True, clauses=clauses
        ),
        similar=lambda product, k: similar_products(graph, product, k),
        what_if=lambda user, *, without, added, product_id, k: what_if(
            graph, user, without=without, added=added, product_id=product_id, k=k, rules=rules
        ),
    )
