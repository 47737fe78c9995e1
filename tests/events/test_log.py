"""The event log: whole lines by several threads and processes, one line an event, and deletions."""

from __future__ import annotations

import json
import logging
import resource
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kinfolio.errors import FileError
from kinfolio.events.log import EventLog
from kinfolio.events.records import Event, EventKind, Shown, day_of
from tests.limits import limit

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from kinfolio.events.log import EventLog
from kinfolio.events.records import Event

log = EventLog(Path(sys.argv[1]))
for number in range(100):
    shown = log.show(user=f"u{number}", version="v", source="stored", products=["A", "B"])
    for request in (shown.request, sys.argv[2]):
        event = Event(request=request, product="A", kind="opened", at=datetime.now(UTC))
        log.add("u", [event])
"""


def show(log: EventLog, user: str = "u1", products: tuple[str, ...] = ("A", "B")) -> Shown:
    return log.show(user=user, version="v", source="stored", products=products, split=50)


def event(shown: Shown, product: str = "A", kind: EventKind = "opened", later: int = 0) -> Event:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=later)
    return Event(request=shown.request, product=product, kind=kind, at=at)


def the_file(home: Path) -> Path:
    (file,) = (home / "events").iterdir()
    return file


def test_a_list_is_read_as_it_was_shown_by_another_log_of_the_home(tmp_path: Path) -> None:
    shown = show(EventLog(tmp_path), "ü\n1", ("A", "\ud800", '"'))
    story = EventLog(tmp_path).story(shown.request)
    assert story is not None
    milliseconds = shown.at.microsecond // 1000 * 1000
    assert story.shown.at == shown.at.replace(microsecond=milliseconds)
    assert story.shown.products == shown.products
    assert (story.shown.user, story.shown.split) == ("ü\n1", 50)
    assert list(EventLog(tmp_path).read()) == [story.shown]


def test_files_are_private_and_named_by_the_day_of_the_list(tmp_path: Path) -> None:
    shown = show(EventLog(tmp_path))
    file = the_file(tmp_path)
    assert file.name == f"{shown.at.date()}.jsonl" == f"{day_of(shown.request)}.jsonl"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(file.read_text())["products"] == ["A", "B"]


def test_requests_differ_and_only_those_of_the_log_are_known(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    requests = [show(log).request for _ in range(200)]
    assert len({request[14:] for request in requests}) == 200  # without the time
    assert all(log.story(request) for request in requests)
    old = "00" + requests[0][2:]
    wrong = [requests[0].upper(), requests[0][:-1], old, str(uuid.uuid4()), "../x", "", "\0"]
    assert [log.story(request) for request in wrong] == [None] * len(wrong)
    assert len(list((tmp_path / "events").iterdir())) == 1


def test_an_event_is_written_once(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    shown, other = show(log), show(log, "u2")
    events = [event(shown), event(shown, later=5), event(shown, "B"), event(shown, kind="held")]
    assert log.add("u1", events) == [events[0], *events[2:]]
    again = EventLog(tmp_path)
    assert again.add("u1", events) == []
    assert len(again.add("u2", [event(other)])) == 1
    assert len(log.add("u1", [event(shown, "B", "held"), event(shown, later=9)])) == 1
    story = log.story(shown.request)
    assert story is not None
    assert story.done["A", "opened"] == events[0].at
    assert sorted(story.done) == [
        *[("A", "held"), ("A", "opened"), ("B", "held"), ("B", "opened")],
    ]


def test_threads_and_processes_write_whole_lines_and_each_event_once(tmp_path: Path) -> None:
    shown = show(EventLog(tmp_path))
    arguments = [sys.executable, "-c", WRITER, str(tmp_path), shown.request]
    processes = [subprocess.Popen(arguments) for _ in range(3)]
    log = EventLog(tmp_path)

    def write(number: int) -> int:
        own = show(log, f"u{number}")
        return len(log.add("u", [event(own), event(shown)]))

    with ThreadPoolExecutor(8) as threads:
        written = sum(threads.map(write, range(200)))
    assert [process.wait() for process in processes] == [0, 0, 0]
    records = list(EventLog(tmp_path).read())
    assert sum(isinstance(record, Shown) for record in records) == 1 + 300 + 200
    assert len(records) == len(the_file(tmp_path).read_bytes().splitlines())
    pairs = [record.request for record in records if isinstance(record, Event)]
    assert len(pairs) == len(set(pairs)) == 1 + 300 + 200
    assert written in (200, 201)


def test_a_line_that_was_cut_off_is_skipped_with_a_warning_and_does_not_damage_the_next(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = show(EventLog(tmp_path))
    file = the_file(tmp_path)
    with file.open("ab") as out:
        out.write(file.read_bytes()[:-30])
    log = EventLog(tmp_path)
    assert log.story(first.request) is not None
    with caplog.at_level(logging.WARNING):
        assert [record.request for record in log.read()] == [first.request]
    assert "1 damaged line was skipped" in caplog.text
    second = show(log)
    log.add("u1", [event(second), event(first)])
    requests = [record.request for record in EventLog(tmp_path).read()]
    assert requests == [first.request, second.request, second.request, first.request]


def test_a_full_disk_leaves_no_part_of_a_line(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    show(log)
    size = the_file(tmp_path).stat().st_size
    with (
        limit(resource.RLIMIT_FSIZE, size + 50),
        pytest.raises(FileError, match=r"events.* cannot be written"),
    ):
        show(log)
    assert the_file(tmp_path).stat().st_size == size
    assert log.story(show(log).request) is not None


def test_a_user_is_removed_from_every_file_and_other_logs_go_on(tmp_path: Path) -> None:
    log, other = EventLog(tmp_path), EventLog(tmp_path)
    mine, theirs = show(log), show(other, "u10")
    old = tmp_path / "events" / "2020-02-29.jsonl"
    old.write_bytes(the_file(tmp_path).read_bytes() + b'{"request":"')
    log.add("u1", [event(mine)])
    other.add("u10", [event(theirs)])
    assert log.forget("u1") == 2 + 2  # with the damaged line, which could be the user's
    assert log.forget("u1") == 0
    for one in (log, other, EventLog(tmp_path)):
        assert one.story(mine.request) is None
        assert one.add("u1", [event(mine)]) == []
        assert one.story(theirs.request) is not None
    third = show(other, "u3")
    assert [record.request for record in log.read()] == [
        *[theirs.request, theirs.request, theirs.request, third.request],
    ]
    assert {path.stat().st_mode & 0o777 for path in old.parent.iterdir()} == {0o600}
    assert b'"u1"' not in b"".join(path.read_bytes() for path in old.parent.iterdir())


def test_lists_are_read_by_day_and_by_user(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    shown, theirs = show(log), show(log, "u2")
    log.add("u2", [event(theirs)])
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    (tmp_path / "events" / f"{yesterday}.jsonl").write_bytes(the_file(tmp_path).read_bytes())
    (tmp_path / "events" / "2024-99-99.jsonl").write_text("no day")
    assert len(list(log.read())) == 6
    assert len(list(log.read(2))) == 6
    assert len(list(log.read(1))) == 3
    assert [record.request for record in log.read(1, user="u1")] == [shown.request]
    assert len(list(log.read(1, user="u2"))) == 2
