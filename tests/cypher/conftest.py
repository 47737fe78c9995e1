from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.records import Connection

GraphOf = Callable[..., Graph]


@pytest.fixture
def graph_of(server: Connection) -> Iterator[GraphOf]:
    """A graph whose statements are the test's own: `graph_of(echo="RETURN $value AS value")`."""
    with ExitStack() as stack:
        yield lambda **texts: stack.enter_context(
            Graph(server, source=lambda name, slot, mapping: texts[name])
        )
