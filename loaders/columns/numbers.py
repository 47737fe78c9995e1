"""Numbers as programs and people write them, in one notation for a whole column.

The notation is a decimal point or comma, with or without thousands separators; numbers or percent;
one currency. What a column does not decide is invalid, such as `1,234` alone.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
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
from kinfolio.loaders.columns.interpretation import Interpretation
from kinfolio.loaders.files.rejects import quoted

_PLAIN = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?$"
_COULD_BE_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2}\.[0-9]{3}$"
_MAX_WHOLE = 10**15
_MAX_LENGTH = 60
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2212": "-"})
_CURRENCY = r"(?:(?:US|CA|A|AU|NZ|HK|R|S)?\$|[€£¥₹₩₺฿₽]|[A-Z]{3}|Fr\.|kr\.?|zł)"
_DECORATED = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[+-])?\s*(?P<before>{_CURRENCY})?\s*(?P<sign2>[+-])?\s*"
    rf"(?P<digits>[0-9.,][0-9.,' \u2019]*?(?:[eE][+-]?[0-9]{{1,2}})?)\s*"
    rf"(?P<after>{_CURRENCY}|%)?\s*(?P<sign3>-)?\s*(?P<close>\))?"
)
_EXPONENT = r"(?P<exponent>[eE][+-]?[0-9]{1,2})?"
_WITH_POINT = re.compile(
    r"(?P<whole>[1-9]\d{0,2}(?P<mark>[,' \u2019])\d{3}(?:(?P=mark)\d{3})*"
    rf"|[1-9]\d?(?:,\d{{2}})+,\d{{3}}|\d*)(?:\.(?P<decimals>\d*))?{_EXPONENT}"
)
_WITH_COMMA = re.compile(
    r"(?P<whole>[1-9]\d{0,2}(?P<mark>[.' \u2019])\d{3}(?:(?P=mark)\d{3})*|\d*)"
    rf"(?:,(?P<decimals>\d*))?{_EXPONENT}"
)


@dataclass(frozen=True, slots=True)
class _Written:
    """A number as written, apart from sign, currency and percent."""

    digits: str
    is_negative: bool
    currency: str
    is_percent: bool

    @property
    def value_with_point(self) -> float | None:
        return _value(_WITH_POINT, self.digits)

    @property
    def value_with_comma(self) -> float | None:
        return _value(_WITH_COMMA, self.digits)

    @property
    def is_ambiguous(self) -> bool:
        """Whether both notations have a value, and not the same one."""
        with_point, with_comma = self.value_with_point, self.value_with_comma
        return None not in (with_point, with_comma) and with_point != with_comma


def _value(form: re.Pattern[str], digits: str) -> float | None:
    found = form.fullmatch(digits)
    if not found or not (found["whole"] or found["decimals"]):
        return None
    whole = re.sub(r"\D", "", found["whole"]) or "0"
    return float(f"{whole}.{found['decimals'] or 0}{found['exponent'] or ''}")


def _written(text: str) -> _Written | None:
    """Take a text apart; None if it is no number in any notation."""
    found = _DECORATED.fullmatch(text.translate(_SPACES)) if len(text) < _MAX_LENGTH else None
    if not found or bool(found["open"]) != bool(found["close"]):
        return None
    signs = [found[name] for name in ("sign", "sign2", "sign3") if found[name]]
    signs += ["-"] if found["open"] else []
    marks = [found[name] for name in ("before", "after") if found[name]]
    if len(signs) > 1 or len(marks) > 1:
        return None
    mark = marks[0] if marks else ""
    return _Written(found["digits"], signs == ["-"], "" if mark == "%" else mark, mark == "%")


class NumberSurvey:
    """Decides on the notation of a column of numbers."""

    def __init__(self, column: str, *, is_whole: bool) -> None:
        self._column, self._is_whole = column, is_whole
        self._total = self._percent = self._with_point = self._with_comma = 0
        self._currencies = Counter[str]()

    def add(self, values: Any) -> None:
        """Count the notations of some values."""
        if not pa.types.is_string(values.type):
            return
        texts = trimmed(values).drop_null()
        is_plain = matches(texts, _PLAIN)
        has_point = is_plain & mask_of(pc.match_substring(texts, "."))
        self._total += int(is_plain.sum())
        self._with_point += int((has_point & ~matches(texts, _COULD_BE_THOUSANDS)).sum())
        for entry in pc.value_counts(texts.filter(pa.array(~is_plain))).to_pylist():
            if written := _written(entry["values"]):
                self._count(written, entry["counts"])

    def _count(self, written: _Written, times: int) -> None:
        self._total += times
        self._percent += times * written.is_percent
        self._currencies.update({written.currency: times} if written.currency else {})
        with_point, with_comma = written.value_with_point, written.value_with_comma
        if with_comma is None and with_point is not None:
            self._with_point += times
        elif with_point is None and with_comma is not None:
            self._with_comma += times

    def interpretation(self) -> Interpretation:
        """Return the notation of most values."""
        decimal = "" if not self._with_point + self._with_comma else "point"
        if self._with_comma > self._with_point:
            decimal = "comma"
        most = sorted(self._currencies.items(), key=lambda one: (-one[1], one[0]))
        reader = _Reader(
            column=self._column,
            is_whole=self._is_whole,
            decimal=decimal,
            currency=most[0][0] if most else "",
            is_percent=2 * self._percent > self._total,
        )
        return Interpretation(
            convert=reader.convert, why_invalid=reader.why_invalid, name=reader.name
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Converts the numbers of one column."""

    column: str
    is_whole: bool
    decimal: str
    """`point`, `comma`, or empty: no value shows it."""
    currency: str
    is_percent: bool

    @property
    def name(self) -> str:
        """Return the notation; empty for plain numbers."""
        names = ["decimal comma"] if self.decimal == "comma" else []
        names += ["percent, 5% is 0.05"] if self.is_percent else []
        names += [f"currency {self.currency}"] if self.currency else []
        return ", ".join(names)

    def convert(self, values: Any) -> Converted:
        """Convert to finite float64, or int64 for whole numbers."""
        if pa.types.is_boolean(values.type) or pa.types.is_temporal(values.type):
            kind = pa.int64() if self.is_whole else pa.float64()
            return pa.nulls(len(values), kind), is_valid(values)
        raw = values
        if pa.types.is_string(values.type):
            raw = trimmed(values)
            values = self._from_texts(raw)
        numbers = values.cast(pa.float64(), safe=False)
        invalid = is_valid(raw) & ~mask_of(pc.is_finite(numbers))
        if self.is_whole:
            is_whole = mask_of(pc.equal(numbers, pc.floor(numbers)))
            is_small = mask_of(pc.less_equal(pc.abs(numbers), float(_MAX_WHOLE)))
            invalid |= is_valid(raw) & ~(is_whole & is_small)
            return null_where(numbers, invalid).cast(pa.int64(), safe=False), invalid
        return null_where(numbers, invalid), invalid

    def _from_texts(self, texts: Any) -> Any:
        is_plain = matches(texts, _PLAIN) if not self.is_percent else all_false(texts)
        if self.decimal == "comma":
            is_plain &= ~mask_of(pc.match_substring(texts, "."))
        # Arrow's cast accepts no leading plus.
        plain = pc.ascii_ltrim(null_where(texts, ~is_plain), "+").cast(pa.float64())
        others = is_valid(texts) & ~is_plain
        if not others.any():
            return plain
        parsed = each_distinct(null_where(texts, ~others), self._parse, pa.float64())
        return pc.coalesce(plain, parsed)

    def _parse(self, text: str) -> float | None:
        """Return one number; None if it is not of the column's notation."""
        written = _written(text)
        if (
            written is None
            or written.is_percent != self.is_percent
            or (written.currency and written.currency != self.currency)
        ):
            return None
        value = written.value_with_point
        if self.decimal == "comma":
            value = written.value_with_comma
        elif written.is_ambiguous and not self.decimal:
            return None
        if value is None:
            return None
        return (-value if written.is_negative else value) / (100 if self.is_percent else 1)

    def why_invalid(self, value: object) -> tuple[str, str]:
        """Return why a raw value is invalid, with the notation that was tried."""
        what = "a whole number" if self.is_whole else "a number"
        why = f"is not {what}"
        written = _written(value.strip()) if isinstance(value, str) else None
        if written and written.is_ambiguous and not self.decimal:
            both = f"{written.value_with_point:.12g} or {written.value_with_comma:.12g}"
            why = f"is ambiguous, {both}; write it without thousands separators"
            return f"{self.column} {quoted(value)} {why}", f"{self.column} is ambiguous"
        if written and self._parse(str(value).strip()) is None:
            why += f", read {self._notation}"
        return f"{self.column} {quoted(value)} {why}", f"{self.column} {why}"

    @property
    def _notation(self) -> str:
        notations = [f"with a decimal {self.decimal}"] if self.decimal else []
        notations += ["as percent"] if self.is_percent else []
        notations += [f"in {self.currency}"] if self.currency else []
        return " ".join(notations) or "as plain numbers"
