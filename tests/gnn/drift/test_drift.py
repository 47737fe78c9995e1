"""Drift of a graph of two tastes since its training."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady, RunBroken
from kinfolio.gnn.drift.config import DriftConfig
from kinfolio.gnn.drift.drift import drift
from kinfolio.gnn.drift.monitor import DriftMonitor
from kinfolio.gnn.drift.records import DriftReport, Measure
from kinfolio.gnn.new_products.adding import add_new_products
from kinfolio.gnn.publishing.health import check_graph
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.gnn.serving.what_if import what_if
from kinfolio.gnn.training.train import read_embeddings, train
from kinfolio.loaders import export, load
from kinfolio.records import Connection
from kinfolio.run import Run
from tests.conftest import Cli, RunCypher, empty
from tests.gnn.trained import SMALL, Words

USERS, HALF, HELD = 200, 30, 6
Pairs = Iterable[tuple[str, str]]


def write_files(folder: Path) -> Path:
    """Users of two tastes, each holding products of their half; low numbers are popular."""
    rng = np.random.default_rng(5)
    folder.mkdir(parents=True, exist_ok=True)
    weights = 1 / np.arange(1, HALF + 1)
    rows = ["user\tproduct\ttimestamp"]
    for user in range(USERS):
        chosen = rng.choice(HALF, HELD, replace=False, p=weights / weights.sum())
        rows += [
            f"u{user:03}\tp{HALF * (user % 2) + int(product):02}\t2024-0{month % 9 + 1}-01"
            for month, product in enumerate(chosen)
        ]
    (folder / "interactions.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    products = ["product,name,category,text"]
    for product in range(2 * HALF):
        taste = "odd" if product >= HALF else "even"
        products.append(f"p{product:02},Fund {product:02},{taste},{taste} number{product} of funds")
    (folder / "products.csv").write_text("\n".join(products) + "\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(server: Connection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `files` and `run`."""
    folder = tmp_path_factory.mktemp("drift")
    write_files(folder / "files")
    empty(server)
    run = Run(folder / "run")
    with Graph(server) as opened:
        load(opened, folder / "files")
        export(opened, run.snapshot)
    train(run, SMALL, cache=folder / "texts", load=Words)
    return folder


@pytest.fixture
def served(graph: Graph, trained: Path) -> Graph:
    """The graph of the training with its model."""
    load(graph, trained / "files")
    write_back(graph, read_embeddings(Run(trained / "run")), name="one")
    return graph


@pytest.fixture
def hold(run_cypher: RunCypher) -> Callable[..., None]:
    """`hold(pairs, at=...)`: add holdings."""

    def add(pairs: Pairs, at: int | None = None) -> None:
        run_cypher(
            "UNWIND $rows AS row MATCH (u:User {id: row[0]}), (p:Product {id: row[1]}) "
            "CREATE (u)-[:HOLDS {at: $at}]->(p)",
            rows=[list(pair) for pair in pairs],
            at=at,
        )

    return add


def measured(graph: Graph, tmp_path: Path, **settings: Any) -> DriftReport:
    values = {"min_people": 5, **settings}
    config = DriftConfig(**{k: v for k, v in values.items() if k != "min_people"})
    return drift(graph, tmp_path / "t", config, min_people=values["min_people"], load=Words)


def named(report: DriftReport, name: str) -> Measure:
    return next(one for one in report.measures if one.name == name)


def free(run_cypher: RunCypher, users: Iterable[int]) -> dict[str, list[str]]:
    """Products of their taste that some users do not hold, in the order of their ids."""
    rows = run_cypher("MATCH (u:User)-[:HOLDS]->(p:Product) RETURN u.id AS u, collect(p.id) AS p")
    held = {row["u"]: set(row["p"]) for row in rows}
    return {
        f"u{user:03}": [
            product
            for product in (f"p{HALF * (user % 2) + n:02}" for n in range(HALF))
            if product not in held[f"u{user:03}"]
        ]
        for user in users
    }


