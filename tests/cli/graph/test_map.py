"""A graph with other names: all steps from `map init` to `map remove`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kinfolio.cypher.driver import open_driver
from kinfolio.records import Connection
from tests.conftest import Cli, drop_constraints, empty, environment_of, run_command
from tests.cypher.inspection.movies import NUM_MOVIES, NUM_PEOPLE, contents, make_movies

USER = "Viewer 003"
MATCH_PAIR = "MATCH (p:Person {name: $user})-[r:RATED]->(m:Movie) "


@pytest.fixture(scope="module")
def run_once(server: Connection) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Run any statement; for all tests of this file."""
    with open_driver(server) as driver:

        def run(text: str, /, **parameters: Any) -> list[dict[str, Any]]:
            with driver.session() as session:
                return session.run(text, parameters).data()

        yield run


@pytest.fixture(scope="module")
def answers(
    server: Connection,
    server_home: Path,
    run_once: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Any]]:
    """The answers of all steps on the movie graph, and the graph before them."""
    folder = tmp_path_factory.mktemp("movies")
    mapping, run = str(folder / "mapping.toml"), str(folder / "run")
    empty(server)
    drop_constraints(run_once)
    make_movies(run_once)
    before = contents(run_once)
    with pytest.MonkeyPatch.context() as patch:
        for variable, content in environment_of(server, server_home).items():
            patch.setenv(variable, content)
        patch.delenv("KINFOLIO_MAPPING", raising=False)

        def document(*arguments: str) -> Any:
            result = run_command(*arguments, "--json")
            assert result.exit_code == 0, (arguments, result.stderr)
            return json.loads(result.stdout)

        documents = {
            "init": document("map", "init", mapping),
            "check": document("map", "check", mapping),
            "unchanged": contents(run_once) == before,
            "export": document("export", "--run", run, "--mapping", mapping),
            "train": document(
                *("train", "--run", run, "--steps", "30", "--dim", "16", "--device", "cpu"),
                *("--tau", "0.3", "--text", "off"),
            ),
            "writeback": document("writeback", "--run", run, "--mapping", mapping),
            "before": before,
            "mapping": mapping,
        }
    yield documents
    empty(server)


@pytest.fixture
def mapped(cli: Cli, answers: dict[str, Any]) -> Callable[..., Any]:
    """Run a command with the mapping; return its JSON document."""

    def run(*arguments: str) -> Any:
        result = cli(*arguments, "--mapping", answers["mapping"], "--json")
        assert result.exit_code == 0, (arguments, result.stderr)
        return json.loads(result.stdout)

    return run


def test_the_mapping_of_the_movie_graph_is_guessed(answers: dict[str, Any]) -> None:
    assert answers["init"] == {
        "file": answers["mapping"],
        "users": "Person",
        "products": "Movie",
        "holdings": "RATED",
        "ties": "FOLLOWS",
        "reviews": "REVIEWED",
        "categories": "Genre",
        "dismissals": None,
    }
    assert answers["check"]["ok"]
    levels = {(line["section"], line["line"], line["level"]) for line in answers["check"]["lines"]}
    assert {level for *_, level in levels} == {"ok", "warning"}
    assert ("users", "id", "warning") in levels  # no index
    assert ("kinfolio", "type", "warning") in levels  # a type that kinfolio has too


def test_init_and_check_do_not_change_the_graph(answers: dict[str, Any]) -> None:
    assert answers["unchanged"]


def test_all_users_products_and_relationships_are_exported(
    answers: dict[str, Any], run_once: Callable[..., Any]
) -> None:
    (row,) = run_once(
        "RETURN COUNT { ()-[:RATED]->() } AS interactions, COUNT { ()-[:FOLLOWS]->() } AS ties, "
        "COUNT { ()-[:REVIEWED]->() } AS reviews"
    )
    exported = answers["export"]
    assert (exported["users"], exported["products"]) == (NUM_PEOPLE, NUM_MOVIES)
    assert {name: exported[name] for name in row} == row
    assert (answers["writeback"]["users"], answers["writeback"]["products"]) == (
        NUM_PEOPLE,
        NUM_MOVIES,
    )


