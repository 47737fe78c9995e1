import re
from pathlib import Path
from typing import Any

import pytest

import kinfolio.cypher
from kinfolio.cypher.graph import Graph, open_driver
from kinfolio.cypher.queries import query
from kinfolio.errors import QueryNotFound

FOLDER = Path(kinfolio.cypher.__file__).parent / "statements"
FILES = sorted(FOLDER.glob("*/*.cypher"))


def header(file: Path) -> tuple[str, list[str], list[str]]:
    """The sentence, the names of the parameters and those of the columns."""
    sentence: list[str] = []
    named: dict[str, list[str]] = {}
    current = None
    for line in file.read_text("utf-8").splitlines():
        if not line.startswith("//"):
            break
        text = line.removeprefix("//").strip()
        found = re.match(r"(parameters|columns):\s*(.*)", text)
        if found:
            current = found[1]
            named[current] = []
            text = found[2]
        if current is None:
            sentence.append(text)
        else:
            named[current] += [
                part.split()[0]
                for part in text.split(",")
                if part.strip() and part.strip() != "none"
            ]
    return " ".join(sentence), named["parameters"], named["columns"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_statement_has_a_header_that_names_its_parameters(file: Path) -> None:
    sentence, parameters, columns = header(file)
    text = re.sub(r"'[^']*'|//.*", "", query(file.stem))
    assert sentence.endswith(".")
    assert sorted(set(re.findall(r"\$(\w+)", text))) == sorted(parameters)
    assert len(columns) == len(set(columns))


@pytest.mark.server
@pytest.mark.parametrize("slot", ["a", "b"])
def test_every_statement_is_understood_and_gives_the_columns_of_its_header(
    graph: Graph, vector_indexes: None, slot: Any
) -> None:
    wrong = {}
    with open_driver(graph.connection) as driver, driver.session() as session:
        for file in FILES:
            _, parameters, columns = header(file)
            if re.match(r"(CYPHER 25\s+)?(CREATE|DROP)\b.*\b(INDEX|CONSTRAINT)", query(file.stem)):
                continue  # nothing to EXPLAIN: run by the tests of the schema and of write-back
            if slot == "b" and query(file.stem, "b") == query(file.stem, "a"):
                continue
            text = re.sub(r"^(CYPHER \d+)?", r"\1 EXPLAIN ", query(file.stem, slot), count=1)
            result = session.run(text, dict.fromkeys(parameters))
            if list(result.keys()) != columns:
                wrong[file.name] = (list(result.keys()), columns)
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


def test_an_unknown_statement_is_told_by_its_name() -> None:
    with pytest.raises(QueryNotFound, match="'no_such_statement'"):
        query("no_such_statement")


def test_a_name_cannot_lead_out_of_the_folder() -> None:
    with pytest.raises(QueryNotFound):
        query("../cypher/show_server")


def test_the_text_for_slot_b_differs_in_the_slot_names_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kinfolio.cypher import queries

    (tmp_path / "both.cypher").write_text(
        "// A sentence.\n// parameters: key_a STRING\n// columns: message_a LIST\n"
        "MATCH (p)-[s:SIMILAR_A]->(q {name: $key_a}) SET p.embedding_a = 'own_a', p.area = 1\n"
        "RETURN q.message_a AS message_a // of product_embedding_a\n"
    )
    monkeypatch.setattr(queries, "files", lambda _: tmp_path)
    assert queries.query.__wrapped__("both", "b") == (
        "MATCH (p)-[s:SIMILAR_B]->(q {name: $key_a}) SET p.embedding_b = 'own_b', p.area = 1\n"
        "RETURN q.message_b AS message_b // of product_embedding_b"
    )
    assert "SIMILAR_A" in queries.query.__wrapped__("both", "a")
