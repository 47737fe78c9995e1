"""The records of the event log, and their lines of JSON."""

from __future__ import annotations

import json
import secrets
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, get_args

from kinfolio.errors import BadInput

EventKind = Literal["shown", "opened", "dismissed", "held"]
KINDS: tuple[EventKind, ...] = get_args(EventKind)
REQUEST_FIELD = b'{"request":"'
"""Begin of every line; the id of the request follows."""
REQUEST_LENGTH = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A list that was shown to a user."""

    request: str
    """Id of the list, unguessable; events name it."""
    user: str
    version: str | None
    """Version that served the user; None: ranked by popularity without one."""
    source: str
    at: datetime
    products: tuple[str, ...]
    """Ids, in the order of their places from 1."""
    split: int | None = None
    """Percentage of the users served by the other slot at that time; None: no split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a user did with one product of a list."""

    request: str
    product: str
    kind: EventKind
    at: datetime
    """Time of the act; without a zone it is UTC."""


def new_request() -> str:
    """Return a fresh id: a UUID of version 7 (RFC 9562).

    Its first 48 bits are the time, which names the file of the list; the other 74 are random.
    """
    value = time.time_ns() // 1_000_000 << 80 | 7 << 76 | 2 << 62
    return str(uuid.UUID(int=value | secrets.randbits(12) << 64 | secrets.randbits(62)))


def day_of(request: str) -> date | None:
    """Return the UTC day of a request; None: it is no id of `new_request`."""
    try:
        found = uuid.UUID(request)
        moment = datetime.fromtimestamp((found.int >> 80) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.date() if str(found) == request and found.version == 7 else None


def in_utc(moment: datetime) -> datetime:
    """Return a time with its zone, UTC; one without a zone is taken for UTC.

    Raises:
        BadInput: it is outside the years 1 to 9999 there.
    """
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise BadInput(f"the time {moment} is no year of UTC; give one from 1 to 9999") from error


def shown_line(shown: Shown) -> bytes:
    """Return the line of a list."""
    return _line(
        shown.request,
        kind="shown",
        user=shown.user,
        version=shown.version,
        source=shown.source,
        split=shown.split,
        at=_text(shown.at),
        products=shown.products,
    )


def event_line(user: str, event: Event) -> bytes:
    """Return the line of an event; the user is repeated, so that a deletion finds it."""
    return _line(
        event.request, kind=event.kind, user=user, product=event.product, at=_text(event.at)
    )


def user_of(line: bytes) -> str | None:
    """Return the user of a line; None: it is damaged."""
    try:
        found = json.loads(line)
        return str(found["user"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def record_of(line: bytes) -> Shown | Event | None:
    """Return the record of a line; None: it is damaged."""
    try:
        found = json.loads(line)
        return _record(found)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _record(found: Any) -> Shown | Event:  # Any: a JSON document
    at = in_utc(datetime.fromisoformat(found["at"]))
    if found["kind"] not in KINDS:
        raise ValueError
    if found["kind"] != "shown":
        return Event(
            request=str(found["request"]), product=str(found["product"]), kind=found["kind"], at=at
        )
    split = found["split"]
    return Shown(
        request=str(found["request"]),
        user=str(found["user"]),
        version=None if found["version"] is None else str(found["version"]),
        source=str(found["source"]),
        at=at,
        products=tuple(map(str, found["products"])),
        split=None if split is None else int(split),
    )


def _line(request: str, **values: object) -> bytes:
    # ASCII only: half a surrogate pair in an id cannot fail, and no byte is split from its letter.
    text = json.dumps({"request": request, **values}, separators=(",", ":"))
    return text.encode("ascii") + b"\n"


def _text(moment: datetime) -> str:
    return in_utc(moment).isoformat(timespec="milliseconds")
