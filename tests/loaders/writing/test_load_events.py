"""Events in files: holdings and dismissals by kinds with weights, each once."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.graph_hash import graph_hash
from kinfolio.errors import BadConfig, BadInput
from kinfolio.events.log import EventLog
from kinfolio.events.records import Event
from kinfolio.gnn.feedback.record import record_events
from kinfolio.loaders import load
from kinfolio.loaders.reading.meaning import Meaning, parse_weights
from kinfolio.loaders.reports import LoadReport
from tests.conftest import Cli, RunCypher

INTERACTIONS = "user,product,timestamp\nu1,A,2024-01-01\nu2,B,2024-01-01\nu3,C,2024-01-01\n"
DAY = datetime(2024, 5, 1, tzinfo=UTC)

Row = tuple[str, str, str, float]
"""User, product, kind, and days after `DAY`."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "interactions.csv").write_text(INTERACTIONS)
    return folder


def write(folder: Path, rows: Sequence[Row], **columns: list[str | float | None]) -> None:
    """Write the events as `events.jsonl`; `columns` are optional ones."""
    lines: list[dict[str, object]] = []
    for place, (user, product, kind, days) in enumerate(rows):
        line = {"user": user, "product": product, "kind": kind, "timestamp": time(days)}
        lines.append(line | {name: values[place] for name, values in columns.items()})
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def time(days: float) -> str:
    return (DAY + timedelta(days=days)).isoformat()


def pairs(run_cypher: RunCypher, kind: str) -> list[str]:
    rows = run_cypher(f"MATCH (u)-[r:{kind}]->(p) RETURN u.id + p.id AS pair ORDER BY pair")
    return [row["pair"] for row in rows]


def of_events(report: LoadReport) -> str:
    (note,) = (note for note in report.notes if note.startswith("events"))
    return note


GIVEN = ["u1A", "u2B", "u3C"]


def test_held_and_dismissed_enter_and_other_kinds_do_not(
    graph: Graph, run_cypher: RunCypher, folder: Path
) -> None:
    write(
        folder,
        [
            ("u1", "B", "held", 0),
            ("u1", "C", "Dismissed", 1),
            ("u2", "A", "opened", 2),
            ("u2", "A", "opened", 3),
            ("u3", "A", "shown", 3),
        ],
        request=["r1", None, None, None, None],
    )
    report = load(graph, folder)
    assert (report.interactions, report.held_by_events, report.dismissed_by_events) == (3, 1, 1)
    assert of_events(report) == (
        "events.jsonl: 5 events make 1 holdings and 1 dismissals (weights of a pair add up; 1 is a "
        "holding); 3 of weight 0 change nothing"
    )
    assert pairs(run_cypher, "HOLDS") == sorted([*GIVEN, "u1B"])
    assert pairs(run_cypher, "DISMISSED") == ["u1C"]
    (held,) = run_cypher("MATCH (:User {id: 'u1'})-[h:HOLDS]->(:Product {id: 'B'}) RETURN h {.*}")
    assert held["h"] == {"at": int(DAY.timestamp() * 1000), "request": "r1"}
    before = graph_hash(graph)
    run_cypher("MATCH (u:User) SET u.changed = 5")
    load(graph, folder)
    assert graph_hash(graph) == before
    assert run_cypher("MATCH (u:User) WHERE u.changed <> 5 RETURN u.id") == []


def test_weights_of_a_pair_add_up_until_a_dismissal(
    graph: Graph, run_cypher: RunCypher, folder: Path
) -> None:
    rows: list[Row] = [("u1", "B", "opened", day) for day in range(5)]
    rows += [("u1", "C", "opened", day) for day in range(4)]
    # Dismissed in between: the sum begins again; then held: the dismissal no longer counts.
    rows += [("u2", "A", "opened", day) for day in (0, 1, 2, 4, 5)] + [("u2", "A", "dismissed", 3)]
    rows += [("u2", "C", "dismissed", 0), ("u2", "C", "held", 1)]
    rows += [("u3", "A", "held", 0), ("u3", "A", "dismissed", 1)]
    rows += [("u3", "B", "rated", 0), ("u3", "B", "opened", 1)]
    meaning = Meaning(event_weights=parse_weights("opened=0.2, Rated=.8"))
    hashes = set()
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        write(folder, rows)
        report = load(graph, folder, meaning=meaning, replace=lambda removed, users: None)
        hashes.add(graph_hash(graph))
        assert (report.held_by_events, report.dismissed_by_events) == (3, 2)
    assert len(hashes) == 1
    assert pairs(run_cypher, "HOLDS") == sorted([*GIVEN, "u1B", "u2C", "u3B"])
    assert pairs(run_cypher, "DISMISSED") == ["u2A", "u3A"]
    (held,) = run_cypher("MATCH (:User {id: 'u1'})-[h:HOLDS]->(:Product {id: 'B'}) RETURN h.at")
    assert held["h.at"] == int((DAY + timedelta(days=4)).timestamp() * 1000)
    # With the default weights opened is none.
    load(graph, folder, meaning=Meaning(event_weights={"rated": 0.5}), replace=lambda *_: None)
    assert pairs(run_cypher, "HOLDS") == sorted([*GIVEN, "u2C"])