def test_an_unchanged_graph_is_steady(served: Graph, tmp_path: Path) -> None:
    report = measured(served, tmp_path)
    assert report.verdict == "steady"
    assert {one.name: one.value for one in report.measures} == {
        "new_users": 0,
        "new_products": 0,
        "new_holdings": 0,
        "lost_holdings": 0,
        "holdings_per_user": 0,
        "popularity": 0,
        "categories": 0,
        "texts": 0,
    }
    assert report.quality is None
    assert report.notes == ("quality: no users have new holdings",)
    assert report.moved == ()


def test_popularity_that_turns_around_has_moved(
    served: Graph, tmp_path: Path, run_cypher: RunCypher, hold: Callable[..., None]
) -> None:
    new = [
        (user, products[-1 - n])
        for user, products in free(run_cypher, range(USERS)).items()
        for n in range(3)
    ]
    hold(new)
    report = measured(served, tmp_path)
    assert report.verdict == "retrain"
    popularity = named(report, "popularity_of_new_holdings")
    assert popularity.value is not None
    assert popularity.chance is not None
    assert popularity.value > 1 > popularity.chance
    assert popularity.verdict == "retrain"
    groups = named(report, "popularity").groups
    first, last = groups[0], groups[-1]
    assert (first.now or 0) < (first.then or 0)
    assert (last.now or 0) > (last.then or 0)
    assert named(report, "new_holdings").value == pytest.approx(3 / (HELD + 3), abs=1e-4)
    assert named(report, "holdings_per_user").verdict == "retrain"
    assert named(report, "categories").verdict == "steady"


def test_holdings_that_are_gone_are_counted(
    served: Graph, tmp_path: Path, run_cypher: RunCypher
) -> None:
    run_cypher("MATCH (u:User)-[h:HOLDS]->(:Product {id: 'p00'}) DELETE h")
    gone = run_cypher(
        "MATCH (p:Product {id: 'p30'}) WITH p, COUNT { (p)<-[:HOLDS]-() } AS n "
        "DETACH DELETE p RETURN n"
    )[0]["n"]
    report = measured(served, tmp_path)
    held = run_cypher("MATCH (:User)-[h:HOLDS]->() RETURN count(h) AS n")[0]["n"]
    lost = named(report, "lost_holdings")
    assert lost.detail == f"{USERS * HELD - held:,} of {USERS * HELD:,} holdings of the training"
    assert USERS * HELD - held > gone > 0
    assert named(report, "new_holdings").value == 0
    assert report.quality is None


def test_more_of_the_same_is_not_moved_by_chance(
    served: Graph, tmp_path: Path, run_cypher: RunCypher, hold: Callable[..., None]
) -> None:
    rng = np.random.default_rng(0)
    new = []
    for user, products in free(run_cypher, range(50)).items():
        weights = np.array([1 / (int(one[1:]) % HALF + 1) for one in products])
        new.append((user, str(rng.choice(products, p=weights / weights.sum()))))
    hold(new)
    report = measured(served, tmp_path)
    assert {one.verdict for one in report.measures if one.kind == "psi"} == {"steady"}


def test_categories_that_nobody_held_before_have_moved(
    served: Graph, tmp_path: Path, hold: Callable[..., None], run_cypher: RunCypher
) -> None:
    run_cypher(
        "CREATE (c:Category {name: 'coins'}) WITH c UNWIND range(0, 4) AS n "
        "CREATE (p:Product {id: 'c' + n, gid: 100 + n})-[:IN_CATEGORY]->(c)"
    )
    hold((f"u{user:03}", f"c{user % 5}") for user in range(0, USERS, 2))
    report = measured(served, tmp_path)
    categories = named(report, "categories_of_new_holdings")
    assert categories.verdict == "retrain"
    assert {one.name: one.now for one in categories.groups}["coins"] == 1
    assert named(report, "new_products").value == pytest.approx(5 / (2 * HALF + 5), abs=1e-4)
    # Products without a vector are on no list.
    assert report.quality is not None
    assert report.quality.recall.value == 0


