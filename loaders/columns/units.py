"""Times written as one number: counts since 1970, spreadsheet serials, and dates in digits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

DAY_MS = 86_400_000
_YEAR_1971_MS = 365 * DAY_MS
"""Counts of seconds or less start here: a smaller number is usually of another unit."""
_YEAR_1990_MS = 7_305 * DAY_MS
_YEAR_2100_MS = 47_482 * DAY_MS
_EXCEL_1970 = 25_569
_LAST_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers without loss: int64 whole parts and float64 fractions from 0 to below 1."""

    whole: Ints
    fraction: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One way to read numbers as times."""

    name: str
    to_ms: Callable[[Numbers], tuple[Ints, Mask]]
    """Returns milliseconds since 1970, and where they exist."""
    first_ms: int
    """Earliest plausible time."""
    least: int
    """Smallest and largest plausible number."""
    most: int
    is_calendar: bool = False

    def read(self, numbers: Numbers, last_ms: int) -> tuple[Ints, Mask]:
        """Return milliseconds since 1970, and where they are plausible."""
        moments, exist = self.to_ms(numbers)
        return moments, exist & (moments >= self.first_ms) & (moments <= last_ms)


def _counted(per_ms: int, ms: int, start: int, numbers: Numbers) -> tuple[Ints, Mask]:
    """Convert counts of `ms` milliseconds, or of 1 / `per_ms` of one, since `start`."""
    whole = numbers.whole - start
    exist = np.abs(whole) <= (2**62) // ms
    whole = np.where(exist, whole, 0)
    return whole * ms // per_ms + np.rint(numbers.fraction * ms / per_ms).astype(np.int64), exist


def _digits(count: int, numbers: Numbers) -> tuple[Ints, Mask]:
    """Convert dates in digits: YYYY, YYYYMM, YYYYMMDD, and with hh, hhmm, hhmmss, hhmmssmmm."""
    value = numbers.whole
    exist: Mask = (numbers.fraction == 0) & (value >= 10 ** (count - 1)) & (value < 10**count)
    rest = np.where(exist, value, 0) * 10 ** (17 - count)
    parts = []
    for size in (1_000, 100, 100, 100, 100, 100):
        rest, part = rest // size, rest % size
        parts.append(part)
    ms, second, minute, hour, day, month = parts
    if count < 8:
        day = np.ones_like(day)
    if count < 6:
        month = np.ones_like(month)
    days, is_day = days_since_1970(rest, month, day)
    exist &= is_day & (hour < 24) & (minute < 60) & (second < 60)
    return days * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1_000 + ms, exist


def days_since_1970(year: Ints, month: Ints, day: Ints) -> tuple[Ints, Mask]:
    """Return days since 1970, and where the date exists."""
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = _LAST_DAYS[np.clip(month, 0, 12)] + (is_leap & (month == 2))
    exist: Mask = (year >= 1) & (year <= 9_999) & (month >= 1) & (month <= 12)
    exist &= (day >= 1) & (day <= last)
    months = np.where(exist, (year - 1970) * 12 + month - 1, 0)
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return np.where(exist, first + day - 1, 0), exist


def _count(
    name: str, *, per_ms: int = 1, ms: int = 1, start: int = 0, first_ms: int = _YEAR_1971_MS
) -> Unit:
    return Unit(
        name=name,
        to_ms=partial(_counted, per_ms, ms, start),
        first_ms=first_ms,
        least=first_ms * per_ms // ms + start,
        most=_YEAR_2100_MS * per_ms // ms + start,
    )


def _calendar(name: str) -> Unit:
    return Unit(
        name=name,
        to_ms=partial(_digits, len(name)),
        first_ms=0,
        least=10 ** (len(name) - 1),
        most=10 ** len(name),
        is_calendar=True,
    )


UNITS = (
    _count("seconds since 1970", ms=1_000),
    _count("milliseconds since 1970"),
    _count("microseconds since 1970", per_ms=1_000),
    # These two precede nanoseconds, which all of their numbers are too, of 1974 and 1990.
    _count(".NET ticks", per_ms=10_000, start=621_355_968 * 10**9),
    _count("Windows file times", per_ms=10_000, start=116_444_736 * 10**9),
    _count("nanoseconds since 1970", per_ms=1_000_000),
    _count("microseconds since 1601", per_ms=1_000, start=11_644_473_600 * 10**6),
    _count("Excel's days since 1900", ms=DAY_MS, start=_EXCEL_1970, first_ms=0),
    _count("days since 1970", ms=DAY_MS, first_ms=_YEAR_1990_MS),
    _calendar("YYYYMMDD"),
    _calendar("YYYYMMDDhhmmss"),
    _calendar("YYYYMMDDhhmm"),
    _calendar("YYYYMMDDhh"),
    _calendar("YYYYMMDDhhmmssmmm"),
    _calendar("YYYYMM"),
    _calendar("YYYY"),
)


class UnitCount:
    """Counts the numbers of a column that are plausible in each unit, and decides on one."""

    def __init__(self, last_ms: int) -> None:
        self.last_ms = last_ms
        self.total = 0
        self._plausible = np.zeros(len(UNITS), np.int64)
        self._possible = np.zeros(len(UNITS), np.int64)

    def add(self, numbers: Numbers) -> None:
        """Count some numbers."""
        if not len(numbers):
            return
        self.total += len(numbers)
        least, most = int(numbers.whole.min()), int(numbers.whole.max())
        for place, unit in enumerate(UNITS):
            if most < unit.least or least > unit.most:
                continue
            self._plausible[place] += int(unit.read(numbers, self.last_ms)[1].sum())
            if unit.is_calendar:
                self._possible[place] += int(unit.to_ms(numbers)[1].sum())

    def decide(self) -> tuple[Unit, bool]:
        """Return the unit that fits best, and whether it fits at least half of the numbers.

        A date in digits is preferred where most numbers are one: few other numbers look so, but
        twelve digits are also milliseconds of a plausible year.
        """
        is_calendar = np.array([unit.is_calendar for unit in UNITS])
        dates = np.where(is_calendar, self._plausible, 0)
        counts = dates if 2 * dates.max() > self.total else self._plausible
        if not counts.any():
            counts = self._possible
        best = int(counts.argmax())
        return UNITS[best], 2 * int(self._plausible[best]) >= self.total > 0


def numbers_of(values: Any) -> Numbers:
    """Return pyarrow integers, floats, or texts such as 1388534448.5; null is 0."""
    if pa.types.is_string(values.type):
        return _from_texts(values)
    if pa.types.is_integer(values.type):
        whole = pc.fill_null(values.cast(pa.int64()), 0).to_numpy()
        return Numbers(whole, np.zeros(len(whole)))
    return _from_floats(pc.fill_null(values.cast(pa.float64()), 0.0).to_numpy())


def _from_floats(values: NDArray[np.float64]) -> Numbers:
    values = np.clip(np.nan_to_num(values), -(2.0**62), 2.0**62)
    floor = np.floor(values)
    return Numbers(floor.astype(np.int64), np.clip(values - floor, 0.0, np.nextafter(1.0, 0.0)))


def _from_texts(texts: Any) -> Numbers:
    texts = pc.replace_substring(texts, pattern=",", replacement=".")
    is_whole = pc.fill_null(
        pc.match_substring_regex(texts, r"^[+-]?[0-9]{1,18}$|^[0-8][0-9]{18}$"), False
    )
    whole = pc.if_else(is_whole, pc.ascii_ltrim(texts, "+"), "0").cast(pa.int64())
    others = pc.if_else(is_whole, "0", pc.ascii_ltrim(texts, "+")).cast(pa.float64())
    found = _from_floats(pc.fill_null(others, 0.0).to_numpy())
    return Numbers(pc.fill_null(whole, 0).to_numpy() + found.whole, found.fraction)


def latest_ms() -> int:
    """Return the latest plausible time: one day from now."""
    return int(time.time() * 1_000) + DAY_MS


def iso(moment_ms: int) -> str:
    """Return milliseconds since 1970 as an ISO date, with the time unless it is midnight."""
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment_ms)
    except OverflowError:
        return "after the year 9999" if moment_ms > 0 else "before the year 1"
    is_midnight = moment_ms % DAY_MS == 0
    return moment.strftime("%Y-%m-%d") if is_midnight else f"{moment:%Y-%m-%dT%H:%M:%S}"
