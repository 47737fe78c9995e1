"""Dates and times as people and programs write them, one text at a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Order = Literal["day", "month"] | None
"""Which number of 03/04/2024 comes first; None: it is not known."""

_MAX_LENGTH = 100
_MONTHS = {
    name: number
    for number, name in enumerate(
        "jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1
    )
}
_WORD = rf"(?P<word>{'|'.join(_MONTHS)})[a-z]*\.?"
_CLOCK = (
    r"(?:(?:[T_]|,?\s+|:)(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?(?:\s*(?P<half>[ap])\.?m\.?)?)?"
)
_ZONE = (
    r"\s*(?:Z|(?:UTC|GMT)?(?P<offset>[+-]\d{2}(?::?\d{2})?)?|UTC|GMT)"
    r"(?:\s*\[?(?P<place>[a-z]+(?:/[a-z_+-]+)+)\]?)?"
)
_DAYS = [
    re.compile(rf"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?{date}{_CLOCK}{_ZONE}", re.I)
    for date in (
        r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
        r"(?P<one>\d{1,2})(?P<mark>[-/.])(?P<two>\d{1,2})(?P=mark)(?P<year>\d{4})",
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[-\s./]*{_WORD}[-\s,/]*(?P<year>\d{{4}})",
        rf"{_WORD}\s*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s*(?P<year>\d{{4}})",
    )
]
_MONTH_FORMS = [
    re.compile(form, re.I)
    for form in (
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})",
        r"(?P<month>\d{1,2})[-/.](?P<year>\d{4})",
        r"(?P<year>\d{4})[-/.\s]?Q(?P<quarter>[1-4])",
        r"Q(?P<quarter>[1-4])[-/.\s]?(?P<year>\d{4})",
        rf"{_WORD}[-\s,]*(?P<year>\d{{4}})",
    )
]
_TWO_NUMBERS = _DAYS[1]


class Ambiguous(ValueError):
    """The day and the month of a date could be either of two numbers."""


def order_of(text: str) -> tuple[Order, bool]:
    """Return which number of a date such as 31/12/2024 is the day, and whether points divide it.

    The first is None for a date that has both orders, or no date of this form.
    """
    found = _TWO_NUMBERS.fullmatch(text) if len(text) < _MAX_LENGTH else None
    if not found:
        return None, False
    one, two = int(found["one"]), int(found["two"])
    is_day_first = one > 12 >= two
    order: Order = "day" if is_day_first else "month" if two > 12 >= one else None
    return order, found["mark"] == "."


def parse_time(text: str, order: Order) -> int | None:
    """Return milliseconds since 1970 in UTC; None if the text is no date.

    Raises:
        Ambiguous: `order` is needed and not known.
    """
    try:
        moment = _parse(text, order)
        if moment is None:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except Ambiguous:
        raise
    except (ValueError, OverflowError, ZoneInfoNotFoundError, OSError):  # a folder of zones
        return None
    return (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000


def _parse(text: str, order: Order) -> datetime | None:
    if len(text) >= _MAX_LENGTH:
        return None
    for form in _DAYS:
        if found := form.fullmatch(text):
            return _moment(found.groupdict(), order)
    for form in _MONTH_FORMS:
        if found := form.fullmatch(text):
            parts = found.groupdict()
            quarter = parts.get("quarter")
            month = 3 * int(quarter) - 2 if quarter else _month(parts)
            return datetime(int(parts["year"]), month, 1)
    # Other ISO forms: 20240131T120000Z, 20240131 12:00, 2024-W05-3.
    return datetime.fromisoformat(text) if re.search(r"[TW]|^[0-9]{8} ", text) else None


def _month(parts: dict[str, str | None]) -> int:
    word = parts.get("word")
    return _MONTHS[word.lower()] if word else int(parts["month"] or 0)


def _moment(parts: dict[str, str | None], order: Order) -> datetime:
    one, two = parts.get("one"), parts.get("two")
    if one and two:
        numbers = int(one), int(two)
        if max(numbers) <= 12 and numbers[0] != numbers[1] and order is None:
            raise Ambiguous
        # A number above 12 is the day whatever the order.
        is_month_first = numbers[1] > 12 or (numbers[0] <= 12 and order == "month")
        month, day = numbers if is_month_first else (numbers[1], numbers[0])
    else:
        month, day = _month(parts), int(parts["day"] or 0)
    hour = int(parts["hour"] or 0)
    if half := parts["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    fraction = (parts["fraction"] or "").ljust(6, "0")[:6]
    moment = datetime(
        int(parts["year"] or 0),
        month,
        day,
        hour,
        int(parts["minute"] or 0),
        int(parts["second"] or 0),
        int(fraction),
    )
    if offset := parts["offset"]:
        hours, minutes = int(offset[1:3]), int(offset[3:].lstrip(":") or 0)
        if hours > 23 or minutes > 59:
            raise ValueError(offset)
        shift = timedelta(hours=hours, minutes=minutes)
        return (moment - shift if offset[0] == "+" else moment + shift).replace(tzinfo=UTC)
    if place := parts["place"]:
        return moment.replace(tzinfo=ZoneInfo(place))
    return moment
