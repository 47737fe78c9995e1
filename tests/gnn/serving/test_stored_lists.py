"""Lists in the graph are whole or not there, whatever ends the command that writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import Interrupted, NotReady
from kinfolio.gnn.publishing.versions import rollback
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.gnn.serving.recommend_all import recommend_all
from tests.conftest import Cli
from tests.gnn.recipes import HARMLESS, recipe

if TYPE_CHECKING:
    from tests.gnn.conftest import World

Run = Callable[..., list[dict[str, Any]]]


def test_stored_lists_are_replaced_at_the_end_in_one_step(
    graph: Graph,
    make_world: Callable[..., World],
    run_cypher: Run,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kinfolio.gnn.serving.recommend_all.PAGE_USERS", 16)
    world = make_world(1, 40, 20)
    world.store(run_cypher)
    write_back(graph, world.embeddings(1), name="one", check_sums=False)

    def stored() -> list[list[str]]:
        return [
            [
                row["product"]
                for row in run_cypher(recipe("Stored lists"), user=f"u{user:02}", harmless=HARMLESS)
            ]
            for user in (3, 20, 39)
        ]

    def expected(k: int) -> list[list[str]]:
        return [
            [line.product for line in recommend(graph, f"u{user:02}", k).products]
            for user in (3, 20, 39)
        ]

    def total() -> int:
        return int(run_cypher("MATCH ()-[r:RECOMMENDED]->() RETURN count(r) AS n")[0]["n"])

    def stop(step: str, done: int, _: int) -> None:
        assert stored() == expected(3)
        if done > 16:
            raise KeyboardInterrupt

    assert stored() == [[], [], []]
    recommend_all(graph, None, 3, materialise=True)
    assert stored() == expected(3)
    whole = total()
    # Ctrl-C after some pages: the old lists are read, the leftovers are named and removed.
    with pytest.raises(Interrupted, match="the lists in the graph are those from before"):
        recommend_all(graph, None, 5, materialise=True, progress=stop)
    assert stored() == expected(3)
    assert total() > whole
    assert "of lists that were replaced or cut off" in cli("doctor").stdout
    assert "of lists that nothing reads were removed" in cli("doctor", "--fix").stderr
    assert total() == whole
    with pytest.raises(Interrupted):
        recommend_all(graph, None, 5, materialise=True, progress=stop)

    def second(step: str, done: int, _: int) -> None:
        if done == 16:
            recommend_all(graph, None, 2, materialise=True)

    # Of two at once, the one that began last is whole, and the other one stops.
    with pytest.raises(NotReady, match="another recommend --all --materialise began"):
        recommend_all(graph, None, 4, materialise=True, progress=second)
    assert stored() == expected(2)
    assert total() < whole

    def new_version(step: str, done: int, _: int) -> None:
        if done == 16:
            write_back(graph, world.embeddings(2), name="two", check_sums=False)

    with pytest.raises(NotReady):
        recommend_all(graph, None, 4, materialise=True, progress=new_version)
    assert stored() == [[], [], []]
    assert rollback(graph).name == "one"
    assert stored() == expected(2)
