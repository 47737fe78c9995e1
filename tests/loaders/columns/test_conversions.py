"""Conversion of valid values, and detection of invalid ones."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest

from kinfolio.loaders.columns.conversions import survey
from kinfolio.loaders.columns.kinds import cast_to_kind, common_kind, infer_kind
from kinfolio.loaders.files.tables import Column, Meaning


def converted(meaning: Meaning, values: list[Any], kind: Any = None) -> list[tuple[Any, bool]]:
    """Return the value of each row and whether it is invalid."""
    raw = pa.array(values, kind)
    found = survey(Column(name="c", meaning=meaning, stored="c"))
    found.add(raw)
    result, invalid = found.interpretation().convert(raw)
    return list(zip(result.to_pylist(), invalid.tolist(), strict=True))


def ms(*parts: int) -> int:
    """Return milliseconds since 1970 in UTC, computed independently."""
    return round((datetime(*parts) - datetime(1970, 1, 1)).total_seconds() * 1_000)  # type: ignore[arg-type]


def test_an_id_is_stored_as_written() -> None:
    assert converted("id", ["007", " x", "o'brien", "😀"]) == [
        ("007", False),
        (" x", False),
        ("o'brien", False),
        ("😀", False),
    ]
    assert converted("id", [7]) == [("7", False)]


@pytest.mark.parametrize("value", ["", "   ", None, "x" * 1_001])
def test_an_empty_blank_or_too_long_id_is_invalid(value: str | None) -> None:
    assert converted("id", [value], pa.string())[0][1]


@pytest.mark.parametrize(
    ("text", "number"),
    [("5", 5.0), ("-2.5", -2.5), ("+3", 3.0), (".5", 0.5), ("1e3", 1000.0), (" 7 ", 7.0)],
)
def test_a_number_is_parsed_from_text(text: str, number: float) -> None:
    assert converted("number", [text]) == [(number, False)]


@pytest.mark.parametrize("text", ["abc", "NaN", "inf", "-Infinity", "4,5", "0x10", "1e999", "1 2"])
def test_a_text_that_is_no_finite_number_is_invalid(text: str) -> None:
    assert converted("number", [text]) == [(None, True)]


def test_numbers_of_a_typed_column_must_be_finite() -> None:
    assert converted("number", [1.5, float("nan"), float("inf"), None]) == [
        (1.5, False),
        (None, True),
        (None, True),
        (None, False),
    ]


def test_an_integer_may_end_in_point_zero() -> None:
    assert converted("integer", ["3", "3.0", "3.5", "x", ""]) == [
        (3, False),
        (3, False),
        (None, True),
        (None, True),
        (None, False),
    ]
    assert converted("integer", [3.0, 3.5]) == [(3, False), (None, True)]


def test_flags_have_six_spellings() -> None:
    assert converted("flag", ["true", "FALSE", "1", "0", "yes", "maybe", ""]) == [
        (True, False),
        (False, False),
        (True, False),
        (False, False),
        (True, False),
        (None, True),
        (None, False),
    ]
    assert converted("flag", [True, None]) == [(True, False), (None, False)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2014-01-01", ms(2014, 1, 1)),
        ("2014-01-01T00:00:48+00:00", ms(2014, 1, 1, 0, 0, 48)),
        ("2014-01-01T02:00:48+02:00", ms(2014, 1, 1, 0, 0, 48)),
        ("2014-01-01 00:00:48Z", ms(2014, 1, 1, 0, 0, 48)),
        ("2014-01-01T00:00:48.25", ms(2014, 1, 1, 0, 0, 48) + 250),
        ("2014-01-01T10:30", ms(2014, 1, 1, 10, 30)),
        ("1388534448", 1_388_534_448_000),
        ("1388534448000", 1_388_534_448_000),
        ("1388534448.5", 1_388_534_448_500),
        ("20140102", ms(2014, 1, 2)),
        ("1969-12-31T23:59:59.5", -500),
        ("9999-12-31", ms(9999, 12, 31)),
    ],
)
def test_a_time_is_milliseconds_in_utc(text: str, expected: int) -> None:
    assert converted("time", [text]) == [(expected, False)]
    # A column of one format is converted as a whole, others value by value.
    assert converted("time", [text, "1970", "2020-02-02T02:02:02Z"])[0] == (expected, False)


@pytest.mark.parametrize(
    "text", ["yesterday", "2014-13-01", "2014-02-30", "25:00", "1388534448000000"]
)
def test_a_text_that_is_no_time_is_invalid(text: str) -> None:
    assert converted("time", [text]) == [(None, True)]


def test_typed_times_are_utc() -> None:
    assert converted("time", [datetime(2014, 1, 1), None]) == [
        (ms(2014, 1, 1), False),
        (None, False),
    ]
    assert converted("time", [date(2014, 1, 1)]) == [(ms(2014, 1, 1), False)]
    assert converted("time", [1_388_534_448]) == [(1_388_534_448_000, False)]


def test_a_column_of_times_may_have_empty_values() -> None:
    assert converted("time", ["2014-01-01T00:00:00Z", ""]) == [
        (ms(2014, 1, 1), False),
        (None, False),
    ]


def test_a_split_is_one_of_three_words() -> None:
    assert converted("split", ["train", "valid", "test", "", "Train", "dev"]) == [
        ("train", False),
        ("valid", False),
        ("test", False),
        (None, False),
        (None, True),
        (None, True),
    ]


def test_lists_are_split_at_bars_and_commas() -> None:
    assert converted("list", ["DE|AT", "DE, AT", "DE", "", None]) == [
        (["DE", "AT"], False),
        (["DE", "AT"], False),
        (["DE"], False),
        (None, False),
        (None, False),
    ]
    assert converted("list", [["DE", "AT"], []]) == [(["DE", "AT"], False), (None, False)]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["1", "-20", None], "integer", [1, -20, None]),
        (["1", "2.5"], "number", [1.0, 2.5]),
        (["00734", "12"], "text", ["00734", "12"]),
        (["true", "False"], "flag", [True, False]),
        (["1", "NaN"], "text", ["1", "NaN"]),
        (["99999999999999999999"], "text", ["99999999999999999999"]),
    ],
)
def test_an_additional_column_has_the_narrowest_kind(
    values: list[str | None], kind: str, expected: list[object]
) -> None:
    texts = pa.array(values, pa.string())
    assert infer_kind(texts) == kind
    assert cast_to_kind(texts, kind).to_pylist() == expected


def test_the_common_kind_of_two_batches_includes_both() -> None:
    assert common_kind("integer", "number") == "number"
    assert common_kind("any", "flag") == "flag"
    assert common_kind("flag", "integer") == "text"


def test_a_reason_names_the_column_and_shows_a_short_value() -> None:
    rating = survey(Column(name="rating", meaning="number", stored="rating")).interpretation()
    assert rating.why_invalid("abc") == ("rating 'abc' is not a number", "rating is not a number")
    assert len(rating.why_invalid("x" * 500)[0]) < 100
    user = survey(Column(name="user", meaning="id", stored="user")).interpretation()
    assert user.why_invalid(None)[0] == "no user"
