"""Times of a column: one unit for its numbers, one order of day and month, plausible times only."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from kinfolio.loaders.columns.times import TimeSurvey


def read(values: list[Any], kind: Any = None, batches: int = 1) -> tuple[list[Any], str, list[str]]:
    """Return the values as datetimes, the interpretation's name, and reasons of invalid values."""
    raw = pa.array(values, kind)
    survey = TimeSurvey("timestamp")
    size = -(-len(raw) // batches)
    for first in range(0, len(raw), size):
        survey.add(raw[first : first + size])
    found = survey.interpretation()
    times, invalid = found.convert(raw)
    reasons = [found.why_invalid(raw[row].as_py())[0] for row in invalid.nonzero()[0].tolist()]
    epoch = datetime(1970, 1, 1)
    return (
        [None if ms is None else epoch + timedelta(milliseconds=ms) for ms in times.to_pylist()],
        found.name,
        reasons,
    )


NOON = datetime(2024, 1, 31, 12)
DAY = datetime(2024, 1, 31)
IN_UNITS = [
    ("1706702400", NOON, "seconds since 1970"),
    ("1706702400.25", NOON + timedelta(seconds=0.25), "seconds since 1970"),
    ("1.7067024e9", NOON, "seconds since 1970"),
    ("978300760", datetime(2000, 12, 31, 22, 12, 40), "seconds since 1970"),
    ("1706702400123", NOON + timedelta(milliseconds=123), "milliseconds since 1970"),
    ("946684800000", datetime(2000, 1, 1), "milliseconds since 1970"),
    ("1706702400123456", NOON + timedelta(milliseconds=123), "microseconds since 1970"),
    ("1706702400123456789", NOON + timedelta(milliseconds=123), "nanoseconds since 1970"),
    ("915148800000000000", datetime(1999, 1, 1), "nanoseconds since 1970"),
    ("638422992001230000", NOON + timedelta(milliseconds=123), ".NET ticks"),
    ("133511760000000000", NOON, "Windows file times"),
    ("13351176000000000", NOON, "microseconds since 1601"),
    ("45322", DAY, "Excel's days since 1900"),
    ("45322.5", NOON, "Excel's days since 1900"),
    ("45322,5", NOON, "Excel's days since 1900"),
    ("45322.520833333336", datetime(2024, 1, 31, 12, 30), "Excel's days since 1900"),
    ("19753", DAY, "days since 1970"),
    ("2024", datetime(2024, 1, 1), "YYYY"),
    ("202403", datetime(2024, 3, 1), "YYYYMM"),
    ("20240131", DAY, "YYYYMMDD"),
    ("2024013112", NOON, "YYYYMMDDhh"),
    ("202401311200", NOON, "YYYYMMDDhhmm"),
    ("20240131120000", NOON, "YYYYMMDDhhmmss"),
    ("20240131120000123", NOON + timedelta(milliseconds=123), "YYYYMMDDhhmmssmmm"),
]


@pytest.mark.parametrize(("text", "expected", "name"), IN_UNITS)
def test_numbers_are_read_in_the_unit_that_makes_them_plausible(
    text: str, expected: datetime, name: str
) -> None:
    assert read([text, ""]) == ([expected, None], name, [])
    if text.isdigit():
        assert read([int(text), None], pa.int64()) == ([expected, None], name, [])
    if len(text) < 16 and "," not in text:
        assert read([float(text), None], pa.float64()) == ([expected, None], name, [])


@pytest.mark.parametrize("values", [
    ["1706702400"] * 4 + ["1706702400000", "2024", "45322", "0"],
    ["0", "45322", "2024", "1706702400000"] + ["1706702400"] * 4,
])  # fmt: skip
def test_a_column_has_one_unit_whatever_the_order_of_rows_and_batches(values: list[str]) -> None:
    for batches in (1, 3, len(values)):
        times, name, reasons = read(values, batches=batches)
        assert name == "seconds since 1970"
        assert [time for time in times if time] == [NOON] * values.count("1706702400")
        assert len(reasons) == 4
    assert (
        "timestamp '1706702400000' is not a time: read as seconds since 1970, it is after the "
        "year 9999, not between 1971 and today"
    ) in reasons
    assert any("'2024' is not a time: read as seconds since 1970, it is 1970-01-01" in why
               for why in reasons)  # fmt: skip


def test_one_wrong_date_does_not_make_milliseconds_of_the_others() -> None:
    """Twelve digits are also milliseconds of the seventies."""
    times, name, reasons = read(["202401311200", "202402011200", "202413011200"])
    assert (times[0], name) == (NOON, "YYYYMMDDhhmm")
    assert reasons == [
        "timestamp '202413011200' is not a time: read as YYYYMMDDhhmm, there is no such date"
    ]


@pytest.mark.parametrize("values", [["1", "2", "3"], [1, 2, 3], [0.5, 1.5], ["-5"]])
def test_numbers_that_are_plausible_in_no_unit_are_invalid(values: list[Any]) -> None:
    times, name, reasons = read(values)
    assert (set(times), name) == ({None}, "")
    assert "read as seconds since 1970, it is 19" in reasons[0]


def test_times_in_the_future_and_before_1970_are_invalid() -> None:
    next_year = datetime.now(UTC).year + 1
    times, _, reasons = read(
        ["9999-12-31", f"{next_year}-06-01T00:00:00Z", "1969-12-31T23:59:59.5", "1970-01-01"]
    )
    assert times == [None, None, None, datetime(1970, 1, 1)]
    assert "timestamp '9999-12-31' is in the future, after " in reasons[0]
    assert reasons[2] == "timestamp '1969-12-31T23:59:59.5' is before 1970"
    tomorrow = (datetime.now(UTC) + timedelta(hours=23)).replace(microsecond=0, tzinfo=None)
    assert read([tomorrow.isoformat()])[0] == [tomorrow]
    assert read([str(next_year)])[2] == [
        f"timestamp '{next_year}' is not a time: read as YYYY, it is {next_year}-01-01, "
        "not between 1970 and today"
    ]
    assert read([date(9999, 12, 31), date(2024, 1, 31)])[0] == [None, DAY]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-31T12:00:00+00:00", NOON),
        ("2024-01-31T14:00:00+02:00", NOON),
        ("2024-01-31 12:00:00Z", NOON),
        ("2024-01-31T12:00", NOON),
        ("2024-01-31 12:00:00.123456789", NOON + timedelta(milliseconds=123)),
        ("2024-01-31 12:00:00 UTC", NOON),
        ("2024-01-31 07:00:00-05", NOON),
        ("2024-01-31 17:30:00 +0530", NOON),
        ("2024-01-31T13:00:00+01:00[Europe/Berlin]", NOON),
        ("2024-07-31 14:00:00 Europe/Berlin", datetime(2024, 7, 31, 12)),
        ("2024-01-31+01:00", datetime(2024, 1, 30, 23)),
        ("20240131T120000Z", NOON),
        ("20240131 12:00:00", NOON),
        ("2024-W05-3", DAY),
        ("2024/01/31 12:00:00", NOON),
        ("2024-1-31", DAY),
        ("31.12.2023", datetime(2023, 12, 31)),
        ("31.1.2024 12:00", NOON),
        ("31 Jan 2024", DAY),
        ("January 31, 2024", DAY),
        ("Wed, 31 Jan 2024 13:00:00 +0100", NOON),
        ("31/Jan/2024:12:00:00 +0000", NOON),
        ("1/31/2024 12:00:00 PM", NOON),
        ("1/31/2024 12:30 am", datetime(2024, 1, 31, 0, 30)),
        ("2024-03", datetime(2024, 3, 1)),
        ("03/2024", datetime(2024, 3, 1)),
        ("Mar 2024", datetime(2024, 3, 1)),
        ("2024-Q3", datetime(2024, 7, 1)),
        ("2024Q3", datetime(2024, 7, 1)),
        ("Q3 2024", datetime(2024, 7, 1)),
    ],
)
def test_a_date_is_read_as_people_and_programs_write_it(text: str, expected: datetime) -> None:
    assert read([text])[0] == [expected]
    # A column of one format is converted as a whole, others value by value.
    assert read([text, "2020-02-02T02:02:02Z", ""])[0] == [
        expected,
        datetime(2020, 2, 2, 2, 2, 2),
        None,
    ]


