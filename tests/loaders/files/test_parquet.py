"""Parquet columns of every type: the right value, a rejected row, or one sentence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kinfolio.errors import BadInput
from kinfolio.loaders.files.readers import read
from kinfolio.loaders.files.rejects import Rejects
from kinfolio.loaders.files.tables import find_tables

NAN = float("nan")
ID = UUID(int=7)
NOON = dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC)
NOT_UTF8 = pa.array([b"\xff", b"1"]).view(pa.string())
COLUMNS: list[tuple[Any, Any, list[Any]]] = [
    ([1, 2], pa.uint8(), [1, 2]),
    ([1.5, NAN], pa.float16(), [1.5, None]),
    ([Decimal("1.5"), None], pa.decimal256(50, 3), [1.5, None]),
    ([Decimal(15), Decimal(2**62)], pa.decimal128(38, 0), [15, 2**62]),
    (["a", None], pa.string_view(), ["a", None]),
    ([b"a", None], pa.large_binary(), ["a", None]),
    ([b"ab", b"cd"], pa.binary(2), ["ab", "cd"]),
    ([ID.bytes, None], pa.uuid(), [str(ID), None]),
    ([None, None], pa.null(), [None, None]),
    (["x", "y"], pa.dictionary(pa.int8(), pa.large_string()), ["x", "y"]),
    ([dt.date(2024, 7, 1), None], pa.date64(), [dt.date(2024, 7, 1), None]),
    ([1_719_835_200_123_456_789, None], pa.timestamp("ns"), [
        dt.datetime(2024, 7, 1, 12, 0, 0, 123456), None
    ]),
    ([NOON, None], pa.timestamp("s", tz="Europe/Berlin"), [NOON, None]),
    ([NOON, None], pa.timestamp("ns", tz="+05:30"), [NOON, None]),
    ([["a", "b"], None], pa.large_list(pa.string()), [["a", "b"], None]),
    ([[1.0, 2.0], None], pa.list_(pa.float32(), 2), [[1.0, 2.0], None]),
    ([[1], []], pa.list_view(pa.uint16()), [[1], []]),
    ([["a"], ["b"]], pa.list_(pa.dictionary(pa.int8(), pa.string())), [["a"], ["b"]]),
]  # fmt: skip


def read_column(folder: Path, values: Any) -> tuple[list[Any], list[str]]:
    """Return a column as read from Parquet, and the reasons of rejected rows."""
    ends = [f"u{row}" for row in range(len(values))]
    table = pa.table({"user": ends, "product": ends, "x": values})
    pq.write_table(table, folder / "interactions.parquet")
    rejects = Rejects()
    (batch,) = read(find_tables(folder)[0], rejects)
    return batch.columns["x"].to_pylist(), [row.reason for row in rejects.all()]


@pytest.mark.parametrize(("values", "kind", "expected"), COLUMNS, ids=lambda one: str(one)[:30])
def test_a_column_is_stored_as_the_type_nearest_to_its_own(
    tmp_path: Path, values: list[Any], kind: Any, expected: list[Any]
) -> None:
    assert read_column(tmp_path, pa.array(values, kind)) == (expected, [])


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        ([2**63, 1], pa.uint64(), "x 9223372036854775808 is too large"),
        ([Decimal(10**30), 1], pa.decimal128(38, 0), f"x {10**30} is too large"),
        ([b"\xff", b"1"], pa.binary(), "x b'\\xff' is not UTF-8"),
        (NOT_UTF8, None, "x b'\\xff' is not UTF-8"),
        ([["a", None], ["b"]], pa.list_(pa.string()), "x ['a', None] has an empty entry"),
        ([[1.0, NAN], [1.0]], pa.list_(pa.float64()), "x [1.0, nan] has an empty entry"),
        ([[2**63], [1]], pa.list_(pa.uint64()), "has an entry that is too large"),
        ([2**31 - 1, 1], pa.date32(), "x 2147483647 is not between the years 1 and 9999"),
        ([2**50, 1], pa.timestamp("s"), "is not between the years 1 and 9999"),
    ],
)
def test_a_value_that_a_graph_cannot_store_rejects_its_row(
    tmp_path: Path, values: list[Any], kind: Any, reason: str
) -> None:
    stored, reasons = read_column(tmp_path, pa.array(values, kind) if kind else values)
    assert len(stored) == len(reasons) == 1
    assert reason in reasons[0]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([{"a": 1}], pa.struct({"a": pa.int64()})),
        ([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
        ([[[1]]], pa.list_(pa.list_(pa.int64()))),
        ([[NOON]], pa.list_(pa.timestamp("us"))),
        ([1], pa.duration("s")),
        ([1], pa.time64("ns")),
    ],
)
def test_a_column_of_a_type_that_cannot_be_stored_is_refused_by_name(
    tmp_path: Path, values: list[Any], kind: Any
) -> None:
    with pytest.raises(BadInput, match=r"column 'x' of type .*; remove it"):
        read_column(tmp_path, pa.array(values, kind))


TWO_COLUMNS = pa.table({"user": ["u1"] * 1_000, "product": ["A"] * 1_000})


def write_encrypted(path: Path) -> None:
    import base64

    from pyarrow.parquet import encryption

    class Keys(encryption.KmsClient):  # type: ignore[misc]  # pyarrow has no types
        def __init__(self, _: Any) -> None:
            super().__init__()

        def wrap_key(self, key: bytes, _: str) -> bytes:
            return base64.b64encode(key)

    properties = encryption.CryptoFactory(Keys).file_encryption_properties(
        encryption.KmsConnectionConfig(),
        encryption.EncryptionConfiguration(footer_key="k", column_keys={"k": ["user"]}),
    )
    with pq.ParquetWriter(path, TWO_COLUMNS.schema, encryption_properties=properties) as writer:
        writer.write_table(TWO_COLUMNS)


def write_truncated(path: Path) -> None:
    pq.write_table(TWO_COLUMNS, path)
    path.write_bytes(path.read_bytes()[:-20])


def write_with_a_flipped_byte(path: Path) -> None:
    pq.write_table(TWO_COLUMNS, path, write_page_checksum=True)
    content = bytearray(path.read_bytes())
    content[8] ^= 0xFF
    path.write_bytes(content)


def write_parts(path: Path) -> None:
    path.mkdir()
    pq.write_table(TWO_COLUMNS, path / "part-0.parquet")


def write_a_null_byte_in_a_name(path: Path) -> None:
    pq.write_table(TWO_COLUMNS.append_column("a\0b", TWO_COLUMNS["user"]), path)


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (write_encrypted, "is encrypted; write it without encryption"),
        (write_truncated, "is not valid parquet"),
        (write_with_a_flipped_byte, "is not valid parquet"),
        (
            write_parts,
            "is a folder or not there; one file with interactions was expected. The parts",
        ),
        (write_a_null_byte_in_a_name, "has a column 'a\\x00b', a name with invisible characters"),
    ],
)
def test_an_unusable_file_is_refused_in_one_sentence(
    tmp_path: Path, write: Callable[[Path], None], sentence: str
) -> None:
    write(tmp_path / "interactions.parquet")
    with pytest.raises(BadInput) as caught:
        list(read(find_tables(tmp_path)[0], Rejects()))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
