"""The report of events, counted by hand, and on the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.events.log import EventLog
from kinfolio.events.records import Event, EventKind
from kinfolio.gnn.feedback.report import Group, event_report
from kinfolio.gnn.version_state import place_in_split
from tests.conftest import Cli


def put(
    log: EventLog,
    user: str,
    products: str,
    *acts: tuple[str, EventKind],
    version: str | None = "v",
    source: str = "stored",
    split: int | None = None,
) -> str:
    shown = log.show(user=user, version=version, source=source, products=products, split=split)
    at = datetime.now(UTC)
    log.add(user, [Event(request=shown.request, product=p, kind=k, at=at) for p, k in acts])
    return shown.request


def numbers(group: Group) -> tuple[str, int, int, int, int]:
    acts = (group.opened.number, group.dismissed.number, group.held.number)
    return (group.name, group.shown, *acts)


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    """Four lists of three users, one event twice and one act in two lists."""
    log = EventLog(tmp_path)
    put(log, "u1", "ABC", ("A", "opened"), ("A", "held"), ("A", "held"), ("B", "dismissed"))
    put(log, "u1", "AC", ("A", "held"))
    put(log, "u2", "B", ("B", "opened"), version="w", source="folded_in")
    put(log, "u3", "", version=None, source="popularity")
    return log


def test_products_are_counted_by_version_place_and_source(log: EventLog) -> None:
    report = event_report(log.stories())
    assert report.lists == 4
    assert numbers(report.total) == ("all", 6, 2, 1, 2)
    assert [numbers(group) for group in report.by_version] == [
        *[("v", 5, 1, 1, 2), ("w", 1, 1, 0, 0), ("none", 0, 0, 0, 0)],
    ]
    assert [numbers(group) for group in report.by_place] == [
        *[("1", 3, 2, 0, 2), ("2", 2, 0, 1, 0), ("3", 1, 0, 0, 0)],
    ]
    assert [group.name for group in report.by_source] == ["folded_in", "popularity", "stored"]
    assert report.total.held.share == pytest.approx(2 / 6)
    assert report.by_version[2].held.share is None
    assert report.split is None


def test_an_event_of_a_later_day_belongs_to_the_day_of_its_list(log: EventLog) -> None:
    def a_week_older(found: re.Match[str]) -> str:
        text = f"{int(found[1] + found[2], 16) - 7 * 86_400_000:012x}"
        return f'{{"request":"{text[:8]}-{text[8:]}'

    file = next(log.folder.iterdir())
    text = re.sub(r'{"request":"(\w{8})-(\w{4})', a_week_older, file.read_text("utf-8"))
    week_ago = date.fromisoformat(file.stem) - timedelta(days=7)
    (log.folder / f"{week_ago}.jsonl").write_text(text, "utf-8")
    assert numbers(event_report(log.stories()).total) == ("all", 12, 4, 2, 4)
    assert numbers(event_report(log.stories(7), 7).total) == ("all", 6, 2, 1, 2)


SIDES = {True: "new", False: "old"}


@pytest.fixture
def split_log(tmp_path: Path) -> EventLog:
    """60 users split at 50: the new version sells 3 of 4 products shown, the old one 1 of 4."""
    log = EventLog(tmp_path)
    put(log, "before", "ABCD", ("A", "held"), ("B", "held"), version="old")
    for number in range(60):
        is_new = place_in_split(f"u{number}") < 50
        held: list[tuple[str, EventKind]] = [(one, "held") for one in ("ABC" if is_new else "A")]
        put(log, f"u{number}", "ABCD", *held, version=SIDES[is_new], split=50)
    return log


def test_the_versions_of_a_split_are_compared_on_its_lists_only(split_log: EventLog) -> None:
    found = event_report(split_log.stories()).split
    assert found is not None
    num_new = sum(place_in_split(f"u{number}") < 50 for number in range(60))
    assert (found.other.group.name, found.other.users) == ("new", num_new)
    assert (found.active.group.name, found.active.users) == ("old", 60 - num_new)
    assert found.active.group.shown == 4 * (60 - num_new)
    assert found.held.value == pytest.approx(0.5)
    assert 0.3 < found.held.low < 0.5 < found.held.high < 0.65
    assert found.opened.low < 0 < found.opened.high
    put(split_log, "u0", "AB", version="newest", split=10)
    assert event_report(split_log.stories()).split is None


@pytest.fixture
def home_log(server_home: Path) -> Iterator[EventLog]:
    """The log of the server's home, without the events of other tests."""
    log = EventLog(server_home)
    for file in log.folder.glob("*"):
        file.unlink()
    yield log
    for file in log.folder.glob("*"):
        file.unlink()


def test_the_report_on_the_command_line_names_nobody(home_log: EventLog, cli: Cli) -> None:
    assert cli("events", "report").stdout.splitlines()[1:] == ["all\tall\t0\t0\t0\t0\t-\t-"]
    for number in range(8):
        is_new = place_in_split(f"secret{number}") < 50
        put(home_log, f"secret{number}", "XY", ("X", "held"), version=SIDES[is_new], split=50)
    text = cli("events", "report")
    answer = cli("events", "report", "--days", "1", "--json")
    assert text.stdout.splitlines()[1].startswith("all\tall\t16\t0\t0\t8\t50.00%\t")
    assert "version new served 50 % of the users" in text.stderr
    report = json.loads(answer.stdout)
    assert (report["days"], report["lists"]) == (1, 8)
    assert report["by_place"][0]["held"] == pytest.approx(
        {"number": 8, "share": 1, "low": 0.6756, "high": 1}, abs=1e-4
    )
    users = [report["split"][side]["users"] for side in ("active", "other")]
    assert all(number is None or number >= 5 for number in users)
    assert None in users
    assert "secret" not in text.stdout + text.stderr + answer.stdout
    assert cli("events", "report", "--days", "0").exit_code == 2


def test_an_event_is_added_on_the_command_line_once(
    six_users: Graph, home_log: EventLog, cli: Cli
) -> None:
    request = put(home_log, "u1", "CD")
    first, again = (cli("events", "add", request, "C", "held", "--json") for _ in range(2))
    assert json.loads(first.stdout) == {"written": 1, "repeated": 0, "refused": []}
    assert json.loads(again.stdout)["repeated"] == 1
    assert cli("events", "add", request, "D", "opened").stdout == "recorded\n"
    assert "was not in the list" in cli("events", "add", request, "A", "held").stderr
    assert "there is no list 'x'" in cli("events", "add", "x", "A", "held").stderr
    held = json.loads(cli("show", "user", "u1", "--json").stdout)["counts"]["holds"]
    assert held == 3
