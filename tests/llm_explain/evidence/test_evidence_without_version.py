"""Explaining before anything was written back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady
from kinfolio.llm_explain.evidence.evidence import read_grounds


def test_explaining_before_writeback_says_what_to_type(
    graph: Graph, run_cypher: Callable[..., Any]
) -> None:
    run_cypher("CREATE (:User {id: 'u', gid: 0}), (:Product {id: 'p', gid: 0})")
    with pytest.raises(NotReady, match="type: kinfolio writeback"):
        read_grounds(graph, "u", "p")
