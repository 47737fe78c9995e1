"""Events of users: in the log once, in the graph at once, and only about what was shown."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadInput
from kinfolio.events.log import EventLog
from kinfolio.events.records import Event, EventKind, Shown
from kinfolio.gnn.feedback.record import Recorded, record_events
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.loaders import export_to
from kinfolio.records import Connection
from kinfolio.snapshot import read_snapshot

RunCypher = Callable[..., list[dict[str, Any]]]
ACTS = (
    "MATCH (u:User {id: $user})-[r:HOLDS|DISMISSED]->(p:Product) "
    "RETURN type(r) AS type, p.id AS product, r.at AS at, r.request AS request "
    "ORDER BY type, product"
)


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    return EventLog(tmp_path / "home")


def show(log: EventLog, user: str = "u1", products: str = "CDE") -> Shown:
    return log.show(user=user, version=None, source="popularity", products=products)


def event(shown: Shown, product: str, kind: EventKind, later: float = 1) -> Event:
    at = shown.at.replace(microsecond=0) + timedelta(seconds=later)
    return Event(request=shown.request, product=product, kind=kind, at=at)


def reasons(recorded: Recorded) -> dict[int, str]:
    return {one.position: one.reason for one in recorded.refused}


def test_acts_are_in_the_graph_at_once_and_count_once(
    six_users: Graph, log: EventLog, run_cypher: RunCypher
) -> None:
    shown = show(log)
    events = [
        event(shown, "C", "opened"),
        event(shown, "C", "held"),
        event(shown, "D", "dismissed"),
        event(shown, "E", "shown"),
    ]
    first = record_events(six_users, log, "u1", events)
    assert (first.written, first.repeated, first.refused) == (3, 1, ())
    rows = run_cypher(ACTS, user="u1")
    assert [(row["type"], row["product"]) for row in rows] == [
        *[("DISMISSED", "D"), ("HOLDS", "A"), ("HOLDS", "B"), ("HOLDS", "C")],
    ]
    assert rows[-1]["at"] == round(events[1].at.timestamp() * 1000)
    assert rows[-1]["request"] == shown.request
    assert [one.product for one in recommend(six_users, "u1").products] == ["E"]
    again = record_events(six_users, EventLog(log.folder.parent), "u1", events)
    assert (again.written, again.repeated, again.refused) == (0, 4, ())
    assert run_cypher(ACTS, user="u1") == rows


def test_a_repetition_changes_the_graph_only_if_it_is_a_later_act(
    six_users: Graph, log: EventLog, run_cypher: RunCypher
) -> None:
    shown = show(log)
    act = event(shown, "D", "dismissed")
    record_events(six_users, log, "u1", [act])
    undo = "MATCH (:User {id: 'u1'})-[d:DISMISSED]->() DELETE d"
    run_cypher(undo)
    assert record_events(six_users, log, "u1", [act]).repeated == 1
    assert len(run_cypher(ACTS, user="u1")) == 2
    later = replace(act, at=act.at + timedelta(minutes=1))
    assert record_events(six_users, log, "u1", [later]).repeated == 1
    assert len(run_cypher(ACTS, user="u1")) == 3


def test_a_holding_that_exists_stays_as_it_is(
    six_users: Graph, log: EventLog, run_cypher: RunCypher
) -> None:
    before = run_cypher(ACTS, user="u1")
    shown = show(log, products="A")
    assert record_events(six_users, log, "u1", [event(shown, "A", "held")]).written == 1
    assert run_cypher(ACTS, user="u1") == before


def test_events_of_others_or_about_other_products_are_refused(
    six_users: Graph, log: EventLog, run_cypher: RunCypher
) -> None:
    shown, theirs, gone = show(log), show(log, "u2", "E"), show(log, "u1", "Z")
    unknown = "not that of a list shown to this user"
    wrong: list[tuple[Event, str]] = [
        (event(theirs, "E", "held"), unknown),
        (replace(event(shown, "C", "held"), request=shown.request[:-1] + "!"), unknown),
        (event(shown, "B", "held"), "not in the list"),
        (event(shown, "C", "bought"), "none of shown, opened, dismissed, held"),  # type: ignore[arg-type]
        (event(shown, "C", "held", later=3600), "in the future"),
        (event(shown, "C", "held", later=-3600), "before the list was shown"),
        (event(gone, "Z", "held"), "no longer in the graph"),
    ]
    events = [event(shown, "C", "opened"), *[one for one, _ in wrong]]
    recorded = record_events(six_users, log, "u1", events)
    assert (recorded.written, recorded.repeated) == (1, 0)
    told = reasons(recorded)
    assert list(told) == list(range(1, 8))
    assert all(part in told[number + 1] for number, (_, part) in enumerate(wrong))
    assert len(run_cypher(ACTS, user="u1")) == 2
    assert len(run_cypher(ACTS, user="u2")) == 3
    assert record_events(six_users, log, "nobody", events[:1]).refused[0].reason.endswith("user")


def test_a_time_without_a_zone_is_utc(
    six_users: Graph, log: EventLog, run_cypher: RunCypher
) -> None:
    shown = show(log)
    act = event(shown, "C", "held")
    record_events(six_users, log, "u1", [replace(act, at=act.at.replace(tzinfo=None))])
    assert run_cypher(ACTS, user="u1")[-1]["at"] == round(act.at.timestamp() * 1000)


def test_at_most_a_thousand_events_come_in_a_call(six_users: Graph, log: EventLog) -> None:
    shown = log.show(user="u1", version=None, source="text", products=map(str, range(1000)))
    events = [event(shown, str(number), "opened") for number in range(1000)]
    assert record_events(six_users, log, "u1", events).written == 1000
    with pytest.raises(BadInput, match="1,001 events came in one call; send at most 1,000"):
        record_events(six_users, log, "u1", [*events, events[0]])


def test_writers_at_once_create_one_relationship(
    six_users: Graph, server: Connection, log: EventLog, run_cypher: RunCypher
) -> None:
    shown = show(log)
    acts = [event(shown, "C", "held"), event(shown, "D", "dismissed")]

    def write(_: int) -> int:
        with Graph(server) as own:
            return record_events(own, EventLog(log.folder.parent), "u1", acts).written

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(write, range(8))) == 2
    assert len(run_cypher(ACTS, user="u1")) == 4


def test_the_next_export_of_changes_has_the_holding(
    six_users: Graph, log: EventLog, run_cypher: RunCypher, tmp_path: Path
) -> None:
    run_cypher("MATCH (n) WHERE n:User OR n:Product SET n.changed = 1000")
    export_to(six_users, tmp_path / "older")
    shown = show(log, "u6", "C")
    record_events(six_users, log, "u6", [event(shown, "C", "held")])
    changes = export_to(six_users, tmp_path / "changes", since=tmp_path / "older")
    assert changes.how == "changes"
    assert changes.hash == export_to(six_users, tmp_path / "whole").hash
    holdings = read_snapshot(tmp_path / "changes").holdings
    assert len(holdings.at) == 11
    assert datetime.fromtimestamp(max(holdings.at) / 1000, UTC) == shown.at.replace(
        microsecond=0
    ) + timedelta(seconds=1)
