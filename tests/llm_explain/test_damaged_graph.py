"""Damage to a version in the graph: named with the way back, and never in a list or a text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.publishing.versions import list_versions
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.serving.recommend import recommend
from tests.conftest import Cli, Result
from tests.llm_explain.community import store

Run = Callable[..., list[dict[str, Any]]]
USER = "person-20"


@pytest.fixture(scope="module")
def versions_graph(shared_graph: Graph, run_module_cypher: Run) -> Graph:
    """The community with two versions, of which `two` in slot b serves."""
    embeddings = store(run_module_cypher)
    write_back(shared_graph, embeddings, name="one")
    write_back(shared_graph, embeddings, name="two")
    return shared_graph


@pytest.fixture
def damage(versions_graph: Graph, run_module_cypher: Run) -> Iterator[Callable[..., None]]:
    """`damage(label, key, property, value)` sets a property; the old value returns at the end."""
    undo: list[tuple[str, dict[str, Any]]] = []

    def set_property(label: str, key: dict[str, Any], name: str, value: str) -> None:
        (place,) = key
        match = f"MATCH (n:{label} {{{place}: ${place}}}) "
        old = run_module_cypher(f"{match} RETURN n.{name} AS old", **key)[0]["old"]
        run_module_cypher(f"{match} SET n.{name} = {value}", **key)
        undo.append((f"{match} SET n.{name} = $old", {**key, "old": old}))

    yield set_property
    for back, parameters in reversed(undo):
        run_module_cypher(back, **parameters)


def lists_of_all(cli: Cli, folder: Path) -> tuple[dict[str, list[str]], Result]:
    """The products of each user by `recommend --all`, and the result of the command."""
    out = folder / "all.tsv"
    result = cli("recommend", "--all", "--out", str(out), "-k", "14")
    lists: dict[str, list[str]] = {}
    if result.exit_code == 0:
        text = out.read_text("utf-8")
        assert "nan" not in text.lower()
        for line in text.splitlines()[1:]:
            user, _, product, _ = line.split("\t")
            lists.setdefault(user, []).append(product)
    return lists, result


def is_one_sentence(result: Result) -> bool:
    return result.exit_code == 1 and result.stderr.count("kinfolio: ") == 1


BAD_VECTORS = {
    "a number that is none": "[x IN n.embedding_b | CASE WHEN x > 0 THEN 0.0 / 0.0 ELSE x END]",
    "too short": "n.embedding_b[0..5]",
    "too long": "n.embedding_b + [1.0]",
    "a text": "'text'",
    "texts": "['a', 'b']",
    "infinite": "[x IN n.embedding_b | 1.0 / 0.0]",
    "zeros": "[x IN n.embedding_b | 0.0]",
}


@pytest.mark.parametrize("value", BAD_VECTORS.values(), ids=BAD_VECTORS)
def test_a_product_with_a_damaged_vector_is_left_out_and_named(
    value: str, damage: Callable[..., None], versions_graph: Graph, cli: Cli, tmp_path: Path
) -> None:
    before, _ = lists_of_all(cli, tmp_path)
    product = before[USER][0]
    damage("Product", {"id": product}, "embedding_b", value)
    lists, result = lists_of_all(cli, tmp_path)
    assert lists == {user: [p for p in some if p != product] for user, some in before.items()}
    assert f"left out: 1 product ('{product}') with damaged vectors" in result.stderr
    one = cli("recommend", USER, "-k", "14", "--json")
    listed = [line["product"] for line in json.loads(one.stdout)["products"]]
    assert listed == lists[USER]
    assert f"left out: 1 product ('{product}')" in one.stderr
    for words in (
        ("explain", USER, product, "--model", "none"),
        ("why-not", USER, product),
        ("similar", product),
    ):
        told = cli(*words)
        assert is_one_sentence(told), (words, told)
        assert product in told.stderr
        assert "kinfolio versions rollback" in told.stderr
    assert cli("why-not", USER, listed[0]).exit_code == 0
    assert cli("explain", USER, listed[0], "--model", "none").exit_code == 0
    similar = json.loads(cli("similar", listed[0], "--json").stdout)["products"]
    assert product not in {line["product"] for line in similar}
    checked = cli("versions", "check", "two")
    assert is_one_sentence(checked)
    assert f"NO  product vectors: damaged: 1 product ('{product}')" in checked.stdout
    doctor = {one["name"]: one for one in json.loads(cli("doctor", "--json").stdout)["checks"]}
    assert product in doctor["version product vectors"]["detail"]
    assert "versions rollback" in doctor["version product vectors"]["cure"]


BAD_VERSIONS = {
    "no heads": ("heads", "null"),
    "other heads": ("heads", "99"),
    "heads as a text": ("heads", "'two'"),
    "no dim": ("dim", "null"),
    "dim as a list": ("dim", "[8]"),
    "no length": ("length", "null"),
    "length as a text": ("length", "'long'"),
    "no products": ("products", "null"),
    "no global mean user": ("general", "null"),
    "global mean user as texts": ("general", "['a']"),
    "no slot": ("slot", "null"),
    "slot c": ("slot", "'c'"),
    "slot as a number": ("slot", "3"),
}


@pytest.mark.parametrize(("name", "value"), BAD_VERSIONS.values(), ids=BAD_VERSIONS)
def test_a_version_with_damaged_properties_is_not_served_and_named(
    name: str, value: str, damage: Callable[..., None], cli: Cli, tmp_path: Path
) -> None:
    damage("EmbeddingVersion", {"name": "two"}, name, value)
    _, of_all = lists_of_all(cli, tmp_path)
    told = [of_all] + [
        cli(*words)
        for words in (
            ("recommend", USER),
            ("explain", USER, "p1", "--model", "none"),
            ("why-not", USER, "p1"),
            ("similar", "p1"),
        )
    ]
    for result in told:
        assert is_one_sentence(result), result
        assert "version 'two' in the graph is damaged: its " in result.stderr
        assert "type: kinfolio versions rollback" in result.stderr
    assert "NO  properties: its " in cli("versions", "check").stdout
    assert cli("versions").exit_code == 0
    assert cli("doctor").exit_code == 1
    assert cli("versions", "rollback").stdout.startswith("version one serves")
    assert cli("recommend", USER).exit_code == 0
    back = cli("versions", "rollback")
    assert is_one_sentence(back)
    assert "version 'two' in the graph is damaged" in back.stderr


@pytest.fixture(autouse=True)
def two_serves(versions_graph: Graph, run_module_cypher: Run) -> Iterator[None]:
    yield
    run_module_cypher(
        "MATCH (v:EmbeddingVersion) "
        "SET v.state = CASE v.name WHEN 'two' THEN 'active' ELSE 'ready' END"
    )


BAD_MESSAGES = {
    "changed": "[x IN n.message_b | 3 * x]",
    "a number that is none": "[x IN n.message_b | 0.0 / 0.0]",
    "too short": "n.message_b[0..3]",
    "a text": "'text'",
    "missing": "null",
}


@pytest.mark.parametrize("value", BAD_MESSAGES.values(), ids=BAD_MESSAGES)
def test_a_damaged_message_is_refused_by_explanations_and_changes_no_stored_list(
    value: str, damage: Callable[..., None], versions_graph: Graph, run_module_cypher: Run, cli: Cli
) -> None:
    held = run_module_cypher(
        "MATCH (u:User {id: $id})-[:HOLDS]->(p) RETURN p.id AS id ORDER BY id", id=USER
    )[0]["id"]
    before = recommend(versions_graph, USER)
    assert before.source == "stored"
    damage("Product", {"id": held}, "message_b", value)
    assert recommend(versions_graph, USER) == before
    told = cli("explain", USER, before.products[0].product, "--model", "none")
    assert is_one_sentence(told)
    assert "is damaged: the " in told.stderr
    assert "versions rollback" in told.stderr
    checked = cli("versions", "check", "two")
    assert is_one_sentence(checked)
    assert "NO " in checked.stdout
    assert "product" in checked.stdout.split("NO ")[1]


def test_a_user_with_a_damaged_vector_is_folded_in_from_the_messages(
    damage: Callable[..., None], versions_graph: Graph, cli: Cli, tmp_path: Path
) -> None:
    before, _ = lists_of_all(cli, tmp_path)
    for value in ("[x IN n.embedding_b | 0.0 / 0.0]", "'text'", "n.embedding_b[0..3]"):
        damage("User", {"id": USER}, "embedding_b", value)
        assert lists_of_all(cli, tmp_path)[0] == before
        assert recommend(versions_graph, USER).source == "folded_in"
        checked = cli("versions", "check", "two")
        assert f"NO  numbers of users: damaged: 1 user ('{USER}')" in checked.stdout


@pytest.mark.parametrize(
    "value", ["[x IN n.similar_weight_b | 0.0 / 0.0]", "'text'"], ids=["no number", "a text"]
)
def test_holders_of_a_product_with_damaged_links_get_no_list_and_others_do(
    value: str,
    damage: Callable[..., None],
    run_module_cypher: Run,
    versions_graph: Graph,
    cli: Cli,
    tmp_path: Path,
) -> None:
    before, _ = lists_of_all(cli, tmp_path)
    linked = run_module_cypher(
        "MATCH (u:User {id: $id})-[h:HOLDS]->(p) WHERE p.similar_b IS NOT NULL "
        "AND coalesce(h.split, 'train') = 'train' "
        "RETURN p.id AS id ORDER BY id",
        id=USER,
    )[0]["id"]
    holders = run_module_cypher(
        "MATCH (u:User)-[h:HOLDS]->(:Product {id: $id}) "
        "WHERE coalesce(h.split, 'train') = 'train' RETURN collect(DISTINCT u.id) AS ids",
        id=linked,
    )[0]["ids"]
    damage("Product", {"id": linked}, "similar_weight_b", value)
    lists, result = lists_of_all(cli, tmp_path)
    assert lists == {user: some for user, some in before.items() if user not in holders}
    assert f"users who hold 1 product ('{linked}') with damaged links" in result.stderr
    told = cli("recommend", USER)
    assert is_one_sentence(told)
    assert f"1 product ('{linked}') with damaged links" in told.stderr
    assert "NO  links" in cli("versions", "check", "two").stdout


def test_names_that_are_numbers_or_lists_are_shown_everywhere(
    damage: Callable[..., None], versions_graph: Graph, cli: Cli
) -> None:
    first, second = (line.product for line in recommend(versions_graph, USER).products[:2])
    damage("Product", {"id": first}, "name", "2024")
    damage("Product", {"id": second}, "name", "['Ember', 'Income']")
    listed = json.loads(cli("recommend", USER, "--json").stdout)["products"]
    assert [line["name"] for line in listed[:2]] == ["2024", "Ember"]
    for product, name in ((first, "2024"), (second, "Ember")):
        told = json.loads(cli("explain", USER, product, "--model", "none", "--json").stdout)
        assert told["name"] == name
        assert cli("similar", product).exit_code == 0
        assert cli("show", "product", product).exit_code == 0
        assert name in cli("why-not", USER, product).stdout
    chat = cli("chat", USER, "--model", "none", input="why Ember?\n")
    assert (chat.exit_code, "Ember" in chat.stdout) == (0, True), chat
    assert cli("recommend", f"{USER}0").exit_code == 1
    assert "did you mean" in cli("similar", f"{first}x").stderr


def test_a_missing_failed_or_wrong_index_is_named_and_built_again(
    versions_graph: Graph, run_module_cypher: Run, cli: Cli
) -> None:
    def index() -> dict[str, Any]:
        checks = json.loads(cli("versions", "check", "two", "--json").stdout)["versions"][0]
        found: dict[str, Any] = next(c for c in checks["checks"] if c["name"] == "index")
        return found

    assert index()["ok"]
    for again in (
        "RETURN 1",
        "CREATE VECTOR INDEX product_embedding_b FOR (p:Product) ON p.embedding_b "
        "OPTIONS {indexConfig: {`vector.dimensions`: 7, `vector.similarity_function`: 'cosine'}}",
    ):
        run_module_cypher("DROP INDEX product_embedding_b")
        run_module_cypher(again)
        assert "kinfolio doctor --fix" in index()["cure"]
        assert cli("recommend", USER).exit_code == 0
        assert "the index of version two was built again" in cli("doctor", "--fix").stderr
        assert index()["ok"]
    assert [version.name for version in list_versions(versions_graph)] == ["two", "one"]