def test_holdings_that_the_lists_foresaw_score_high_and_others_low(
    served: Graph, tmp_path: Path, hold: Callable[..., None], run_cypher: RunCypher
) -> None:
    users = [f"u{user:03}" for user in range(40)]
    hold((user, recommend(served, user, 3).products[2].product) for user in users)
    good = measured(served, tmp_path).quality
    assert good is not None
    assert (good.users, good.holdings) == (40, 40)
    assert good.recall.value == 1
    assert good.mrr.value == pytest.approx(1 / 3)
    assert good.recall.low > 0.8
    assert good.verdict == "steady"
    run_cypher("MATCH (:User)-[h:HOLDS]->() WHERE h.at IS NULL DELETE h")
    hold((user, recommend(served, user, 50).products[-1].product) for user in users)
    bad = measured(served, tmp_path).quality
    assert bad is not None
    assert bad.recall.value == 0
    assert bad.recall.high < 0.1
    assert bad.verdict == "retrain"
    assert bad.recall_at_training == read_recall(served)


def read_recall(graph: Graph) -> float:
    metrics: dict[str, Any] = json.loads(graph.read("version_list")[0]["version"]["metrics"])
    return float(metrics["valid"]["recall@20"])


def test_each_list_is_that_of_a_user_without_the_holding_and_later_ones(
    served: Graph, tmp_path: Path, hold: Callable[..., None], run_cypher: RunCypher
) -> None:
    wanted = free(run_cypher, range(10))
    late = 1_900_000_000_000
    hold(((user, products[4]) for user, products in wanted.items()), late)
    hold(((user, products[9]) for user, products in wanted.items()), late + 1)
    found = measured(served, tmp_path).quality
    ranks = []
    for user, products in wanted.items():
        for without in ([products[4], products[9]], [products[9]]):
            listed = what_if(served, user, without=without, k=1_000).products
            ranks.append(next(one.rank for one in listed if one.product == without[0]))
    assert found is not None
    assert (found.users, found.holdings) == (10, 20)
    assert found.mrr.value == pytest.approx(np.mean(1 / np.array(ranks)))
    assert found.recall.value == pytest.approx(np.mean(np.array(ranks) <= 20))


def test_popularity_is_that_of_the_training(
    served: Graph, tmp_path: Path, hold: Callable[..., None], run_cypher: RunCypher
) -> None:
    rows = run_cypher("MATCH (p:Product) RETURN p.id AS p, COUNT { (p)<-[:HOLDS]-() } AS n")
    holders = {row["p"]: row["n"] for row in rows}
    wanted = free(run_cypher, range(12))
    hold((user, products[3]) for user, products in wanted.items())
    found = measured(served, tmp_path).quality
    hits = []
    for user, products in wanted.items():
        rest = run_cypher(
            "MATCH (p:Product) WHERE NOT EXISTS { (:User {id: $u})-[:HOLDS]->(p) } OR p.id = $p "
            "RETURN p.id AS p",
            u=user,
            p=products[3],
        )
        mine = holders[products[3]]
        better = sum(holders[row["p"]] > mine for row in rest)
        equal = sum(holders[row["p"]] == mine for row in rest) - 1
        hits.append(1 + better + equal / 2 <= 20)
    assert found is not None
    assert found.popularity.value == pytest.approx(np.mean(hits))
    assert found.gain.value == pytest.approx(found.recall.value - found.popularity.value)


