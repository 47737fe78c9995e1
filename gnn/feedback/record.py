"""What users did with products that were shown to them: written to the log and, at once, the graph.

`dismissed` becomes a DISMISSED relationship, `held` a HOLDS relationship with the property
`request`; `shown` and `opened` stay in the log. A graph with a mapping belongs to other programs:
there all events stay in the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadInput
from kinfolio.events.log import EventLog, Story
from kinfolio.events.records import KINDS, Event, in_utc

MAX_EVENTS = 1_000
CLOCK_SLACK = timedelta(minutes=5)
"""Clocks of other machines may differ by this."""
_TO_GRAPH = {"dismissed": "change_dismiss", "held": "change_hold"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An event that was not recorded."""

    position: int
    """In the call, from 0."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Result of one call of `record_events`."""

    written: int
    repeated: int
    """Events that the log has already."""
    refused: tuple[Refused, ...]


def record_events(
    graph: Graph,
    log: EventLog,
    user_id: str,
    events: Sequence[Event],
    *,
    now: datetime | None = None,
) -> Recorded:
    """Record what a user did with products of lists from `EventLog.show`.

    Idempotent: an event is the same if request, product and kind are. `shown` is always a
    repetition, as `EventLog.show` recorded it. A repetition with a later time is a new act, such as
    a second dismissal after the first was undone: it changes the graph, not the log. The graph is
    written first: a call that was cut off can be repeated.

    Args:
        graph: receives dismissals and holdings.
        log: of the home.
        user_id: the user that the session or the path names, never the body of a request.
        events: at most `MAX_EVENTS`.
        now: the time; None: that of the clock.

    Raises:
        BadInput: there are more events than that.
        FileError: the log cannot be read or written.
    """
    if len(events) > MAX_EVENTS:
        raise BadInput(
            f"{len(events):,} events came in one call; send at most {MAX_EVENTS:,} at a time"
        )
    events = [replace(event, at=in_utc(event.at)) for event in events]
    stories: dict[str, Story | None] = {}
    for event in events:
        if event.request not in stories:
            stories[event.request] = log.story(event.request)
    reasons = {
        position: reason
        for position, event in enumerate(events)
        if (reason := _refusal(stories[event.request], user_id, event, now or datetime.now(UTC)))
    }
    accepted = {position: event for position, event in enumerate(events) if position not in reasons}
    new = {position: event for position, event in accepted.items() if _is_act(stories, event)}
    if graph.mapping is None:
        reasons |= _write(graph, user_id, new)
    known = [event for position, event in accepted.items() if position not in reasons]
    written = len(log.add(user_id, [event for event in known if event.kind != "shown"]))
    return Recorded(
        written=written,
        repeated=len(known) - written,
        refused=tuple(
            Refused(position=position, reason=reasons[position]) for position in sorted(reasons)
        ),
    )


def _refusal(story: Story | None, user_id: str, event: Event, now: datetime) -> str | None:
    # The same sentence for a list of another user: nobody learns that it exists.
    if story is None or story.shown.user != user_id:
        return "the request is not that of a list shown to this user"
    if event.product not in story.shown.products:
        return "the product was not in the list of this request"
    if event.kind not in KINDS:
        return f"the kind is none of {', '.join(KINDS)}"
    if event.at > now + CLOCK_SLACK:
        return "the time is in the future"
    if event.at < story.shown.at - CLOCK_SLACK:
        return "the time is before the list was shown"
    return None


def _is_act(stories: dict[str, Story | None], event: Event) -> bool:
    """Return whether an accepted event changes the graph."""
    story = stories[event.request]
    assert story is not None
    before = story.done.get((event.product, event.kind))
    return event.kind in _TO_GRAPH and (before is None or event.at > before)


def _write(graph: Graph, user_id: str, events: dict[int, Event]) -> dict[int, str]:
    """Write the events to the graph; return why some are refused, by position."""
    refused: dict[int, str] = {}
    for kind, statement in _TO_GRAPH.items():
        chosen = {position: event for position, event in events.items() if event.kind == kind}
        if not chosen:
            continue
        acts = [
            [event.product, event.request, round(event.at.timestamp() * 1000)]
            for event in chosen.values()
        ]
        found = {row["product"] for row in graph.write(statement, user_id=user_id, rows=acts)}
        refused |= {
            position: "the user or the product is no longer in the graph"
            for position, event in chosen.items()
            if event.product not in found
        }
    return refused
