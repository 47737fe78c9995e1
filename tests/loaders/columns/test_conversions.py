"""Conversion of valid values, and detection of invalid ones."""

from __future__ import annotations

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


def test_an_id_is_stored_without_the_blanks_around_it() -> None:
    assert converted("id", ["007", " x\u200b", "o'brien", "😀"]) == [
        ("007", False),
        ("x", False),
        ("o'brien", False),
        ("😀", False),
    ]
    assert converted("id", [7]) == [("7", False)]


@pytest.mark.parametrize("value", ["", "   ", None, "x" * 1_001])
def test_an_empty_blank_or_too_long_id_is_invalid(value: str | None) -> None:
    assert converted("id", [value], pa.string())[0][1]


def test_flags_have_the_usual_spellings() -> None:
    assert converted("flag", ["true", "FALSE", "1", "0.0", "ja", "maybe", ""]) == [
        (True, False),
        (False, False),
        (True, False),
        (False, False),
        (True, False),
        (None, True),
        (None, False),
    ]
    assert converted("flag", [True, None]) == [(True, False), (None, False)]


def test_a_split_is_one_of_three_words() -> None:
    assert converted("split", ["train", "valid", "test", "", "Train", "dev"]) == [
        ("train", False),
        ("valid", False),
        ("test", False),
        (None, False),
        (None, True),
        (None, True),
    ]


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
