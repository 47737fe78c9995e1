"""Ids in their normal form, in columns and alone."""

from __future__ import annotations

import unicodedata
from typing import Any

import pyarrow as pa
import pytest

from kinfolio.ids import normalized_id
from kinfolio.loaders.columns.ids import IdSurvey, normalized


def converted(*batches: Any) -> list[tuple[list[str | None], list[bool]]]:
    """Return ids and invalid rows of each batch of one column."""
    survey = IdSurvey("user")
    arrays = [batch if isinstance(batch, pa.Array) else pa.array(batch) for batch in batches]
    for array in arrays:
        survey.add(array)
    convert = survey.interpretation().convert
    return [(ids.to_pylist(), mask.tolist()) for ids, mask in map(convert, arrays)]


@pytest.mark.parametrize(
    ("written", "id"),
    [
        ("u1 ", "u1"),
        ("\tu1\r", "u1"),
        ("\u00a0u1\u3000", "u1"),
        ("\ufeffu1\u200b", "u1"),
        ("\u202au1\u202c", "u1"),
        ("u 1", "u 1"),
        ("u\u200b1", "u\u200b1"),
        ("007", "007"),
        ("U1", "U1"),
        (unicodedata.normalize("NFD", "Zoë"), unicodedata.normalize("NFC", "Zoë")),
        ("\u200b", ""),
    ],
)
def test_an_id_has_one_normal_form_in_a_column_and_alone(written: str, id: str) -> None:
    assert normalized_id(written) == id
    assert normalized(pa.array([written])).to_pylist() == [id or None]
    assert normalized_id(id) == id


def test_integral_floats_are_integers_if_the_whole_column_is_so() -> None:
    assert converted(["1.0", "2.00"], ["3", None]) == [
        (["1", "2"], [False, False]),
        (["3", None], [False, True]),
    ]
    for other in ("1.5", "v2.0", "007.0", "1e0", "x"):
        assert converted(["1.0"], [other])[0][0] == ["1.0"]


def test_floats_of_a_parquet_column_are_ids_if_they_are_exact() -> None:
    assert converted([1.0, float("nan"), 2.0**53]) == [
        (["1", None, "9007199254740992"], [False, True, False])
    ]
    assert converted([2.0**53 + 2]) == [([None], [True])]
    assert converted(pa.array([2.0**24 + 2], pa.float32())) == [([None], [True])]
    assert converted([1.5, 2.0]) == [(["1.5", "2"], [False, False])]
    survey = IdSurvey("user").interpretation()
    assert survey.why_invalid(1e20)[1] == (
        "user is a float that may have lost digits; write ids as texts or integers"
    )
    assert survey.why_invalid(float("nan")) == ("no user", "no user")
