"""Conversations on the community with the real router, which is fitted once for the whole run."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.llm_explain.conversation.chat import Chat
from kinfolio.llm_explain.conversation.router import Router, load_router
from tests.llm_explain.conversation.scripted import Start, start_chat


@pytest.fixture(scope="session")
def router(models: Path) -> Router:
    return load_router(models)


@pytest.fixture(scope="module")
def start(community_graph: Graph, router: Router) -> Start:
    return partial(start_chat, community_graph, router)


@pytest.fixture
def chat(start: Start) -> Chat:
    return start()