def test_rated_movies_are_not_recommended(
    mapped: Callable[..., Any], run_once: Callable[..., Any]
) -> None:
    found = mapped("recommend", USER, "-k", "5")
    assert found["source"] == "stored"
    ids = [line["product"] for line in found["products"]]
    rated = run_once(MATCH_PAIR + "RETURN toString(m.movieId) AS id", user=USER)
    assert len(ids) == 5
    assert not {row["id"] for row in rated} & set(ids)
    titles = run_once(
        "UNWIND $ids AS id MATCH (m:Movie {movieId: toInteger(id)}) RETURN m.title AS t", ids=ids
    )
    assert [line["name"] for line in found["products"]] == [row["t"] for row in titles]


def test_contributions_sum_to_the_score_and_their_paths_exist(
    mapped: Callable[..., Any], run_once: Callable[..., Any]
) -> None:
    best = mapped("recommend", USER, "-k", "1")["products"][0]
    explanation = mapped("explain", USER, best["product"], "--model", "none", "--all-evidence")
    assert explanation["score"] == pytest.approx(best["score"], abs=1e-9)
    total = sum(piece["contribution"] for piece in explanation["evidence"])
    assert total == pytest.approx(explanation["score"], abs=1e-5)
    assert explanation["remainder"] == pytest.approx(0, abs=1e-5)
    assert best["name"] in explanation["text"]
    types = {step["type"] for piece in explanation["evidence"] for step in piece["path"][1::2]}
    assert {"RATED", "FOLLOWS"} <= types <= {"RATED", "FOLLOWS", "REVIEWED", "IN_GENRE"}
    for piece in explanation["evidence"]:
        assert path_exists(piece["path"], run_once), piece["path"]


def path_exists(path: list[dict[str, Any]], run: Callable[..., Any]) -> bool:
    """Return whether the graph has the path."""
    text = ""
    for place, step in enumerate(path):
        if "type" in step:
            left, right = ("", ">") if step["direction"] == "out" else ("<", "")
            text += f"{left}-[:{step['type']}]-{right}"
        else:
            key = {"Person": "name", "Movie": "movieId", "Genre": "name"}[step["label"]]
            text += f"(n{place}:{step['label']} "
            text += f"WHERE toString(n{place}.{key}) = '{step['id']}')" if "id" in step else ")"
    (row,) = run(f"RETURN EXISTS {{ MATCH {text} }} AS found")
    return bool(row["found"])


def test_other_users_in_a_path_are_not_named(mapped: Callable[..., Any]) -> None:
    best = mapped("recommend", USER, "-k", "1")["products"][0]
    explanation = mapped("explain", USER, best["product"], "--model", "none", "--all-evidence")
    named = {
        step["id"]
        for piece in explanation["evidence"]
        for step in piece["path"]
        if step.get("label") == "Person" and "id" in step
    }
    assert named == {USER}


def test_paths_are_printed_in_the_names_of_the_graph(cli: Cli, answers: dict[str, Any]) -> None:
    env = {"KINFOLIO_MAPPING": answers["mapping"]}
    best = json.loads(cli("recommend", USER, "-k", "1", "--json", env=env).stdout)["products"][0]
    shown = cli("explain", USER, best["product"], "--model", "none", "--all-evidence", env=env)
    assert "you -RATED-> 1" in shown.stdout
    assert "HOLDS" not in shown.stdout


def test_all_other_commands_apply_the_mapping(mapped: Callable[..., Any], tmp_path: Path) -> None:
    user = mapped("show", "user", USER)
    assert (user["label"], user["id"]) == ("Person", USER)
    movie = user["samples"]["holds"][0]["product"]
    refused = mapped("why-not", USER, movie)
    assert [rule["rule"] for rule in refused["rules"] if not rule["passed"]] == ["held"]
    assert refused["rank"] >= 1
    shown = mapped("show", "product", movie)
    assert shown["label"] == "Movie"
    assert shown["properties"]["tagline"]
    assert "movieId" not in shown["properties"]
    assert [version["state"] for version in mapped("versions", "list")["versions"]] == ["active"]
    assert len(mapped("similar", movie, "-k", "3")["products"]) == 3
    offered = mapped("audience", movie, "-k", "5")["users"]
    assert len(offered) == 5
    for one in offered:
        allowed = mapped("why-not", one["user"], movie)
        assert (allowed["allowed"], allowed["score"]) == (True, pytest.approx(one["score"]))
    lists = tmp_path / "lists.tsv"
    assert mapped("recommend", "--all", "--out", str(lists))["users"] == NUM_PEOPLE
    text = tmp_path / "letter.txt"
    text.write_text("It was seen by 9,999 people [1].")
    assert not mapped("check-text", USER, movie, str(text))["grounded"]