def test_an_event_counts_once(graph: Graph, run_cypher: RunCypher, folder: Path) -> None:
    meaning = Meaning(event_weights={"opened": 0.5})
    # The same request, product and kind at another time, and the same time without a request.
    rows: list[Row] = [("u1", "B", "opened", 0), ("u1", "B", "opened", 1)]
    rows += [("u1", "C", "opened", 0), ("u1", "C", "opened", 0)]
    rows += [("u2", "A", "opened", 0), ("u2", "A", "opened", 0)]
    write(folder, rows, request=["r1", "r1", None, None, "r2", "r3"])
    report = load(graph, folder, meaning=meaning)
    assert "; 2 are repetitions" in of_events(report)
    assert pairs(run_cypher, "HOLDS") == sorted([*GIVEN, "u2A"])
    # A weight of the row replaces that of its kind.
    write(folder, rows[:1], weight=[1.0])
    load(graph, folder, meaning=meaning)
    assert pairs(run_cypher, "HOLDS") == sorted([*GIVEN, "u1B", "u2A"])


def test_what_the_server_recorded_does_not_count_twice(
    graph: Graph, run_cypher: RunCypher, folder: Path, tmp_path: Path
) -> None:
    load(graph, folder)
    log = EventLog(tmp_path / "home")
    shown = log.show(user="u1", version=None, source="popularity", products=["B", "C"])
    done = {"held": "B", "dismissed": "C"}
    events = [
        Event(request=shown.request, product=product, kind=kind, at=shown.at)  # type: ignore[arg-type]
        for kind, product in done.items()
    ]
    assert record_events(graph, log, "u1", events).written == 2
    before = graph_hash(graph)
    rows = [
        {"user": "u1", "product": product, "kind": kind, "request": shown.request}
        | {"timestamp": shown.at.isoformat()}
        for kind, product in done.items()
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    load(graph, folder)
    assert graph_hash(graph) == before
    assert pairs(run_cypher, "HOLDS") == sorted([*GIVEN, "u1B"])
    # What the user stated is not that of a load.
    assert run_cypher("MATCH ()-[d:DISMISSED]->() RETURN d.loaded AS loaded") == [{"loaded": None}]


def test_pairs_of_interactions_and_holdings_of_the_graph_stay(
    graph: Graph, run_cypher: RunCypher, folder: Path
) -> None:
    (folder / "interactions.csv").write_text("user,product,rating\nu1,A,5\nu1,B,1\nu2,B,4\n")
    write(folder, [("u1", "A", "dismissed", 0), ("u1", "B", "held", 0), ("u2", "A", "held", 0)])
    report = load(graph, folder, meaning=Meaning(least_rating=3))
    assert "; 2 are of pairs in interactions, which decides" in of_events(report)
    assert pairs(run_cypher, "HOLDS") == ["u1A", "u2A", "u2B"]
    assert pairs(run_cypher, "DISMISSED") == ["u1B"]
    # Events alone, of users and products in the graph; what they dismiss is held on.
    (folder / "interactions.csv").unlink()
    write(folder, [("u2", "B", "dismissed", 1), ("u1", "B", "held", 1)])
    report = load(graph, folder)
    assert (report.users, report.products, report.interactions) == (0, 0, 0)
    assert pairs(run_cypher, "HOLDS") == ["u1A", "u1B", "u2A", "u2B"]
    assert pairs(run_cypher, "DISMISSED") == ["u2B"]
    with pytest.raises(BadInput, match="no interactions, to which --least-rating 3 could apply"):
        load(graph, folder, meaning=Meaning(least_rating=3))
    with pytest.raises(BadInput, match="has no row that can be used: line 1: no user 'u2'"):
        load(graph, folder, replace=lambda removed, users: None)


def test_events_that_cannot_be_used_are_rejected_with_reasons(
    graph: Graph, run_cypher: RunCypher, folder: Path
) -> None:
    run_cypher("CREATE (:User {id: 'old', gid: 0}), (:Product {id: 'Z', gid: 0})")
    (folder / "events.tsv").write_text(
        "user\tproduct\tkind\ttimestamp\tweight\n"
        "u1\tB\theld\t2024-05-01\t\n"
        "u9\tA\theld\t2024-05-01\t\n"
        "u1\tQ\theld\t2024-05-01\t\n"
        "u1\tC\tbought\t2024-05-01\t\n"
        "u1\tC\theld\t\t\n"
        "u1\tC\theld\t2024-05-01\t-1\n"
        "u1\tC\t\t2024-05-01\t\n"
        "\tC\theld\t2024-05-01\t\n"
        "old\tZ\theld\t2024-05-01\t\n"
    )
    report = load(graph, folder)
    assert {row.line: row.reason for row in report.rejected} == {
        3: "no user 'u9'",
        4: "no product 'Q'",
        5: "kind 'bought' is none of dismissed, held, opened, shown; --event-weights KIND=WEIGHT "
        "gives another one a weight",
        6: "no timestamp",
        7: "weight -1 is below 0",
        8: "no kind",
        9: "no user",
    }
    assert (report.users, report.products) == (3, 3)
    assert pairs(run_cypher, "HOLDS") == sorted([*GIVEN, "oldZ", "u1B"])
    loaded = load(graph, folder, meaning=Meaning(event_weights={"bought": 1}))
    assert 5 not in {row.line for row in loaded.rejected}
    assert "u1C" in pairs(run_cypher, "HOLDS")


def test_formats_give_the_same_graph_and_a_replacement_removes_old_events(
    graph: Graph, run_cypher: RunCypher, folder: Path
) -> None:
    rows: list[Row] = [("u1", "B", "held", 0), ("u1", "C", "dismissed", 1)]
    write(folder, rows)
    load(graph, folder)
    before = graph_hash(graph)
    (folder / "events.jsonl").unlink()
    names = ("user", "product", "kind", "timestamp")
    values = [(user, product, kind, time(days)) for user, product, kind, days in rows]
    table = pa.table(dict(zip(names, zip(*values, strict=True), strict=True)))
    pyarrow.parquet.write_table(table, folder / "events.parquet")
    removed = load(graph, folder, replace=lambda removed, users: None).removed
    assert removed is not None
    assert (removed.interactions, removed.dismissals) == (0, 0)
    assert graph_hash(graph) == before
    (folder / "events.parquet").unlink()
    removed = load(graph, folder, replace=lambda removed, users: None).removed
    assert removed is not None
    assert (removed.interactions, removed.dismissals) == (1, 1)
    assert pairs(run_cypher, "HOLDS") == GIVEN


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("opened", "has 'opened'; KIND=WEIGHT"),
        ("opened=x", "has 'opened=x'"),
        ("opened=-1", "has 'opened=-1'"),
        ("opened=nan", "has 'opened=nan'"),
        ("=1", "has '=1'"),
    ],
)
def test_weights_are_kinds_with_numbers(text: str, problem: str) -> None:
    with pytest.raises(BadConfig, match=problem):
        parse_weights(text)
    with pytest.raises(BadConfig, match="a dismissal has none"):
        Meaning(event_weights={"dismissed": 1})
    with pytest.raises(BadConfig, match="has the weight inf for 'opened'"):
        Meaning(event_weights=parse_weights("opened=inf"))


def test_commands_say_what_was_understood(cli: Cli, graph: Graph, folder: Path) -> None:
    write(folder, [("u1", "B", "opened", day) for day in range(5)] + [("u1", "C", "dismissed", 1)])
    weights = ("--event-weights", "opened=.2")
    checked = cli("load", "--check", *weights, str(folder))
    assert checked.exit_code == 0, checked.stderr
    assert "events.jsonl: 6 rows" in checked.stdout
    assert "6 events make 1 holdings and 1 dismissals" in checked.stderr
    assert f"next: kinfolio load --event-weights opened=0.2 {folder}" in checked.stderr
    loaded = cli("load", *weights, str(folder))
    assert "3 interactions, 1 holdings and 1 dismissals by events, 0 ties" in loaded.stdout
    document = json.loads(cli("load", *weights, str(folder), "--json").stdout)
    assert (document["held_by_events"], document["dismissed_by_events"]) == (1, 1)
    assert "dismissed" in cli("load", "--event-weights", "dismissed=1", str(folder)).stderr
    (record,) = graph.read("load_history")
    assert record["load"]["options"] == "--event-weights opened=0.2"
    assert record["load"]["files"] == ["interactions.csv", "events.jsonl"]
