import re
from pathlib import Path
from typing import Any

import pytest

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.cypher.queries import in_slot_b, query, splice_parts, statements, with_conditions
from kinfolio.errors import QueryNotFound

ROOT = Path(__file__).parents[2]
PARTS = sorted((ROOT / "cypher/statements/parts").glob("*.cypher"))


def header(name: str) -> tuple[str, list[str], list[str]]:
    """The sentence, the names of the parameters and those of the columns of a statement."""
    lines = []
    for line in statements()[name].read_text("utf-8").splitlines():
        if not line.startswith("//"):
            break
        lines.append(line.removeprefix("//").strip())
    found = re.fullmatch(r"(.*) parameters: (.*) columns: (.*)", " ".join(lines))
    assert found, name
    parameters, columns = (
        [part.split()[0] for part in names.split(",") if part.strip() != "none"]
        for names in (found[2], found[3])
    )
    return found[1], parameters, columns


def is_definition(name: str) -> bool:
    """Whether a statement defines an index or constraint: EXPLAIN does not take those."""
    return bool(re.match(r"(CYPHER 25\s+)?(CREATE|DROP)\b.*\b(INDEX|CONSTRAINT)", query(name)))


@pytest.mark.parametrize("name", statements())
def test_every_statement_has_a_header_that_names_its_parameters(name: str) -> None:
    sentence, parameters, columns = header(name)
    text = re.sub(r"'[^']*'|//.*", "", query(name))
    assert sentence.endswith(".")
    assert sorted(set(re.findall(r"\$(\w+)", text))) == sorted(parameters)
    assert len(columns) == len(set(columns))


def test_every_statement_is_named_in_the_code() -> None:
    rooms = ("cypher", "loaders", "gnn", "llm_explain", "api", "cli", "web")
    code = "".join(
        file.read_text("utf-8") for room in rooms for file in (ROOT / room).rglob("*.py")
    )
    assert [name for name in statements() if f'"{name}"' not in code] == []


@pytest.mark.usefixtures("vector_indexes")
@pytest.mark.parametrize("slot", ["a", "b"])
def test_the_server_plans_every_statement_with_the_columns_of_its_header(
    graph: Graph, slot: Any
) -> None:
    wrong = {}
    with open_driver(graph.connection) as driver, driver.session() as session:
        for name in statements():
            _, parameters, columns = header(name)
            if is_definition(name) or (slot == "b" and query(name, "b") == query(name)):
                continue
            text = re.sub(r"^(CYPHER \d+)?", r"\1 EXPLAIN ", query(name, slot), count=1)
            result = session.run(text, dict.fromkeys(parameters))
            if list(result.keys()) != columns:
                wrong[name] = (list(result.keys()), columns)
            result.consume()
    assert wrong == {}


@pytest.fixture
def vector_indexes(graph: Graph, run_cypher: Any) -> None:
    """The indexes without which a statement with SEARCH cannot even be planned."""
    for slot in "ab":
        run_cypher(
            f"CYPHER 25 CREATE VECTOR INDEX product_embedding_{slot} IF NOT EXISTS "
            f"FOR (p:Product) ON p.embedding_{slot} WITH [p.market_{slot}, p.open, p.risk] "
            "OPTIONS {indexConfig: {`vector.dimensions`: 6,"
            " `vector.similarity_function`: 'cosine'}}"
        )


def test_an_unknown_statement_is_reported_by_name() -> None:
    with pytest.raises(QueryNotFound, match="'no_such_statement'"):
        query("no_such_statement")


@pytest.mark.parametrize("name", ["../cypher/show_server", "rules", "parts/rules"])
def test_a_name_reaches_neither_other_folders_nor_parts(name: str) -> None:
    with pytest.raises(QueryNotFound):
        query(name)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.stem)
def test_every_part_has_a_sentence_and_is_included(part: Path) -> None:
    assert part.read_text("utf-8").startswith("// ")
    files = [*PARTS, *(ROOT / "cypher/statements").glob("*/*.cypher")]
    assert any(f"// include: {part.stem}\n" in file.read_text("utf-8") for file in files)


def test_the_built_in_rules_are_written_in_parts_only() -> None:
    files = (ROOT / "cypher/statements").glob("*/*.cypher")
    found = {file.parent.name for file in files if " IN p.countries" in file.read_text("utf-8")}
    assert found == {"parts"}


@pytest.mark.parametrize("name", statements())
def test_every_include_is_replaced(name: str) -> None:
    assert "include:" not in query(name)


def test_an_included_part_has_the_indentation_of_its_line() -> None:
    text = "// A sentence.\n// columns: none\nMATCH (n)\nWHERE\n  // include: rules\nRETURN n\n"
    assert "WHERE\n  coalesce(p.open, true) = true\n  AND (p.countries" in splice_parts(text)


def test_custom_rules_replace_the_line_own_rules() -> None:
    text = with_conditions("WHERE true\n// own rules\nRETURN p", ("p.x = 1 // one",))
    assert text == "WHERE true\nAND coalesce((\np.x = 1 // one\n) = true, false)\n\nRETURN p"


def test_the_text_for_slot_b_differs_in_the_slot_names_only() -> None:
    assert in_slot_b(
        "MATCH (p)-[s:SIMILAR_A]->(q {name: $key_a}) SET p.embedding_a = 'own_a', p.area = 1\n"
        "RETURN q.message_a AS message_a // of product_embedding_a"
    ) == (
        "MATCH (p)-[s:SIMILAR_B]->(q {name: $key_a}) SET p.embedding_b = 'own_b', p.area = 1\n"
        "RETURN q.message_b AS message_b // of product_embedding_b"
    )
