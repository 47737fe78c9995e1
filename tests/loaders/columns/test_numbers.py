"""Numbers of a column: one decimal sign, percent or not, one currency."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from kinfolio.loaders.columns.numbers import NumberSurvey


def read(
    values: list[Any], kind: Any = None, *, is_whole: bool = False
) -> tuple[list[Any], str, list[str]]:
    """Return the numbers, the notation, and the reasons of invalid values."""
    raw = pa.array(values, kind)
    survey = NumberSurvey("rating", is_whole=is_whole)
    for row in range(len(raw)):
        survey.add(raw[row : row + 1])
    found = survey.interpretation()
    numbers, invalid = found.convert(raw)
    reasons = [found.why_invalid(raw[row].as_py())[0] for row in invalid.nonzero()[0].tolist()]
    return numbers.to_pylist(), found.name, reasons


@pytest.mark.parametrize(
    ("texts", "expected", "name"),
    [
        (["5", "-2.5", "+3", ".5", "1e3", " 7 ", ""], [5, -2.5, 3, 0.5, 1000, 7, None], ""),
        (["1.234", "3.500"], [1.234, 3.5], ""),
        (["4,5", "5", "1.234"], [4.5, 5, 1234], "decimal comma"),
        (["1.234,56", "-1.234.567"], [1234.56, -1234567], "decimal comma"),
        (["1,234.56", "1,234"], [1234.56, 1234], ""),
        (["1 234,5", "1\u202f234"], [1234.5, 1234], "decimal comma"),
        (["1'234.50", "12\u00a0345"], [1234.5, 12345], ""),
        (["1,23,456.5"], [123456.5], ""),
        (["5%", "12.5 %"], [0.05, 0.125], "percent, 5% is 0.05"),
        (["12,5 %", "5%"], [0.125, 0.05], "decimal comma, percent, 5% is 0.05"),
        (["$5", "(5.00)", "-$2.5"], [5, -5, -2.5], "currency $"),
        (["5,00 EUR", "7"], [5, 7], "decimal comma, currency EUR"),
        (["\u22125", "5-"], [-5, -5], ""),
    ],
)
def test_numbers_are_read_in_the_notation_of_their_column(
    texts: list[str], expected: list[float | None], name: str
) -> None:
    assert read(texts) == (expected, name, [])
    assert read(texts[::-1]) == (expected[::-1], name, [])


@pytest.mark.parametrize(
    ("texts", "expected", "reason"),
    [
        (["1,234"], [None], "rating '1,234' is ambiguous, 1234 or 1.234; write it without"),
        (["12", "1,234"], [12, None], "rating '1,234' is ambiguous"),
        (["\u20ac1.234"], [None], "is ambiguous, 1.234 or 1234"),
        (["4,5", "4.5", "3.5"], [None, 4.5, 3.5], "'4,5' is not a number, read with a decimal p"),
        (["4,5", "2,5", "3.5"], [4.5, 2.5, None], "'3.5' is not a number, read with a decimal c"),
        (["5%", "6%", "7"], [0.05, 0.06, None], "'7' is not a number, read as percent"),
        (["5", "6", "7%"], [5, 6, None], "'7%' is not a number, read as plain numbers"),
        (["5 EUR", "6 EUR", "$7"], [5, 6, None], "'$7' is not a number, read in EUR"),
    ],
)  # fmt: skip
def test_a_number_in_another_notation_is_invalid(
    texts: list[str], expected: list[float | None], reason: str
) -> None:
    numbers, _, reasons = read(texts)
    assert numbers == expected
    assert len(reasons) == 1
    assert reason in reasons[0]


@pytest.mark.parametrize(
    "text",
    ["abc", "NaN", "inf", "-Infinity", "0x10", "1e999", "1 2", "1.2.3", "1,2,3", "--5", "(5", ".",
     "4/5", "%", "$", "5 kg", "1" + " 234" * 50],
)  # fmt: skip
def test_a_text_that_is_no_finite_number_is_invalid(text: str) -> None:
    numbers, _, reasons = read([text])
    assert numbers == [None]
    assert "is not a number" in reasons[0]


def test_numbers_of_a_typed_column_must_be_finite() -> None:
    assert read([1.5, float("nan"), float("inf"), None])[0] == [1.5, None, None, None]
    assert len(read([1.5, float("nan"), float("inf"), None])[2]) == 2
    assert read([2**53 + 1], pa.int64())[2] == []
    assert read([True])[2] == ["rating True is not a number"]


def test_a_whole_number_may_end_in_point_zero() -> None:
    numbers, _, reasons = read(["3", "3.0", "3.5", "x", "", "1e20"], is_whole=True)
    assert numbers == [3, 3, None, None, None, None]
    assert reasons[0] == "rating '3.5' is not a whole number"
    assert read([3.0, 3.5], is_whole=True)[0] == [3, None]