def test_every_command_that_reads_the_graph_has_the_option() -> None:
    from kinfolio.cli.main import COMMANDS, cli

    without = {"demo", "db", "load", "train", "evaluate", "report", "runs", "map", "route"}
    # `events report` and `token` read files of the home; `events add` has the option.
    without |= {"completion", "events", "token"}
    found = {name: cli.get_command(None, name) for name in COMMANDS}  # type: ignore[arg-type]
    options = {
        name
        for name, command in found.items()
        if command is not None
        and any("--mapping" in p.opts and not getattr(p, "hidden", False) for p in command.params)
    }
    assert options == set(COMMANDS) - without


def test_lists_are_stored_beside_relationships_of_the_same_type(
    mapped: Callable[..., Any], run_once: Callable[..., Any]
) -> None:
    for _ in range(2):
        mapped("recommend", "--all", "--materialise", "-k", "2")
        (row,) = run_once(
            "MATCH (:Person)-[r:RECOMMENDED]->(:Movie) "
            "RETURN count(r.version) AS stored, collect(r.by) AS others"
        )
        assert row == {"stored": 2 * NUM_PEOPLE, "others": ["a friend"]}


def test_an_unknown_id_is_a_one_sentence_error(cli: Cli, answers: dict[str, Any]) -> None:
    for arguments in (("recommend", "Viewer 0003"), ("explain", USER, "1e3", "--model", "none")):
        result = cli(*arguments, "--mapping", answers["mapping"])
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("kinfolio: there is no "), result.stderr


def test_load_and_demo_refuse_a_mapping(cli: Cli, answers: dict[str, Any], tmp_path: Path) -> None:
    for arguments, env in (
        (("load", str(tmp_path), "--mapping", answers["mapping"]), {}),
        (("load", str(tmp_path)), {"KINFOLIO_MAPPING": answers["mapping"]}),
        (("demo",), {"KINFOLIO_MAPPING": answers["mapping"]}),
    ):
        result = cli(*arguments, env=env)
        assert result.exit_code == 1
        assert "does not work with the mapping" in result.stderr


def test_an_existing_file_is_not_overwritten(
    cli: Cli, answers: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("# mine\n")
    result = cli("map", "init", str(file))
    assert (result.exit_code, file.read_text()) == (1, "# mine\n")
    assert "--force" in result.stderr
    assert cli("map", "init", str(file), "--force").exit_code == 0
    assert file.read_text() == Path(answers["mapping"]).read_text().replace(
        answers["mapping"], str(file)
    )


def test_remove_asks_for_confirmation(cli: Cli, answers: dict[str, Any]) -> None:
    result = cli("map", "remove", answers["mapping"], input="n\n")
    assert (result.exit_code, result.stderr.endswith("not confirmed; nothing was changed\n")) == (
        1,
        True,
    )
    assert json.loads(cli("versions", "--mapping", answers["mapping"], "--json").stdout)["versions"]


def test_remove_restores_the_graph(
    cli: Cli, answers: dict[str, Any], run_once: Callable[..., Any]
) -> None:
    assert contents(run_once) != answers["before"]
    removed = json.loads(cli("map", "remove", answers["mapping"], "--yes", "--json").stdout)
    assert (removed["users"], removed["products"], removed["versions"]) == (150, 60, 1)
    assert contents(run_once) == answers["before"]
    assert removed["lists"] > 0
    again = json.loads(cli("map", "remove", answers["mapping"], "--yes", "--json").stdout)
    assert (again["users"], again["products"], again["versions"], again["indexes"]) == (0, 0, 0, [])
