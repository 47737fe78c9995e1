"""Statements in the names of other graphs: examples, then every statement."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.cypher.mapping.expressions import escape
from kinfolio.cypher.mapping.names import mapping_from
from kinfolio.cypher.mapping.rewrite import rewrite
from kinfolio.cypher.mapping.standard import LABELS, TYPES
from kinfolio.cypher.queries import query
from kinfolio.errors import BadConfig
from tests.cypher.mapping.mappings import ALL, BARE, MAPPINGS, MOVIES, STATEMENTS
from tests.cypher.test_queries import header

EXAMPLES = tomllib.loads(Path(__file__).with_name("rewrite.toml").read_text("utf-8"))["example"]


def movies(text: str, **holdings: Any) -> str:
    """The text for the movie graph, by default without a least rating."""
    content = {**MOVIES, "holdings": {**MOVIES["holdings"], "least_rating": None, **holdings}}
    content["holdings"] = {k: v for k, v in content["holdings"].items() if v is not None}
    return rewrite(text, mapping_from(content))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["standard"])
def test_a_statement_is_rewritten_in_the_names_of_the_graph(example: dict[str, str]) -> None:
    assert movies(example["standard"]) == example["mapped"]


def test_an_integer_id_is_compared_as_an_integer() -> None:
    found = movies("MATCH (u:User {id: $user_id}) RETURN u.id AS user")
    assert re.search(
        r"\{`uid`: CASE WHEN \$user_id =~ '.*' THEN toInteger\(\$user_id\) END\}", found
    )
    assert "RETURN toString(u.`uid`) AS user" in found


def test_low_ratings_count_as_dismissed() -> None:
    held = movies("MATCH (u:User)-[h:HOLDS]->(p) RETURN h", least_rating=4)
    assert "-[h:`RATED` WHERE coalesce(toFloatOrNull(h.`stars`) >= 4, false)]->" in held
    dismissed = movies("MATCH (u:User)-[d:DISMISSED]->(p) RETURN d", least_rating=4)
    assert "-[d:`RATED` WHERE NOT coalesce(toFloatOrNull(d.`stars`) >= 4, false)]->" in dismissed
    both = movies("MATCH (u:User)-[:HOLDS|DISMISSED]->(x:Product) RETURN x", least_rating=4)
    assert "(u:`Person`)-[:`RATED`]->(x:`Movie`)" in both


def test_holders_are_counted_without_labels_where_the_type_is_exclusive() -> None:
    text = "MATCH (p:Product) RETURN COUNT { (p)<-[:HOLDS]-() } AS holders"
    assert "(p)<-[:`RATED`]-(:`Person`)" in movies(text)
    assert "(p)<-[:`RATED`]-()" in movies(text, exclusive=True)


def test_two_types_of_opposite_directions_are_matched_without_direction() -> None:
    content = {**BARE, "dismissals": {"type": "NO", "direction": "in"}}
    text = "MATCH (u:User)-[:HOLDS|DISMISSED]->(x:Product) RETURN x"
    assert "(u:`Client`)-[:`BOUGHT`|`NO`]-(x:`Fund`)" in rewrite(text, mapping_from(content))


@pytest.mark.parametrize(
    "text",
    [
        "MATCH (a)-[r]-(b) RETURN b.id",
        "MATCH (n:User) RETURN n.id UNION MATCH (n:Product) RETURN n.id",
        "MATCH (u:User) RETURN u {.*}",
        "MATCH (u:User) RETURN u.shoe_size",
        "MATCH (u:Users) RETURN u",
        "MATCH (u:User)-[:OWNS]->(p) RETURN p",
        "MATCH (r:Review) RETURN r.text",
        "MATCH (u:User)-[:WROTE]->(r) RETURN r.text",
        "MATCH (u:User)-[:WROTE]-(r:Review) RETURN r",
        "MATCH (u:User)-[h:HOLDS {at: $at}]->(p) RETURN p",
        "MATCH (u:User)-[h:HOLDS|TIED_TO]->(p) RETURN p",
        "MATCH (u)-[h:HOLDS]-(p) RETURN p.name",
    ],
)
def test_a_statement_without_equivalent_is_an_error(text: str) -> None:
    with pytest.raises(BadConfig, match="bug in kinfolio"):
        movies(text)


def test_load_statements_are_refused_with_a_mapping() -> None:
    with pytest.raises(BadConfig, match="omit --mapping"):
        query("load_users", "a", MAPPINGS["movies"])


def bare_of(text: str) -> str:
    """The text without strings, comments and escaped names."""
    return re.sub(r"`(?:[^`]|``)*`|'(?:[^'\\]|\\.)*'|//[^\n]*", " § ", text)


@pytest.mark.parametrize("mapping", ALL)
@pytest.mark.parametrize("name", STATEMENTS)
def test_every_rewritten_statement_has_only_names_of_the_graph(name: str, mapping: str) -> None:
    for slot in ("a", "b"):
        text = bare_of(query(name, slot, MAPPINGS[mapping]))
        words = set(re.findall(r"\w+", text))
        assert not words & (set(LABELS) | set(TYPES))
        # Other properties than those of parameter rows and versions are kinfolio's own.
        rows = set(re.findall(r"\bAS (\w+)\b|\b(\w+) IN\b", text))
        free = {word for pair in rows for word in pair}
        free |= set(re.findall(r"[(\[](\w+):(?:EmbeddingVersion|RECOMMENDED)", text))
        for variable, key in re.findall(r"(?<![\w.$])([a-z]\w*)\.(?!\.)(\w+)", text):
            nodes = re.findall(rf"\({variable}\s*:\s*§|\[{variable}\s*:\s*§", text)
            if nodes:
                assert re.fullmatch(r"gid|changed|\w+_[ab]", key), f"{variable}.{key}"
            else:
                assert variable in free | {"db", "dbms", "vector"}, f"{variable}.{key}"


@pytest.mark.parametrize("mapping", ALL)
def test_every_rewritten_statement_is_planned_by_the_server(
    graph: Graph, mapping: str, run_cypher: Any
) -> None:
    names = MAPPINGS[mapping]
    with Graph(graph.connection, names) as mapped:
        for slot in ("a", "b"):
            mapped.schema("write_back_index", slot=slot, width=6)
    wrong = {}
    with open_driver(graph.connection) as driver, driver.session() as session:
        for name in STATEMENTS:
            _, parameters, columns = header(name)
            text = query(name, "a", names)
            if re.match(r"(CYPHER 25\s+)?(CREATE|DROP)\b.*\b(INDEX|CONSTRAINT)", text):
                continue
            text = re.sub(r"^(CYPHER \d+)?", r"\1 EXPLAIN ", text, count=1)
            try:
                result = session.run(text, dict.fromkeys(parameters))
                if list(result.keys()) != columns:
                    wrong[name] = str(result.keys())
                result.consume()
            except Exception as error:  # to name all of them at once
                wrong[name] = str(error)[:300]
    assert wrong == {}


def test_an_escaped_name_cannot_contain_cypher(graph: Graph, run_cypher: Any) -> None:
    names = [
        "`",
        "\\",
        "a\\u0060b",
        "\\\\u0060) DETACH DELETE n //",
        "`) DETACH DELETE n //",
        "é\n💶",
    ]
    for name in names:
        run_cypher(f"CREATE (n:{escape(name)} {{{escape(name)}: 1}})")
        (row,) = run_cypher("MATCH (n) WHERE labels(n) = [$name] RETURN keys(n) AS keys", name=name)
        assert row["keys"] == [name]
    (row,) = run_cypher("MATCH (n) RETURN count(n) AS nodes")
    assert row["nodes"] == len(names)


def test_an_integer_id_uses_its_index(graph: Graph, run_cypher: Any) -> None:
    run_cypher("CREATE INDEX person_uid IF NOT EXISTS FOR (n:Person) ON (n.uid)")
    run_cypher("UNWIND range(1, 3) AS n CREATE (:Person {uid: n})")
    try:
        text = query("chat_user", "a", MAPPINGS["movies"])
        with open_driver(graph.connection) as driver, driver.session() as session:
            plan = session.run(f"EXPLAIN {text}", user_id="2").consume().plan
            assert "NodeIndexSeek" in str(plan)
        for user_id, found in (("2", ["2"]), ("02", []), ("2.0", []), ("9" * 30, []), ("two", [])):
            rows = run_cypher(text, user_id=user_id)
            assert [row["user"] for row in rows] == found, user_id
    finally:
        run_cypher("DROP INDEX person_uid")
