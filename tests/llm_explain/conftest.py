"""The hand-made community, written back once per file, and the cache of models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.records import Connection
from tests.llm_explain.community import store


@pytest.fixture(scope="module")
def run_module_cypher(server: Connection) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """`run_cypher` with the scope of a file."""
    with open_driver(server) as driver:

        def run(text: str, **parameters: Any) -> list[dict[str, Any]]:
            with driver.session() as session:
                return session.run(text, parameters).data()

        yield run


@pytest.fixture(scope="module")
def community_graph(
    shared_graph: Graph, run_module_cypher: Callable[..., list[dict[str, Any]]]
) -> Graph:
    """The community of `community.py` with its embeddings; read only."""
    write_back(shared_graph, store(run_module_cypher))
    return shared_graph


@pytest.fixture(scope="session")
def models(server_home: Path) -> Path:
    """Cache shared with the command line, so that models are converted once."""
    return server_home / "models"
