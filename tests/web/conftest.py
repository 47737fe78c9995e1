"""The hand-made community with hostile ids and names, and a server of it."""

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
from tests.web.running import FORMULA, MARKUP, ODD, Web, running


@pytest.fixture(scope="session")
def models(server_home: Path) -> Path:
    """Cache of models, shared with the command line."""
    folder = server_home / "models"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def read(server: Connection) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """`run_cypher` with the scope of a file."""
    with open_driver(server) as driver:

        def run(text: str, **parameters: Any) -> list[dict[str, Any]]:
            with driver.session() as session:
                return session.run(text, parameters).data()

        yield run


@pytest.fixture(scope="module")
def community_graph(shared_graph: Graph, read: Callable[..., list[dict[str, Any]]]) -> Graph:
    """The community with two versions, and with users and a product whose ids are hostile."""
    embeddings = store(read)
    write_back(shared_graph, embeddings, name="first")
    write_back(shared_graph, embeddings, name="second")
    read(
        "MATCH (a:Product {id: 'p0'}), (b:Product {id: 'p5'}) "
        "CREATE (u:User {id: $id, gid: 900, risk_tolerance: 6, country: 'FR', name: $name}) "
        "CREATE (p:Product {id: $id, gid: 900, risk: 1, open: true, kind: $name, name: $name}) "
        "CREATE (f:User {id: $formula, gid: 901, risk_tolerance: 6, country: 'FR'}) "
        "CREATE (u)-[:HOLDS {split: 'train'}]->(a), (u)-[:HOLDS {split: 'train'}]->(b) "
        "CREATE (f)-[:HOLDS {split: 'train'}]->(a) "
        "CREATE (u)-[:WROTE]->(:Review {id: 'odd', text: $name, split: 'train'})-[:ABOUT]->(p)",
        id=ODD,
        name=MARKUP,
        formula=FORMULA,
    )
    return shared_graph


@pytest.fixture(scope="module")
def web(
    community_graph: Graph, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    """A server of the community, with a token of each caller."""
    with running(community_graph, tmp_path_factory.mktemp("web") / "home", models) as started:
        yield started
