"""A version whose lists or sums are wrong is not activated; the old one serves on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady
from kinfolio.gnn.publishing.versions import list_versions, rollback
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.serving.recommend import recommend

if TYPE_CHECKING:
    from tests.gnn.conftest import World

Run = Callable[..., list[dict[str, Any]]]


def test_a_version_with_wrong_sums_or_widths_is_refused_and_the_old_one_serves(
    graph: Graph, make_world: Callable[..., World], run_cypher: Run
) -> None:
    world = make_world(1, 12, 20)
    world.store(run_cypher)
    embeddings = world.embeddings()
    write_back(graph, embeddings, name="one", check_sums=False)
    before = recommend(graph, "u06")

    # The random vectors of users are not the sums of messages, so no explanation would add up.
    with pytest.raises(NotReady, match=r"'two' was written but not activated.*add up to"):
        write_back(graph, embeddings, name="two")
    with pytest.raises(NotReady, match=r"user_vectors are 12 x 16 numbers, not 12 x heads 99"):
        write_back(graph, replace(embeddings, heads=99), name="two")
    with pytest.raises(NotReady, match="global user has 3 numbers"):
        write_back(graph, replace(embeddings, global_user=np.zeros(3, np.float32)), name="two")
    assert recommend(graph, "u06") == before
    assert [v.name for v in list_versions(graph) if v.state == "active"] == ["one"]
    with pytest.raises(NotReady, match="no other version"):
        rollback(graph)

    def break_a_vector(step: str, done: int, total: int) -> None:
        if step.startswith("trying") and not done:
            run_cypher("MATCH (v:EmbeddingVersion {name: 'two'}) SET v.length = 'long'")

    with pytest.raises(NotReady, match=r"'two' was written but not activated.*its length is"):
        write_back(graph, embeddings, name="two", check_sums=False, progress=break_a_vector)
    assert recommend(graph, "u06") == before
    assert write_back(graph, embeddings, name="two", check_sums=False).version == "two"
    assert recommend(graph, "u06").version == "two"
