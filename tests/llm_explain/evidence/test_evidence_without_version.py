"""Explaining before anything was written back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady
from kinfolio.llm_explain.evidence.attribution import read_attribution
from kinfolio.llm_explain.wording.clauses import load_clauses


def test_explaining_before_writeback_names_the_command(
    graph: Graph, run_cypher: Callable[..., Any]
) -> None:
    run_cypher("CREATE (:User {id: 'u', gid: 0}), (:Product {id: 'p', gid: 0})")
    with pytest.raises(NotReady, match="type: kinfolio writeback"):
        read_attribution(graph, "u", "p", load_clauses())
