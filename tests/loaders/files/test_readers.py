"""Rows and line numbers of files of every format; invalid rows and files."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kinfolio.errors import BadInput
from kinfolio.loaders.files import source
from kinfolio.loaders.files.readers import check, read
from kinfolio.loaders.files.rejects import Rejects
from kinfolio.loaders.files.source import MORE
from kinfolio.loaders.files.tables import find_tables


def read_all(folder: Path) -> tuple[list[tuple[int, tuple[Any, ...]]], list[tuple[int, str]]]:
    """Return line, user and product of each interaction; line and reason of each reject."""
    rejects = Rejects()
    file = find_tables(folder)[0]
    rows = [
        (line, (user, product))
        for batch in read(file, rejects)
        for line, user, product in zip(
            batch.lines.tolist(),
            batch.columns["user"].to_pylist(),
            batch.columns["product"].to_pylist(),
            strict=True,
        )
    ]
    return rows, [(row.line, row.reason) for row in rejects.all()]


def put(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder


def test_lines_count_the_header_and_blank_lines(tmp_path: Path) -> None:
    put(tmp_path, "interactions.tsv", b"user\tproduct\nu1\tA\n\nu2\nu3\tB\tx\nu4\tC\n")
    assert read_all(tmp_path) == (
        [(2, ("u1", "A")), (6, ("u4", "C"))],
        [(4, "1 columns, 2 were expected"), (5, "3 columns, 2 were expected")],
    )


def test_a_quote_in_a_tsv_is_an_ordinary_character(tmp_path: Path) -> None:
    put(tmp_path, "interactions.tsv", b'user\tproduct\n"u1\tA"\nu"2"\t"B"\n')
    assert read_all(tmp_path)[0] == [(2, ('"u1', 'A"')), (3, ('u"2"', '"B"'))]


def test_a_csv_is_quoted_and_its_values_may_have_line_breaks(tmp_path: Path) -> None:
    text = (
        b'user,product\nu1,"A\nB"\nu2\nu3,"say ""hi"", twice"\nu4,"\n\n"\nu5,"x\ny",z\nu6,F\nu7\n'
    )
    put(tmp_path, "interactions.csv", text)
    assert read_all(tmp_path) == (
        [
            (2, ("u1", "A\nB")),
            (5, ("u3", 'say "hi", twice')),
            (6, ("u4", "\n\n")),
            (11, ("u6", "F")),
        ],
        [
            (4, "1 columns, 2 were expected"),
            (9, "3 columns, 2 were expected"),
            (12, "1 columns, 2 were expected"),
        ],
    )


def test_line_numbers_are_correct_across_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "BLOCK_BYTES", 64)
    lines = [f"u{n}\tA" if n % 3 else f"u{n}" for n in range(200)]
    put(tmp_path, "interactions.tsv", "\n".join(["user\tproduct", *lines]).encode())
    rows, rejected = read_all(tmp_path)
    assert rows == [(n + 2, (f"u{n}", "A")) for n in range(200) if n % 3]
    assert [line for line, _ in rejected] == [n + 2 for n in range(0, 200, 3)]


def test_crlf_a_byte_order_mark_and_a_missing_last_newline_are_accepted(tmp_path: Path) -> None:
    put(tmp_path, "interactions.tsv", b"\xef\xbb\xbfuser\tproduct\r\nu1\tA\r\nu2\tB")
    assert read_all(tmp_path) == ([(2, ("u1", "A")), (3, ("u2", "B"))], [])


def test_a_row_that_is_not_utf8_is_rejected(tmp_path: Path) -> None:
    put(tmp_path, "interactions.tsv", b"user\tproduct\nu1\tA\nu\xff\tB\nu3\tC\n")
    rows, rejected = read_all(tmp_path)
    assert [line for line, _ in rows] == [2, 4]
    assert rejected == [(3, "user is not UTF-8, save the file as UTF-8: 'u\ufffd'")]


def test_a_gzip_file_may_have_several_members(tmp_path: Path) -> None:
    content = gzip.compress(b"user\tproduct\nu1\tA\n") + gzip.compress(b"u2\tB\n")
    put(tmp_path, "interactions.tsv.gz", content)
    assert read_all(tmp_path) == ([(2, ("u1", "A")), (3, ("u2", "B"))], [])


def test_invalid_json_lines_are_rejected_and_the_others_read(tmp_path: Path) -> None:
    content = b"""{"user": 7, "product": "A", "note": "hi", "tags": ["x", "y"]}
{broken

[1, 2]
{"user": "u5", "product": NaN}
{"user": "u6", "product": {"id": "A"}}
{"user": "u7", "product": ["A"]}
{"user": "u\xff", "product": "A"}
{"user": "u9", "product": "B", "n": 99999999999999999999}
{"user": "u10", "product": "B", "mixed": [1, "a"]}
{"user": "u11", "product": "\\ud800"}
{"user": "u12", "product": "B"}
"""
    put(tmp_path, "interactions.jsonl", content)
    rows, rejected = read_all(tmp_path)
    assert rows == [(1, ("7", "A")), (12, ("u12", "B"))]
    assert [line for line, _ in rejected] == [2, 4, 5, 6, 7, 8, 9, 10, 11]
    assert rejected[0][1] == "not JSON: '{broken'"
    batch = next(read(find_tables(tmp_path)[0], Rejects()))
    assert batch.columns[MORE].to_pylist() == ['{"note": "hi", "tags": ["x", "y"]}', None]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ('"x": [1, null]', "x has an empty entry: [1, None]"),
        ('"x": [[1]]', "x is nested: [[1]]"),
        ('"x": 1, "x": 2', "has the field 'x' twice"),
        ('"x": 1, "x ": 2', "has the field 'x' twice"),
        ('"Rating": 1, "RATING": 2', "has the field 'rating' twice"),
        ('"x": 1e999', "x is too large"),
        ('"x": [9223372036854775808]', "x is too large: 9223372036854775808"),
        (f'"x": {"9" * 5_000}', "a number is too large: 99999999999999999999..."),
        ('"x": Infinity', "Infinity is not a number"),
        ('"\\ud800": 1', "holds half a character"),
        (f'"x": {"[" * 100_000}', "not JSON"),
    ],
)
def test_a_json_line_that_a_graph_cannot_store_is_rejected(
    tmp_path: Path, fields: str, reason: str
) -> None:
    good = '{"user": 123456789012345678901234567890, "product": 1}'
    put(tmp_path, "interactions.jsonl", f'{good}\n{{"user": 1, "product": 2, {fields}}}'.encode())
    rows, rejected = read_all(tmp_path)
    assert rows == [(1, ("123456789012345678901234567890", "1"))]
    assert [line for line, _ in rejected] == [2]
    assert reason in rejected[0][1]


@pytest.mark.parametrize("is_gzip", [False, True])
def test_parquet_rows_are_numbered(tmp_path: Path, is_gzip: bool) -> None:
    table = pa.table({"user": [1, 2], "product": pa.array(["A", "B"]).dictionary_encode()})
    pq.write_table(table, tmp_path / "interactions.parquet")
    if is_gzip:
        content = gzip.compress((tmp_path / "interactions.parquet").read_bytes())
        (tmp_path / "interactions.parquet").unlink()
        put(tmp_path, "interactions.parquet.gz", content)
    assert read_all(tmp_path) == ([(1, ("1", "A")), (2, ("2", "B"))], [])


PLAIN = b"user\tproduct\n" + b"".join(b"u%d\tA%d\n" % (n * 7919, n) for n in range(5000))
WRONG_FILES = [
    ("interactions.tsv", b"", "is empty; rows with at least user, product were expected"),
    ("interactions.tsv.gz", gzip.compress(b"", mtime=0), "has no header in its first line"),
    ("interactions.tsv", b"\n\n", "has no header in its first line"),
    (
        "interactions.csv",
        b"u1,p1\nu2,p2\n",
        "it has u1, p1, and at least user, product were expected; name the columns in line 1",
    ),
    ("interactions.tsv", b"user\titem\nu1\tA\n", "has no column 'product': it has user, item"),
    ("interactions.tsv", b"user\tproduct\tx\tx\n", "has the column 'x' twice"),
    ("interactions.tsv", b"user\tproduct\tgid\n", "a name that kinfolio reserves"),
    ("interactions.tsv", b"user\tproduct\tembedding_a\n", "a name that kinfolio reserves"),
    ("interactions.tsv", b"user\tproduct\tM\xfcnze\n", "is not UTF-8 in its first line"),
    ("interactions.tsv", gzip.compress(PLAIN, mtime=0), "is gzip-ed; let its name end in .gz"),
    ("interactions.tsv.gz", PLAIN, "is cut off or no gzip file"),
    ("interactions.tsv.gz", gzip.compress(PLAIN, mtime=0)[:-2000], "is cut off or no gzip file"),
    ("interactions.tsv.gz", gzip.compress(PLAIN, mtime=0)[:-4], "is cut off or no gzip file"),
    ("interactions.parquet", PLAIN, "is not valid parquet"),
    ("interactions.csv", b'user,product\nu1,"A\nu2,B\n', "opens a quote on line 2 that is never"),
    ("interactions.jsonl", b'{"user": "u1"}\n', "has no column 'product': it has user"),
    ("interactions.jsonl", b'{"user":1,"product":2,"id":3}\n', "reserves"),
    ("interactions.jsonl", b'[{"user":1,"product":2}]', "is one JSON array; one object a line"),
    ("interactions.jsonl", b'\n[\n{"user":1,"product":2}\n]', "jq -c '.[]' interactions.jsonl"),
    ("interactions.jsonl", b'{\n"user":1,"product":2}', "is JSON over several lines"),
    ("interactions.tsv", b"user\tproduct\tx\0\n", "a name with invisible characters"),
    ("interactions.xlsx", PLAIN, "is read from .tsv, .csv, .jsonl or .parquet"),
]


@pytest.mark.parametrize(("name", "content", "sentence"), WRONG_FILES)
def test_an_unusable_file_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    put(tmp_path, name, content)

    def use() -> None:
        for file in find_tables(tmp_path):
            check(file)
            list(read(file, Rejects()))

    with pytest.raises(BadInput) as caught:
        use()
    assert sentence in str(caught.value)
    assert name in str(caught.value)


def test_a_row_longer_than_a_block_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "BLOCK_BYTES", 1024 * 1024)
    put(tmp_path, "interactions.tsv", b"user\tproduct\nu1\t" + b"x" * 3_000_000 + b"\n")
    with pytest.raises(BadInput, match="has a row longer than 1 MB"):
        read_all(tmp_path)


def test_a_missing_folder_a_file_and_a_folder_without_interactions_are_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(BadInput, match="does not exist; give the folder"):
        find_tables(tmp_path / "nowhere")
    put(tmp_path, "users.tsv", b"user\nu1\n")
    with pytest.raises(BadInput, match="is a file; give the folder"):
        find_tables(tmp_path / "users.tsv")
    with pytest.raises(BadInput, match=r"has no interactions \(it holds users.tsv\)"):
        find_tables(tmp_path)


def test_a_table_in_two_formats_and_a_folder_named_like_a_table_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "interactions.tsv", PLAIN)
    (tmp_path / "ties.tsv").mkdir()
    with pytest.raises(BadInput, match=r"ties.tsv is a folder"):
        find_tables(tmp_path)
    (tmp_path / "ties.tsv").rmdir()
    put(tmp_path, "interactions.csv.gz", gzip.compress(b"user,product\n"))
    with pytest.raises(
        BadInput, match=r"interactions twice, interactions.csv.gz and interactions.tsv"
    ):
        find_tables(tmp_path)
