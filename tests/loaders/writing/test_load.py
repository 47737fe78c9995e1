"""Loading files into a real graph: once, twice, in parts, and interrupted."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kinfolio.cypher.graph import Graph, Reads
from kinfolio.cypher.graph_hash import graph_hash
from kinfolio.errors import BadInput, ServerUnreachable
from kinfolio.loaders import load, write_community
from kinfolio.loaders.reading.meaning import Meaning
from kinfolio.records import Connection

RunCypher = Callable[..., list[dict[str, Any]]]


def put(folder: Path, **files: str) -> Path:
    """Write files to a folder; the name `users_csv` means `users.csv`."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, "utf-8")
    return folder


def everything(run_cypher: RunCypher) -> list[dict[str, Any]]:
    """Return all nodes and relationships, in an order independent of loading."""
    return run_cypher(
        """
        MATCH (n) WHERE NOT n:LoadRecord OPTIONAL MATCH (n)-[r]->(m)
        RETURN labels(n) AS labels, n{.*, changed: null} AS node, type(r) AS type,
               properties(r) AS edge, labels(m) AS to, coalesce(m.id, m.name) AS id
        ORDER BY labels, coalesce(n.id, n.name), type, to, id, r.kind
        """
    )


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """A folder with every table."""
    return put(
        tmp_path / "wide",
        users_csv="user,name,country,risk_tolerance,segment\nu1,Kim,DE,4,saver\nu2,,,,\n",
        products_jsonl='{"product": "A", "name": "Amber", "kind": "fund", "category": "Bonds", '
        '"sector": "Public", "text": "Pays.", "open": true, "risk": 2, "countries": ["DE", "AT"], '
        '"fee": 0.5}\n{"product": "B"}\n',
        interactions_tsv="user\tproduct\trating\ttimestamp\tweight\tsplit\tchannel\n"
        "u1\tA\t4.5\t2024-01-01\t2\ttrain\tapp\nu3\tC\t\t\t\t\t\n",
        reviews_csv="review,user,product,timestamp,rating,text,split\n"
        'r1,u4,D,2024-01-02,5,"Good, ""really"".",test\n',
        ties_tsv="source\ttarget\tkind\ttimestamp\tsplit\n"
        "u1\tu2\tfriend\t2024-01-03\ttrain\nu1\tu2\t\t\t\nu1\tu2\tfamily\t\t\n",
    )


def test_every_standard_column_is_stored_under_its_property(
    graph: Graph, run_cypher: RunCypher, wide: Path
) -> None:
    report = load(graph, wide)
    assert (report.users, report.products, report.interactions) == (4, 4, 2)
    assert (report.ties, report.reviews, report.rejected) == (3, 1, ())
    users = run_cypher("MATCH (u:User) RETURN u{.*, changed: null} AS u ORDER BY u.gid")
    assert [row["u"] for row in users] == [
        {
            "id": "u1",
            "gid": 0,
            "name": "Kim",
            "country": "DE",
            "risk_tolerance": 4,
            "segment": "saver",
            "changed": None,
        },
        {"id": "u2", "gid": 1, "changed": None},
        {"id": "u3", "gid": 2, "changed": None},
        {"id": "u4", "gid": 3, "changed": None},
    ]
    products = run_cypher(
        "MATCH (p:Product) OPTIONAL MATCH (p)-[:IN_CATEGORY]->(c:Category) "
        "RETURN p{.*, changed: null} AS p, c.name AS c ORDER BY p.gid"
    )
    assert products[0] == {
        "p": {
            "id": "A",
            "gid": 0,
            "name": "Amber",
            "kind": "fund",
            "sector": "Public",
            "text": "Pays.",
            "open": True,
            "risk": 2,
            "countries": ["DE", "AT"],
            "fee": 0.5,
            "changed": None,
        },
        "c": "Bonds",
    }
    assert [row["p"]["id"] for row in products] == ["A", "B", "C", "D"]
    holdings = run_cypher(
        "MATCH (u)-[h:HOLDS]->(p) RETURN u.id AS u, p.id AS p, properties(h) AS h ORDER BY u"
    )
    day = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1_000)
    assert holdings == [
        {
            "u": "u1",
            "p": "A",
            "h": {"rating": 4.5, "at": day, "weight": 2.0, "split": "train", "channel": "app"},
        },
        {"u": "u3", "p": "C", "h": {}},
    ]
    reviews = run_cypher(
        "MATCH (u)-[:WROTE]->(r:Review)-[:ABOUT]->(p) RETURN u.id AS u, p.id AS p, r{.*} AS r"
    )
    assert reviews == [
        {
            "u": "u4",
            "p": "D",
            "r": {
                "id": "r1",
                "text": 'Good, "really".',
                "rating": 5.0,
                "at": day + 86_400_000,
                "split": "test",
            },
        }
    ]
    ties = run_cypher("MATCH (:User)-[t:TIED_TO]->() RETURN properties(t) AS t ORDER BY t.kind")
    assert [row["t"] for row in ties] == [
        {"kind": "family"},
        {"kind": "friend", "at": day + 2 * 86_400_000, "split": "train"},
        {},
    ]


