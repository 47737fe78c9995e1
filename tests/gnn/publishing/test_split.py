"""A split of the users: each gets the answers of one version, as if that version served alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig, NotReady, VersionDamaged
from kinfolio.gnn.publishing.health import check_graph
from kinfolio.gnn.publishing.slots import write_access
from kinfolio.gnn.publishing.versions import (
    drop,
    found_versions,
    list_versions,
    rollback,
    settle,
    split_users,
)
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.serving.audience.audience import audience
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.gnn.serving.recommend_all import recommend_all
from kinfolio.gnn.serving.similar import similar_products
from kinfolio.gnn.serving.user_state import read_user_states
from kinfolio.gnn.serving.what_if import recommend_filtered, what_if
from kinfolio.gnn.serving.why_not import why_not
from kinfolio.gnn.version_state import place_in_split
from kinfolio.records import ListFilters
from tests.conftest import Cli

if TYPE_CHECKING:
    from tests.gnn.conftest import World

Run = Callable[..., list[dict[str, Any]]]
USERS = 18


@pytest.fixture
def world(graph: Graph, make_world: Callable[..., World], run_cypher: Run) -> World:
    """A small world with the versions `one` and, active, `two`, which differ."""
    world = make_world(3, USERS, 30)
    world.store(run_cypher)
    for seed, name in enumerate(("one", "two")):
        write_back(graph, world.embeddings(seed), name=name, check_sums=False)
    return world


def place(user: str) -> int:
    return int(hashlib.sha256(user.encode()).hexdigest()[:8], 16) % 100


def answers(graph: Graph, user: str) -> list[Any]:
    """All answers for a user that are not of the language rooms."""
    listed = recommend(graph, user)
    first = listed.products[0].product if listed.products else "p05"
    found: list[Any] = [
        (listed.version, listed.source, listed.products),
        recommend_filtered(graph, user, ListFilters(kinds=("fund",))).products,
        what_if(graph, user, added=["p07"], product_id=first),
        why_not(graph, user, first),
        why_not(graph, user, "p11"),
        similar_products(graph, "p09", user_id=user),
    ]
    assert {one.version for one in found[2:]} == {listed.version}
    return found


def lines(graph: Graph, file: Path) -> dict[str, list[str]]:
    recommend_all(graph, file, 5)
    found: dict[str, list[str]] = {}
    for line in file.read_text("utf-8").splitlines()[1:]:
        found.setdefault(line.split("\t")[0], []).append(line)
    return found


def test_every_answer_is_that_of_the_users_version_alone(
    world: World, graph: Graph, tmp_path: Path
) -> None:
    users = [str(user["id"]) for user in world.users]
    file = tmp_path / "all.tsv"
    two = {user: answers(graph, user) for user in users}, lines(graph, file)
    assert rollback(graph).name == "one"
    one = {user: answers(graph, user) for user in users}, lines(graph, file)
    assert rollback(graph).name == "two"
    assert one[0] != two[0]
    for percent in (50, 10, 99):
        split_users(graph, percent)
        in_split = {user for user in users if place(user) < percent}
        assert 0 < len(in_split) < USERS or percent == 99
        if percent == 50:
            for user in users:
                expected = (one if user in in_split else two)[0][user]
                assert answers(graph, user) == expected, user
        split_lines = lines(graph, file)
        assert list(split_lines) == list(two[1])
        for name, found in split_lines.items():
            user = name.replace("\\\\", "\\")
            assert found == (one if user in in_split else two)[1][name]
        assert recommend(graph, users[0]).split == percent
    split_users(graph, 0)
    assert lines(graph, file) == two[1]
    assert recommend(graph, users[0]).split is None


def test_the_place_of_a_user_is_the_documented_hash() -> None:
    users = ["u7", "ü 🦊", "", 'it\'s "0"']
    assert [place_in_split(user) for user in users] == [place(user) for user in users]
    assert place_in_split("u7") == 76
    counts = [place_in_split(f"user-{number}") for number in range(10_000)]
    assert 4_800 < sum(number < 50 for number in counts) < 5_200


def test_the_other_version_of_a_split_is_neither_replaced_nor_dropped(
    world: World, graph: Graph
) -> None:
    split_users(graph, 30)
    sentence = "'one' serves 30 % of the users and cannot be replaced or dropped; type: kinfolio v"
    with pytest.raises(NotReady, match=sentence):
        write_back(graph, world.embeddings(), check_sums=False)
    with pytest.raises(NotReady, match=sentence):
        drop(graph, "one")
    # A writer that read the versions before the split began.
    (one,) = (found for found in found_versions(graph) if found["name"] == "one")
    with (
        pytest.raises(NotReady, match="activated meanwhile"),
        write_access(graph, one["slot"], one, {"name": "three"}),
    ):
        pass
    assert {version.name: version.serves for version in list_versions(graph)} == {
        "one": 30,
        "two": 70,
    }
    split_users(graph, 0)
    write_back(graph, world.embeddings(), name="three", check_sums=False)
    assert {version.name: version.serves for version in list_versions(graph)} == {
        "two": 0,
        "three": 100,
    }


def test_a_split_ends_when_a_version_is_activated(
    world: World, graph: Graph, run_cypher: Run
) -> None:
    split_users(graph, 40)
    rollback(graph)
    assert {version.name: version.serves for version in list_versions(graph)} == {
        "one": 100,
        "two": 0,
    }
    split_users(graph, 40)
    run_cypher("MATCH (v:EmbeddingVersion) SET v.state = 'active'")
    settle(graph)
    assert sorted(version.serves for version in list_versions(graph)) == [0, 100]


@pytest.mark.parametrize("percent", [-1, 100])
def test_a_split_takes_a_percentage_below_100(world: World, graph: Graph, percent: int) -> None:
    with pytest.raises(BadConfig, match=f"the percentage is {percent}; give a whole number"):
        split_users(graph, percent)


def test_a_split_needs_two_versions_that_can_serve(
    world: World, graph: Graph, run_cypher: Run
) -> None:
    run_cypher("MATCH (v:EmbeddingVersion {name: 'one'}) SET v.dim = 'x'")
    with pytest.raises(VersionDamaged, match="'one' in the graph is damaged: its dim"):
        split_users(graph, 50)
    drop(graph, "one")
    with pytest.raises(NotReady, match="one active and one ready version; there are 1 and 0"):
        split_users(graph, 50)
    assert split_users(graph, 0).active == "two"


def test_damage_in_the_other_version_fails_its_own_users_only(
    world: World, graph: Graph, run_cypher: Run
) -> None:
    split_users(graph, 50)
    run_cypher("MATCH (v:EmbeddingVersion {name: 'one'}) SET v.heads = 'x'")
    for user in world.users:
        if place(user["id"]) < 50:
            for reads in (False, True):
                with pytest.raises(VersionDamaged, match="type: kinfolio versions split 0"):
                    read(graph, user["id"], in_one=reads)
        else:
            assert read(graph, user["id"], in_one=True) == read(graph, user["id"]) == "two"
    (check,) = (one for one in check_graph(graph) if one.name == "split one: properties")
    assert not check.ok


def read(graph: Graph, user: str, *, in_one: bool = False) -> str | None:
    if not in_one:
        return read_user_states(graph, [user])[0].version
    with graph.snapshot_reads() as reads:
        return read_user_states(reads, [user])[0].version


def test_lists_in_the_graph_are_not_written_during_a_split(world: World, graph: Graph) -> None:
    split_users(graph, 50)
    with pytest.raises(NotReady, match="the users are split between two; give --out FILE"):
        recommend_all(graph, None, materialise=True)


@pytest.fixture
def changing(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """`changing(change)`: makes the pages small and calls `change` after the first one."""

    def prepare(change: Callable[[], Any]) -> None:
        from kinfolio.gnn.serving import recommend_all as module

        read_page = module._page
        pages: list[str] = []

        def page(graph: Graph, after: str) -> Any:
            if pages:
                change()
            pages.append(after)
            return read_page(graph, after)

        monkeypatch.setattr(module, "PAGE_USERS", 6)
        monkeypatch.setattr(module, "_page", page)

    return prepare


def test_a_split_that_begins_while_lists_are_computed_is_told(
    world: World, graph: Graph, changing: Callable[..., None], tmp_path: Path
) -> None:
    changing(lambda: split_users(graph, 50))
    with pytest.raises(NotReady, match="a split of the users began or ended"):
        recommend_all(graph, tmp_path / "all.tsv")
    assert not (tmp_path / "all.tsv").exists()


def test_commands_show_the_split(world: World, graph: Graph, cli: Cli) -> None:
    assert cli("versions", "split", "25").stdout == (
        "version one serves 25 % of the users, version two the others\n"
    )
    listed = cli("versions").stdout.splitlines()
    serves = listed[0].split("\t").index("serves")
    assert {line.split("\t")[0]: line.split("\t")[serves] for line in listed[1:]} == {
        "one": "25 %",
        "two": "75 %",
    }
    versions = json.loads(cli("versions", "--json").stdout)["versions"]
    assert {version["name"]: version["split"] for version in versions} == {"one": 25, "two": 25}
    doctor = {
        check["name"]: check for check in json.loads(cli("doctor", "--json").stdout)["checks"]
    }
    assert doctor["versions"]["detail"] == "two (active), one (ready, serves 25 % of the users)"
    assert doctor["split"]["detail"] == "one serves 25 % of the users"
    users = {place(user["id"]) < 25: user["id"] for user in world.users}
    for is_other, user in users.items():
        answer = json.loads(cli("recommend", user, "--json").stdout)
        assert (answer["version"], answer["split"]) == ("one" if is_other else "two", 25)
        answer = json.loads(cli("why-not", user, "p07", "--json").stdout)
        assert answer["version"] == ("one" if is_other else "two")
    ended = cli("versions", "rollback", "--json")
    assert "the split of the users ended" in ended.stderr
    assert json.loads(ended.stdout)["split"] == 0
    assert json.loads(cli("versions", "split", "0", "--json").stdout) == {
        "percent": 0,
        "active": "one",
        "other": None,
    }
    assert "the percentage is 100" in cli("versions", "split", "100").stderr


def test_an_audience_is_of_the_active_version_for_all_users(world: World, graph: Graph) -> None:
    before = audience(graph, "p09")
    split_users(graph, 50)
    assert audience(graph, "p09") == before
    assert before.version == "two"
