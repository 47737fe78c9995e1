"""`kinfolio events`: what was shown to users, and what they did with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.cli.table import print_table
from kinfolio.environment import deployment, home
from kinfolio.errors import NotFound, quoted
from kinfolio.events.records import KINDS, EventKind

if TYPE_CHECKING:
    from kinfolio.gnn.feedback.report import Comparison, EventReport


@click.group("events", epilog="Example:  kinfolio events report --days 7")
def command() -> None:
    """Report or record what users did with products that were shown to them."""


@command.command("report", epilog="Example:  kinfolio events report --days 7 --json")
@click.option(
    "--days",
    type=click.IntRange(min=1),
    help="Only lists of the last days, today (UTC) included.  [default: all]",
)
@options.json_option
def report_command(days: int | None, as_json: bool) -> None:
    """Show the shares of shown products that were held, opened and dismissed.

    By version, place in the list and source; during a split of users also the difference between
    the two versions. Intervals are of 95 %, with users as units.
    """
    from kinfolio.events.log import EventLog
    from kinfolio.gnn.feedback.report import event_report, withheld

    report = event_report(EventLog(home()).stories(days), days)
    if as_json:
        print_json(withheld(report, deployment().min_people))
    else:
        _print(report)


@command.command(
    "add",
    epilog="Example:  kinfolio events add 019b0d3c-5b1e-7c4a-9a59-0c9d5ac0b8f2 gold-etc held",
)
@click.argument("request")
@click.argument("product", callback=options.normal_id)
@click.argument("kind", type=click.Choice(KINDS[1:]))
@options.mapping_option
@options.json_option
def add_command(request: str, product: str, kind: EventKind, as_json: bool) -> None:
    """Record what the user of the list REQUEST did with PRODUCT, once: KIND.

    Dismissals and holdings are written to the graph as well.
    """
    from kinfolio.events.log import EventLog
    from kinfolio.events.records import Event
    from kinfolio.gnn.feedback.record import record_events

    log = EventLog(home())
    story = log.story(request)
    if story is None:
        raise NotFound(f"there is no list {quoted(request)} in {log.folder}; check the request id")
    event = Event(request=request, product=product, kind=kind, at=datetime.now(UTC))
    with options.open_graph() as graph:
        recorded = record_events(graph, log, story.shown.user, [event])
    for one in recorded.refused:
        raise NotFound(f"the event was not recorded: {one.reason}")
    if as_json:
        print_json(recorded)
    else:
        echo("recorded" if recorded.written else "recorded before")


def _print(report: EventReport) -> None:
    rows = [
        (
            *(kind, group.name, f"{group.shown:,}"),
            *(f"{act.number:,}" for act in (group.opened, group.dismissed, group.held)),
            *_interval(group.held.share, group.held.low, group.held.high),
        )
        for kind, groups in (
            ("all", (report.total,)),
            ("version", report.by_version),
            ("place", report.by_place),
            ("source", report.by_source),
        )
        for group in groups
    ]
    columns = ("by", "group", "shown", "opened", "dismissed", "held", "accepted", "95 % interval")
    print_table(columns, rows, right=columns[2:])
    print_message(f"{report.lists:,} lists; accepted: held of those shown")
    if report.split is not None:
        _print_split(report.split)


def _print_split(split: Comparison) -> None:
    other, active = split.other.group, split.active.group
    print_message(
        f"split: version {other.name} served {split.percent} % of the users ({other.shown:,} "
        f"products shown), version {active.name} the others ({active.shown:,}); {other.name} "
        f"minus {active.name}:"
    )
    print_table(
        ("event", other.name, active.name, "difference", "95 % interval"),
        [
            (
                name,
                _percent(one.share),
                _percent(before.share),
                *_interval(change.value, change.low, change.high),
            )
            for name, one, before, change in (
                ("held", other.held, active.held, split.held),
                ("opened", other.opened, active.opened, split.opened),
                ("dismissed", other.dismissed, active.dismissed, split.dismissed),
            )
        ],
        right=(other.name, active.name, "difference", "95 % interval"),
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"


def _interval(share: float | None, low: float | None, high: float | None) -> tuple[str, str]:
    ends = "-" if low is None or high is None else f"{low:.2%} to {high:.2%}"
    return _percent(share), ends
