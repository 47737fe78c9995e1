"""During a split of the users, explanations and the answers of a chat are by the user's version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.publishing.versions import rollback, split_users
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.version_state import place_in_split
from kinfolio.llm_explain.conversation.answers import Answers, Reply
from kinfolio.llm_explain.conversation.mention import ProductRef
from tests.llm_explain.community import store
from tests.llm_explain.conversation.scripted import NONE

PEOPLE = ("people", "bond", "hold", "you", "person-20", "person-21")


@pytest.fixture
def two_versions(graph: Graph, run_cypher: Callable[..., Any]) -> Graph:
    """The community with the versions `one` and, active, `two`, which rank differently."""
    embeddings = store(run_cypher)
    write_back(graph, embeddings, name="one")
    other = replace(embeddings, product_vectors=np.roll(embeddings.product_vectors, 3, axis=0))
    write_back(graph, other, name="two")
    return graph


def replies(graph: Graph, user: str) -> list[Reply]:
    answers = Answers(graph, user, (NONE,))
    first, second, third = (ProductRef(f"p{n}", f"name {n}") for n in (0, 6, 7))
    return [
        answers.recommend(),
        answers.explain(first),
        answers.why_not(second),
        answers.similar(third),
        answers.compare(first, third),
        answers.influence([first, second], is_list=True),
        answers.what_if([], [third, second], first),
    ]


def versions(found: list[Reply]) -> set[str]:
    documents = [reply.fields.get("explanation", reply.fields) for reply in found]
    return {document["version"] for document in documents if document}


def test_every_reply_is_that_of_the_users_version_alone(two_versions: Graph) -> None:
    alone = {"two": {user: replies(two_versions, user) for user in PEOPLE}}
    rollback(two_versions)
    alone["one"] = {user: replies(two_versions, user) for user in PEOPLE}
    rollback(two_versions)
    assert alone["one"] != alone["two"]
    split_users(two_versions, 50)
    sides = {user: "one" if place_in_split(user) < 50 else "two" for user in PEOPLE}
    assert set(sides.values()) == {"one", "two"}
    for user, name in sides.items():
        found = replies(two_versions, user)
        assert found == alone[name][user], user
        assert versions(found) == {name}
