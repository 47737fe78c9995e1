"""No command prints what a terminal obeys, whatever the graph or the command line contains."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.json_text import UNSAFE
from tests.cli.test_terminal import CLIPBOARD, HOSTILE
from tests.conftest import Cli, RunCypher
from tests.llm_explain.community import store


def is_safe(printed: str) -> bool:
    return not UNSAFE.search(printed.replace("\n", "").replace("\t", ""))


@pytest.fixture(scope="module")
def hostile_graph(
    shared_graph: Graph, run_module_cypher: RunCypher, module_ids: tuple[str, str]
) -> Graph:
    """The community of the explanations, with names that a terminal would obey."""
    write_back(shared_graph, store(run_module_cypher))
    user, product = module_ids
    run_module_cypher(
        "MATCH (p:Product) SET p.name = $name + p.gid, p.kind = $name, p.text = $name "
        "WITH DISTINCT 1 AS one MATCH (u:User) SET u.name = $name, u.country = $name "
        "WITH DISTINCT 1 AS one MATCH (c:Category) SET c.name = $name + c.name "
        "WITH DISTINCT 1 AS one MATCH (u:User {id: 'people'}), (p:Product {id: 'p0'}) "
        "SET u.id = $user, p.id = $product, u[$name] = $name",
        name=HOSTILE,
        user=user,
        product=product,
    )
    return shared_graph


@pytest.fixture(scope="module")
def module_ids() -> tuple[str, str]:
    return f"u{CLIPBOARD}", f"p\u202e{CLIPBOARD}"


def test_no_command_prints_what_a_terminal_obeys(
    hostile_graph: Graph, module_ids: tuple[str, str], cli: Cli
) -> None:
    user, product = module_ids
    none = ("--model", "none")
    for arguments in (
        ("recommend", user),
        ("recommend", HOSTILE),
        ("recommend", user, "-k", HOSTILE),
        (HOSTILE,),
        ("similar", product),
        ("show", "user", user),
        ("show", "product", product),
        ("why-not", user, product),
        ("explain", user, product, *none),
        ("explain", user, product, *none, "--all-evidence"),
        ("check-text", user, product, f"no file{CLIPBOARD}"),
        ("load", f"no folder{CLIPBOARD}"),
        ("export", "--mapping", f"no file{CLIPBOARD}"),
        ("versions", "drop", HOSTILE),
        ("chat", user, *none),
    ):
        lines = f"what do you recommend?\nwhy {product}?\nwhat do you know about me?\n"
        result = cli(*arguments, input=lines)
        assert result.stdout or result.stderr
        assert is_safe(result.stdout + result.stderr), arguments
        assert "\nkinfolio: a second line" not in result.stdout, arguments
    for command, key in (("recommend", "user"), ("show", "id"), ("why-not", "user")):
        arguments = {"show": ("user", user), "why-not": (user, product)}.get(command, (user,))
        document = cli(command, *arguments, "--json").stdout
        assert is_safe(document), command
        assert json.loads(document)[key] == user


def test_cells_that_a_spreadsheet_would_run_begin_with_an_apostrophe_on_request(
    hostile_graph: Graph, run_module_cypher: RunCypher, cli: Cli, tmp_path: Path
) -> None:
    formulas = ["=cmd|' /C calc'!A0", "@SUM(1)", "+1+1", "-2-3", "\t=1", "\u202e=1", "55"]
    run_module_cypher(
        "UNWIND range(0, size($ids) - 1) AS n MATCH (u:User {gid: 20 + n}) SET u.id = $ids[n]",
        ids=formulas,
    )
    plain, safe = tmp_path / "plain.tsv", tmp_path / "safe.tsv"
    assert cli("recommend", "--all", "--out", str(plain)).exit_code == 0
    result = cli("recommend", "--all", "--out", str(safe), "--spreadsheet-safe")
    assert result.exit_code == 0, result.stderr

    def users(file: Path) -> set[str]:
        return {line.split("\t")[0] for line in file.read_text("utf-8").splitlines()}

    assert {*formulas[:4], "\\t=1", "55"} <= users(plain)
    assert {*(f"'{one}" for one in (*formulas[:4], "\\t=1")), "55"} <= users(safe)
    assert not any(re.match(r"[=+@-]", cell) for cell in users(safe))
    scores = [line.rsplit("\t", 1)[1] for line in safe.read_text("utf-8").splitlines()[1:]]
    assert scores == [line.rsplit("\t", 1)[1] for line in plain.read_text("utf-8").splitlines()[1:]]
    assert cli("recommend", "bond", "--spreadsheet-safe").exit_code == 2