def test_of_many_new_holdings_a_sample_is_ranked_and_the_notes_say_so(
    served: Graph, tmp_path: Path, hold: Callable[..., None], run_cypher: RunCypher
) -> None:
    wanted = free(run_cypher, range(20))
    hold(
        ((user, product) for user, products in wanted.items() for product in products[:4]),
        1_900_000_000_000,
    )
    report = measured(served, tmp_path, users=15, holdings=2)
    assert report.quality is not None
    assert (report.quality.users, report.quality.holdings) == (15, 30)
    assert report.notes == (
        "quality: a sample of 15 of the 20 users who changed",
        "quality: of 15 users with more than 2 new holdings as many were drawn",
    )
    assert measured(served, tmp_path, users=15, holdings=2).quality == report.quality


def test_numbers_about_few_people_are_withheld(
    served: Graph, tmp_path: Path, hold: Callable[..., None], run_cypher: RunCypher
) -> None:
    run_cypher("CREATE (:User {id: 'late', gid: 900})")
    wanted = free(run_cypher, range(3))
    hold((user, products[0]) for user, products in wanted.items())
    report = measured(served, tmp_path)
    assert named(report, "new_users").value is None
    assert named(report, "new_users").detail == "a few of 201 users"
    for name in ("new_holdings", "popularity_of_new_holdings"):
        assert named(report, name).value is None, name
    assert named(report, "popularity_of_new_holdings").groups == ()
    assert report.quality is None
    assert report.notes == ("quality: too few users have new holdings",)
    told = measured(served, tmp_path, min_people=1)
    assert named(told, "new_users").value == pytest.approx(1 / 201, abs=1e-4)
    assert told.quality is not None
    assert told.quality.users == 3


def test_groups_of_few_people_have_no_shares(
    served: Graph, tmp_path: Path, run_cypher: RunCypher
) -> None:
    run_cypher(
        "MATCH (p:Product)<-[h:HOLDS]-() WITH p, count(h) AS n WHERE n < 5 "
        "WITH p LIMIT 1 MATCH (p)-[c:IN_CATEGORY]->() DELETE c SET p.kind = 'rare'"
    )
    groups = {one.name: one for one in named(measured(served, tmp_path), "categories").groups}
    assert (groups["rare"].then, groups["rare"].now) == (None, None)
    assert groups["odd"].then is not None


def test_new_texts_of_another_kind_move_the_mean(
    served: Graph, trained: Path, tmp_path: Path, run_cypher: RunCypher
) -> None:
    for number in range(20):
        taste = ("even", "odd")[number % 2]
        run_cypher(
            "MATCH (c:Category {name: $taste}) CREATE (:Product {id: $id, gid: $gid, name: $name, "
            "text: $taste + ' number' + $gid + ' of funds'})-[:IN_CATEGORY]->(c)",
            id=f"x{number}",
            gid=500 + number,
            name=f"Fund {500 + number}",
            taste=taste,
        )
    add_new_products(served, tmp_path / "t", load=Words)
    alike = named(measured(served, tmp_path), "texts")
    run_cypher("MATCH (p:Product) WHERE p.id STARTS WITH 'x' SET p.text = 'zebra zoo'")
    other = named(measured(served, tmp_path), "texts")
    assert alike.detail.startswith("20 of 80 texts are new or changed")
    assert alike.value is not None
    assert other.value is not None
    assert 3 * alike.value < other.value
    assert (alike.verdict, other.verdict != "steady") == ("steady", True)


def test_a_version_of_before_and_a_damaged_one_say_what_to_type(
    served: Graph, tmp_path: Path, run_cypher: RunCypher
) -> None:
    run_cypher("MATCH (v:EmbeddingVersion) SET v.reference = null")
    with pytest.raises(NotReady, match=r"does not store the distributions .* kinfolio writeback"):
        measured(served, tmp_path)
    check = next(one for one in check_graph(served) if one.name == "drift")
    assert check.ok
    assert "does not store" in check.detail
    run_cypher("MATCH (v:EmbeddingVersion) SET v.reference = v.recipe")
    with pytest.raises(RunBroken, match="damaged"):
        measured(served, tmp_path)
    run_cypher("MATCH (v:EmbeddingVersion) DELETE v")
    with pytest.raises(NotReady, match="no version serves"):
        measured(served, tmp_path)


