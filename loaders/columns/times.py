"""Times as milliseconds since 1970 in UTC; a time without a zone is in UTC.

A column has one unit for its numbers and one order of day and month. Times before 1970 or after
tomorrow are invalid: they are usually numbers of another unit, or placeholders.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kinfolio.loaders.columns.arrays import (
    Converted,
    all_false,
    each_distinct,
    is_valid,
    mask_of,
    matches,
    null_where,
    trimmed,
)
from kinfolio.loaders.columns.dates import Ambiguous, Order, order_of, parse_time
from kinfolio.loaders.columns.interpretation import Interpretation
from kinfolio.loaders.columns.units import (
    Unit,
    UnitCount,
    days_since_1970,
    iso,
    latest_ms,
    numbers_of,
)
from kinfolio.loaders.files.rejects import quoted

_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
_ZONE = r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_LOCAL, _WITH_ZONE = f"{_DATE}({_TIME})?$", f"{_DATE}{_TIME}{_ZONE}$"
_ISO = f"{_LOCAL}|{_WITH_ZONE}"
_NUMBER = r"^[+-]?[0-9]{1,30}([.,][0-9]+)?([eE][+-]?[0-9]{1,2})?$"
_EXPECTED = (
    "is not a time: an ISO date such as 2024-01-31, or seconds or milliseconds since 1970, was "
    "expected"
)


class TimeSurvey:
    """Decides on the unit of the numbers of a column, and on the order of day and month."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._units = UnitCount(latest_ms())
        self._orders: set[Order] = set()
        self._has_points = False

    def add(self, values: Any) -> None:
        """Count the forms of some values."""
        if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
            self._units.add(numbers_of(values.drop_null()))
        if not pa.types.is_string(values.type):
            return
        texts = trimmed(values).drop_null()
        is_number = matches(texts, _NUMBER)
        self._units.add(numbers_of(texts.filter(pa.array(is_number))))
        others = texts.filter(pa.array(~is_number & ~matches(texts, _ISO)))
        for text in pc.unique(others).to_pylist():
            order, has_points = order_of(text)
            self._orders |= {order} if order else set()
            self._has_points |= has_points

    def interpretation(self) -> Interpretation:
        """Return the unit and order that were decided on."""
        unit, is_sure = self._units.decide()
        order: Order = None
        if len(self._orders) == 1:
            (order,) = self._orders
        elif not self._orders and self._has_points:
            order = "day"
        names = [unit.name] if is_sure else []
        names += [f"{order} first"] if order else []
        reader = _Reader(self._column, unit, is_sure, order, self._units.last_ms)
        return Interpretation(
            convert=reader.convert, why_invalid=reader.why_invalid, name=" and ".join(names)
        )


class _Reader:
    """Converts the values of one column of times."""

    def __init__(self, column: str, unit: Unit, is_sure: bool, order: Order, last_ms: int) -> None:
        self._column, self._unit, self._is_sure = column, unit, is_sure
        self._order, self._last_ms = order, last_ms

    def convert(self, values: Any) -> Converted:
        """Convert dates, timestamps, ISO and other texts, and numbers."""
        kind = values.type
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            unit = pa.timestamp("ms", tz=kind.tz if pa.types.is_timestamp(kind) else None)
            return self._plausible(values.cast(unit, safe=False).cast(pa.int64()), values)
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            return self._from_numbers(values)
        if not pa.types.is_string(kind):
            return pa.nulls(len(values), pa.int64()), is_valid(values)
        texts = trimmed(values)
        is_number, is_local = matches(texts, _NUMBER), matches(texts, _LOCAL)
        with_zone = matches(texts, _WITH_ZONE)
        found = [self._from_numbers(null_where(texts, ~is_number))[0]] if is_number.any() else []
        for mask, zone in ((is_local, None), (with_zone, "UTC")):
            if mask.any():
                found.append(_from_iso(null_where(texts, ~mask), zone))
        others = is_valid(texts) & ~(is_number | is_local | with_zone)
        if others.any():
            found.append(each_distinct(null_where(texts, ~others), self._parse, pa.int64()))
        times = pc.coalesce(*found, pa.nulls(len(texts), pa.int64()))
        return self._plausible(times, texts)

    def _plausible(self, times: Any, raw: Any) -> Converted:
        out_of_range = mask_of(pc.or_(pc.less(times, 0), pc.greater(times, self._last_ms)))
        times = null_where(times, out_of_range)
        return times, is_valid(raw) & ~is_valid(times)

    def _from_numbers(self, values: Any) -> Converted:
        moments, fits = self._unit.read(numbers_of(values), self._last_ms)
        fits &= is_valid(values)
        if not self._is_sure:
            fits = all_false(values)
        return null_where(pa.array(moments), ~fits), is_valid(values) & ~fits

    def _parse(self, text: str) -> int | None:
        try:
            return parse_time(text, self._order)
        except Ambiguous:
            return None

    def why_invalid(self, value: object) -> tuple[str, str]:
        """Return why a raw value is invalid, with the reading that was tried."""
        kind, detail = f"{self._column} {_EXPECTED}", ""
        if isinstance(value, datetime | date):
            moment = value if isinstance(value, datetime) else datetime(*value.timetuple()[:3])
            return self._out_of_range(value, round(_aware(moment).timestamp() * 1_000))
        text = str(value).strip()
        if isinstance(value, bool):
            pass
        elif isinstance(value, int | float) or matches(pa.array([text]), _NUMBER)[0]:
            kind, detail = self._number_reason(value)
        else:
            try:
                moment_ms = parse_time(text, self._order)
            except Ambiguous:
                why = "is ambiguous: day and month may be either number; write YYYY-MM-DD"
                return f"{self._column} {quoted(value)} {why}", f"{self._column} {why}"
            if moment_ms is not None:
                return self._out_of_range(value, moment_ms)
        return f"{self._column} {quoted(value)} {detail or _EXPECTED}", kind

    def _number_reason(self, value: object) -> tuple[str, str]:
        kind = f"{self._column} is not a time, read as {self._unit.name}"
        raw = pa.array([value.strip() if isinstance(value, str) else value])
        moments, exist = self._unit.to_ms(numbers_of(raw))
        reading = f"it is {iso(int(moments[0]))}" if exist[0] else "there is no such date"
        why = f"is not a time: read as {self._unit.name}, {reading}"
        if exist[0] and not self._unit.first_ms <= moments[0] <= self._last_ms:
            why += f", not between {iso(self._unit.first_ms)[:4]} and today"
        elif not self._is_sure:
            why += ", and most numbers of the column are no times in any one unit"
        return kind, why

    def _out_of_range(self, value: object, moment_ms: int) -> tuple[str, str]:
        today = iso(self._last_ms)[:10]
        why = "is before 1970" if moment_ms < 0 else f"is in the future, after {today}"
        return f"{self._column} {quoted(value)} {why}", f"{self._column} {why}"


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _from_iso(texts: Any, zone: str | None) -> Any:
    """Convert texts of the form 2024-02-29...; null if the day does not exist."""
    year, month, day = (
        pc.fill_null(pc.utf8_slice_codeunits(texts, *place).cast(pa.int64()), 0).to_numpy()
        for place in ((0, 4), (5, 7), (8, 10))
    )
    exist = days_since_1970(year, month, day)[1]
    times = null_where(texts, ~exist).cast(pa.timestamp("us", tz=zone)).cast(pa.int64())
    return null_where(
        pa.array(pc.fill_null(times, 0).to_numpy() // 1_000), ~exist | ~is_valid(texts)
    )