def test_loading_twice_changes_nothing(graph: Graph, run_cypher: RunCypher, wide: Path) -> None:
    first = load(graph, wide)
    before = everything(run_cypher)
    second = load(graph, wide)
    assert everything(run_cypher) == before
    assert (first.users, first.ties) == (second.users, second.ties)


class FailingGraph(Graph):
    """A graph whose server becomes unreachable after some batches; the last reply is lost."""

    def __init__(self, connection: Connection, batches: int) -> None:
        super().__init__(connection)
        self._left = batches

    def write_in_one(self, name: str, work: Callable[[Reads], Any], /) -> Any:
        found = super().write_in_one(name, work)
        self._left -= 1
        if self._left < 0:
            raise ServerUnreachable("nothing answers at bolt://127.0.0.1:1")
        return found


class RetryingGraph(Graph):
    """A graph where every batch is retried, as when the reply to its commit is lost."""

    def write_in_one(self, name: str, work: Callable[[Reads], Any], /) -> Any:
        super().write_in_one(name, work)
        return super().write_in_one(name, work)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, size in (("edges", "BATCH_ROWS"), ("nodes", "BATCH_NODES")):
        monkeypatch.setattr(sys.modules[f"kinfolio.loaders.writing.{module}"], size, 100)


@pytest.mark.usefixtures("small_batches")
def test_an_interrupted_load_is_resumed_by_the_same_command(
    graph: Graph, run_cypher: RunCypher, tmp_path: Path
) -> None:
    community = tmp_path / "small"
    write_community(community, num_users=150, num_products=40)
    load(graph, community)
    whole, before = everything(run_cypher), graph_hash(graph)
    run_cypher("MATCH (n) DETACH DELETE n")
    for batches in (0, 1, 4, 8):
        with (
            FailingGraph(graph.connection, batches) as failing,
            pytest.raises(
                ServerUnreachable,
                match=r"a part of .* (may be|is) in the graph; to resume, type: kinfolio load ",
            ),
        ):
            load(failing, community)
        assert graph_hash(graph) != before
    load(graph, community)
    assert everything(run_cypher) == whole
    assert graph_hash(graph) == before


@pytest.mark.usefixtures("small_batches")
def test_a_batch_retried_after_its_commit_creates_no_duplicates(
    graph: Graph, run_cypher: RunCypher, wide: Path, tmp_path: Path
) -> None:
    community = tmp_path / "small"
    write_community(community, num_users=150, num_products=40)
    for folder in (community, wide):
        run_cypher("MATCH (n) DETACH DELETE n")
        load(graph, folder)
        once = everything(run_cypher)
        run_cypher("MATCH (n) DETACH DELETE n")
        with RetryingGraph(graph.connection) as twice:
            load(twice, folder)
        assert everything(run_cypher) == once