def test_the_order_of_day_and_month_is_that_of_the_column() -> None:
    march_4, april_3 = datetime(2024, 3, 4), datetime(2024, 4, 3)
    day_first = read(["03/04/2024", "13/12/2023"], batches=2)
    assert day_first == ([april_3, datetime(2023, 12, 13)], "day first", [])
    month_first = read(["03/04/2024", "12/13/2023"])
    assert month_first == ([march_4, datetime(2023, 12, 13)], "month first", [])
    assert read(["03.04.2024"]) == ([april_3], "day first", [])
    assert read(["03.04.2024", "12.31.2023"])[0][0] == march_4
    for undecided in ([], ["31/12/2023", "12/31/2023"]):
        times, name, reasons = read(["03/04/2024", "05-05-2024", *undecided])
        assert times[:2] == [None, datetime(2024, 5, 5)]
        assert name == ""
        assert reasons == [
            "timestamp '03/04/2024' is ambiguous: day and month may be either number; "
            "write YYYY-MM-DD"
        ]


@pytest.mark.parametrize(
    "text",
    [
        "yesterday", "2014-13-01", "2014-02-30", "2014-02-30T00:00:00", "25:00", "30/02/2024",
        "31.12.24", "13/13/2024", "2024-01-31 25:00", "2024-01-31 13:00 PM", "2024-Q5", "2024-W60",
        "2024-01-31T12:00 Mars/Phobos",
        "2024-01-31T12:00 America/Argentina", "2024-01-31 12:00 CET", "2024-01-31+99:00",
        "31 Foo 2024",
        "\u0662\u0660\u0662\u0664", "1e99", "9" * 30, "T", "0000-00-00",
    ],
)  # fmt: skip
def test_a_text_that_is_no_time_is_invalid(text: str) -> None:
    times, _, reasons = read([text])
    assert times == [None]
    assert text in reasons[0]
    assert "is not a time" in reasons[0]


def test_typed_times_are_utc() -> None:
    in_berlin = pa.timestamp("us", tz="Europe/Berlin")
    assert read([NOON.replace(tzinfo=UTC), None], in_berlin)[0] == [NOON, None]
    assert read([NOON], pa.timestamp("ns"))[0] == [NOON]
    assert read([DAY.date()], pa.date64())[0] == [DAY]
    assert read([True], pa.bool_())[2][0].startswith("timestamp True is not a time")