def test_the_doctor_names_what_moved_and_the_cure(
    served: Graph, hold: Callable[..., None], run_cypher: RunCypher
) -> None:
    def check() -> tuple[bool, str, str | None]:
        found = next(one for one in check_graph(served) if one.name == "drift")
        return found.ok, found.detail, found.cure

    assert check() == (True, "steady", None)
    hold((user, products[-1]) for user, products in free(run_cypher, range(USERS)).items())
    is_ok, detail, cure = check()
    assert not is_ok
    assert "popularity of new holdings" in detail
    assert cure == "type: kinfolio refresh"


def test_the_command_prints_a_table_and_one_document(
    cli: Cli, served: Graph, hold: Callable[..., None], run_cypher: RunCypher
) -> None:
    hold((user, products[2]) for user, products in free(run_cypher, range(30)).items())
    found = json.loads(cli("drift", "--json").stdout)
    assert list(found) == [
        *("version", "written", "verdict", "measures", "quality", "notes", "seconds")
    ]
    assert found["version"] == "one"
    assert list(found["measures"][0]) == [
        *("name", "kind", "value", "chance", "distance", "verdict", "detail", "groups")
    ]
    assert list(found["quality"]) == [
        *("users", "holdings", "recall", "mrr", "recall_at_training", "popularity", "gain"),
        "verdict",
    ]
    assert found["quality"]["users"] == 30
    text = cli("drift").stdout
    assert text.startswith("version one, written ")
    assert "new holdings\t2.4%" in text
    assert "30 holdings of 30 users" in text
    strict = json.loads(cli("drift", "--json", "--moved-at", "0.01").stdout)
    verdicts = {one["name"]: one["verdict"] for one in strict["measures"]}
    assert verdicts["new_holdings"] == "moved"
    wrong = cli("drift", "--moved-at", "0.5")
    assert wrong.exit_code == 1
    assert "--moved-at is 0.5 and --retrain-at is 0.25" in wrong.stderr


def test_a_graph_of_other_names_is_measured(
    movies: Graph, tmp_path: Path, run_cypher: RunCypher
) -> None:
    run = Run(tmp_path / "run")
    export(movies, run.snapshot)
    train(run, SMALL, cache=tmp_path / "texts", load=Words)
    write_back(movies, read_embeddings(run), name="one")
    report = measured(movies, tmp_path, min_people=1)
    assert {one.value for one in report.measures} == {0}
    listed = recommend(movies, "Viewer 003", 1).products[0].product
    run_cypher(
        "MATCH (v:Person {name: 'Viewer 003'}), (m:Movie {movieId: toInteger($id)}) "
        "CREATE (v)-[:RATED {rating: 5.0}]->(m)",
        id=listed,
    )
    found = measured(movies, tmp_path, min_people=1).quality
    assert found is not None
    assert found.mrr.value == 1


def test_a_server_measures_again_only_after_a_change(
    served: Graph, hold: Callable[..., None], run_cypher: RunCypher
) -> None:
    monitor = DriftMonitor(served, 5, every=0.0)

    def wait() -> DriftReport | None:
        monitor.wait()
        return monitor.latest().report

    assert monitor.latest().report is None
    first = wait()
    assert first is not None
    assert wait() is first
    hold((user, products[2]) for user, products in free(run_cypher, range(30)).items())
    monitor.latest()
    changed = wait()
    assert changed is not first
    run_cypher("MATCH (v:EmbeddingVersion) SET v.state = 'ready'")
    monitor.latest()
    assert wait() is None
    assert "no version serves" in monitor.latest().problem
    monitor.stop()  # a measurement began with the last question