def test_of_two_concurrent_loads_one_waits_for_the_other(
    graph: Graph, run_cypher: RunCypher, community: Path
) -> None:
    load(graph, put(community.parent / "seed", interactions_tsv="user\tproduct\nu1\tA\n"))
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(load, graph, community) for _ in range(2)]:
            done.result()
    load(graph, community)
    doubled = "MATCH (u)-[r:HOLDS|TIED_TO|WROTE|ABOUT]->(v) WITH u, v, type(r) AS t, r.kind AS k, "
    assert run_cypher(f"{doubled} count(*) AS n WHERE n > 1 RETURN count(*) AS n") == [{"n": 0}]


def test_a_load_says_that_it_waits_for_another_one(graph: Graph, tmp_path: Path) -> None:
    folder = put(tmp_path / "in", interactions_tsv="user\tproduct\nu1\tA\n")
    waits = Event()

    def progress(step: str, done: int, total: int) -> None:
        if step == "waiting for another load to end":
            waits.set()

    with ThreadPoolExecutor(1) as pool:
        with graph.hold("load_lock", on_wait=lambda: None):
            pending = pool.submit(load, graph, folder, progress=progress)
            assert waits.wait(60)
            assert graph.read("load_counts")[0]["nodes"] == 0
        assert pending.result().users == 1
    assert graph.read("load_counts")[0]["nodes"] == 3  # a user, a product, the record of the load


def test_a_load_that_wrote_nothing_says_so_and_names_the_whole_command(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put(tmp_path / "my data", interactions_tsv="user\tproduct\trating\nu1\tA\t5\n")

    def fail(*_: object, **__: object) -> None:
        raise ServerUnreachable("nothing answers")

    monkeypatch.setattr(Graph, "schema", fail)
    rejects = tmp_path / "no"
    with pytest.raises(ServerUnreachable) as caught:
        load(
            graph,
            folder,
            rejects_file=rejects,
            replace=lambda _, __: None,
            meaning=Meaning(least_rating=4),
        )
    assert str(caught.value) == (
        f"nothing answers; nothing of {folder} is in the graph; to resume, type: "
        f"kinfolio load --replace --least-rating 4 --rejects {rejects} '{folder}'"
    )


def test_an_invalid_file_does_not_change_the_graph(
    graph: Graph, run_cypher: RunCypher, wide: Path
) -> None:
    content = (wide / "ties.tsv").read_text()
    (wide / "ties.tsv").write_text(content.replace("target", "aim"))
    with pytest.raises(BadInput, match="has no column 'target'"):
        load(graph, wide)
    assert run_cypher("MATCH (n) RETURN count(*) AS n") == [{"n": 0}]


def test_new_users_and_products_get_the_next_row_numbers(
    graph: Graph, run_cypher: RunCypher, tmp_path: Path
) -> None:
    load(graph, put(tmp_path / "one", interactions_tsv="user\tproduct\nu1\tA\nu2\tB\n"))
    second = put(
        tmp_path / "two",
        interactions_tsv="user\tproduct\nu0\tC\nu2\tA\n",
        ties_tsv="source\ttarget\nu1\tu0\nu1\tnobody\n",
    )
    report = load(graph, second)
    assert [row.reason for row in report.rejected] == ["dangling tie: no user 'nobody'"]
    assert (report.users, report.ties) == (2, 1)
    found = run_cypher("MATCH (n:User|Product) RETURN n.id AS id, n.gid AS gid ORDER BY id")
    assert {row["id"]: row["gid"] for row in found} == {
        "u1": 0, "u2": 1, "u0": 2, "A": 0, "B": 1, "C": 2,
    }  # fmt: skip
    assert run_cypher("MATCH (u)-[:TIED_TO]->(v) RETURN u.id AS u, v.id AS v") == [
        {"u": "u1", "v": "u0"}
    ]


def test_a_later_file_changes_only_the_properties_it_contains(
    graph: Graph, run_cypher: RunCypher, wide: Path
) -> None:
    load(graph, wide)
    run_cypher("MATCH (p:Product {id: 'A'}) SET p.embedding_a = [1.0, 2.0]")
    changed = put(
        wide.parent / "changed",
        interactions_tsv="user\tproduct\trating\nu1\tA\t1\n",
        products_csv="product,category,risk\nA,Equity,\nB,Bonds,3\n",
    )
    load(graph, changed)
    product = run_cypher("MATCH (p:Product {id: 'A'}) RETURN p{.*} AS p")[0]["p"]
    assert product["embedding_a"] == [1.0, 2.0]
    assert product["name"] == "Amber"
    assert "risk" not in product
    assert run_cypher(
        "MATCH (p:Product)-[:IN_CATEGORY]->(c) RETURN p.id AS p, c.name AS c ORDER BY p"
    ) == [{"p": "A", "c": "Equity"}, {"p": "B", "c": "Bonds"}]
    holding = run_cypher("MATCH (:User {id: 'u1'})-[h:HOLDS]->() RETURN h{.rating, .weight} AS h")
    assert holding == [{"h": {"rating": 1.0, "weight": 2.0}}]


def test_unusual_ids_and_names_are_stored_unchanged(
    graph: Graph, run_cypher: RunCypher, tmp_path: Path
) -> None:
    ids = ["007", "o'brien", 'say "x"', "😀 smile", "`tick`", "$id", "{a: 1}", "ab\\n", "null"]
    rows = "".join(f"{id}\tP {id}\t5\n" for id in ids)
    folder = put(tmp_path / "folder", interactions_tsv=f"user\tproduct\todd `name` $x\n{rows}")
    load(graph, folder)
    found = run_cypher(
        "MATCH (u:User)-[h]->(p) "
        "RETURN u.id AS user, p.id AS product, properties(h) AS h ORDER BY u.gid"
    )
    assert [row["user"] for row in found] == sorted(ids)
    assert [row["product"] for row in found] == [f"P {id}" for id in sorted(ids)]
    assert found[0]["h"] == {"odd `name` $x": 5}


def test_parquet_times_and_lists_become_properties(
    graph: Graph, run_cypher: RunCypher, tmp_path: Path
) -> None:
    moment = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    table = pa.table(
        {
            "user": ["u1"],
            "product": ["A"],
            "timestamp": [moment],
            "seen": [moment],
            "day": [moment.date()],
            "tags": [["x", "y"]],
        }
    )
    (tmp_path / "in").mkdir()
    pq.write_table(table, tmp_path / "in" / "interactions.parquet")
    load(graph, tmp_path / "in")
    found = run_cypher(
        "MATCH ()-[h:HOLDS]->() RETURN h.at AS at, h.seen.epochSeconds AS seen, "
        "toString(h.day) AS day, h.tags AS tags"
    )
    seconds = int(moment.timestamp())
    assert found == [
        {"at": seconds * 1_000, "seen": seconds, "day": "2024-05-06", "tags": ["x", "y"]}
    ]


def test_rejects_are_listed_in_a_file(graph: Graph, tmp_path: Path) -> None:
    folder = put(tmp_path / "in", interactions_tsv="user\tproduct\nu1\tA\n\tB\nu1\tA\n")
    listed = tmp_path / "out" / "rejects.tsv"
    report = load(graph, folder, rejects_file=listed)
    assert report.rejects_file == str(listed)
    assert listed.read_text().splitlines() == [
        "file\tline\treason",
        "interactions.tsv\t3\tno user",
        "interactions.tsv\t4\tduplicate of line 2",
    ]
    (folder / "interactions.tsv").write_text("user\tproduct\nu1\tA\n")
    assert load(graph, folder, rejects_file=listed).rejects_file is None
    assert not listed.exists()


def test_progress_ends_at_the_number_of_rows(graph: Graph, community: Path) -> None:
    reported: dict[str, tuple[int, int]] = {}
    report = load(
        graph, community, progress=lambda step, done, total: reported.update({step: (done, total)})
    )
    assert reported["writing interactions"] == (report.interactions, report.interactions)
    assert reported["writing reviews"] == (report.reviews, report.reviews)
