"""Text files as other programs write them: read, or refused in one sentence."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from kinfolio.errors import BadInput
from kinfolio.loaders.files import source
from kinfolio.loaders.files.readers import check, read
from kinfolio.loaders.files.rejects import Rejects
from kinfolio.loaders.files.tables import find_tables

PLAIN = "user,product\nu1,A\nu2,B\n"
TWO_ROWS = [(2, "u1", "A"), (3, "u2", "B")]
ONE_LATER = [(3, "u1", "A"), (4, "u2", "B")]
THREE_LATER = [(5, "u1", "A"), (6, "u2", "B")]


def use(folder: Path, name: str, content: bytes) -> tuple[list[tuple[int, str, str]], list[str]]:
    """Return line, user and product of each row of interactions, and notes and rejects."""
    (folder / name).write_bytes(content)
    file, rejects = find_tables(folder)[0], Rejects()
    said = [note.removeprefix(f"{name}: ") for note in check(file)]
    rows = [
        row
        for batch in read(file, rejects)
        for row in zip(
            batch.lines.tolist(),
            batch.columns["user"].to_pylist(),
            batch.columns["product"].to_pylist(),
            strict=True,
        )
    ]
    return rows, said + [f"line {row.line}: {row.reason}" for row in rejects.all()]


UTF_16 = PLAIN.encode("utf-16-le")


@pytest.mark.parametrize(
    ("name", "content", "rows", "said"),
    [
        ("i.csv", PLAIN.replace("\n", "\r").encode(), TWO_ROWS, []),
        ("i.tsv", PLAIN.replace("\n", "\r").replace(",", "\t").encode(), TWO_ROWS, []),
        ("i.csv", b'user,product\r"u1","a\rb"\ru2\ru3,C', [(2, "u1", "a\rb"), (5, "u3", "C")],
         ["line 4: 1 columns, 2 were expected"]),
        ("i.csv", PLAIN.encode("utf-16"), TWO_ROWS, ["read as UTF-16-LE"]),
        ("i.csv", PLAIN.encode("utf-16-le"), TWO_ROWS, ["read as UTF-16-LE"]),
        ("i.csv", PLAIN.encode("utf-16-be"), TWO_ROWS, ["read as UTF-16-BE"]),
        ("i.csv", PLAIN.encode("utf-32"), TWO_ROWS, ["read as UTF-32-LE"]),
        ("i.csv", PLAIN.encode("utf-32-be"), TWO_ROWS, ["read as UTF-32-BE"]),
        ("i.csv", PLAIN.encode("utf-8-sig"), TWO_ROWS, []),
        ("i.csv.gz", gzip.compress(UTF_16, mtime=0), TWO_ROWS, ["read as UTF-16-LE"]),
        ("i.jsonl", '{"User": "u1", "product ": "A"}\n'.encode("utf-16"), [(1, "u1", "A")], []),
        ("i.csv", PLAIN.replace(",", ";").encode(), TWO_ROWS, ["columns are separated by ;"]),
        ("i.csv", PLAIN.replace(",", "\t").encode(), TWO_ROWS, ["columns are separated by tabs"]),
        ("i.csv", PLAIN.replace(",", "|").encode(), TWO_ROWS, ["columns are separated by |"]),
        ("i.tsv", PLAIN.encode(), TWO_ROWS, ["columns are separated by commas"]),
        ("i.tsv", b'"user"\t"product"\n"u1"\t"A"\n"u2"\t"B"\n', TWO_ROWS, []),
        ("i.csv", b"sep=;\r\n" + PLAIN.replace(",", ";").encode(), ONE_LATER,
         ["columns are separated by ;", "what stands before line 2, the header, is not read"]),
        ("i.csv", b"# from x, y\n#\n\n" + PLAIN.encode(), THREE_LATER,
         ["what stands before line 4, the header, is not read"]),
        ("i.csv", b"\n \r\n,,\n" + PLAIN.encode(), THREE_LATER,
         ["what stands before line 4, the header, is not read"]),
        ("i.csv", b"#" + PLAIN.encode(), TWO_ROWS, []),
        ("i.csv", b'"user","product","a\nb"\nu1,A,x\nu2,B,y\n', ONE_LATER, []),
        ("i.csv", b"user,product,\nu1,A,\nu2,B,\n", TWO_ROWS, []),
        ("i.csv", b"user,product\nu1,A,\nu2,B,\n", TWO_ROWS, []),
        ("i.csv", b"user,product,\nu1,A\nu2,B\n", TWO_ROWS, []),
        ("i.csv", b"user,product,,\nu1,A,,\nu2,B,,7\n", TWO_ROWS[:1],
         ["line 3: 4 columns, 2 were expected"]),
        ("i.csv", b",user,product\n0,u1,A\n1,u2,B\n", TWO_ROWS,
         ["column 1 has no name and is not read"]),
        ("i.csv", " User ,PRODUCT,Größe\nu1,A,1\nu2,B,2\n".encode(), TWO_ROWS, []),
        ("i.csv", b"user,product\nu\x002,B\nu1,A\n\x00\x00", [(3, "u1", "A")],
         ["line 2: user has a NUL byte: 'u\\x002'", "line 4: 1 columns, 2 were expected"]),
        ("i.csv", PLAIN.encode() + "Müller,C\n".encode("latin-1"), TWO_ROWS,
         ["line 4: user is not UTF-8, save the file as UTF-8: 'M\ufffdller'"]),
        ("i.csv", b"user,product\nu1,A\nu\xfc\nu2,B\n", [(2, "u1", "A"), (4, "u2", "B")],
         ["line 3: 1 columns, 2 were expected"]),
        ("i.csv", b'user,product\nu1,5" disk\n', [(2, "u1", '5" disk')], []),
        ("I.CSV", b"user,product\n", [], []),
    ],
)  # fmt: skip
def test_a_file_is_read_as_it_comes(
    tmp_path: Path, name: str, content: bytes, rows: list[tuple[int, str, str]], said: list[str]
) -> None:
    letter, _, ending = name.partition(".")
    table = "Interactions" if letter.isupper() else "interactions"
    assert use(tmp_path, f"{table}.{ending}", content) == (rows, said)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"u1,p1\nu2,p2\n", "has no column 'user': it has u1, p1, and at least user, product were "
         "expected; name the columns in line 1"),
        (b"# a\n\nu1,p1\n", "name the columns in line 3"),
        (b'"user,product\nu1,A\n', "opens a quote on line 1 that is never closed"),
        (b'user,product\n"u1,A\nu2,B\n', "opens a quote on line 2 that is never closed"),
        (b'user,product\nu1,A\nu2,"B', "opens a quote on line 3 that is never closed"),
        (b'user,product\nu1,5" A\nu2,"B\n' + b"u3,C\n" * 20_000,
         "opens a quote on line 3 that is never closed"),
        (b"user,product\nu1,A\nu2," + b"x" * 200_000, "has a row longer than 0 MB on line 3"),
        (b"user,product," + b"x" * 70_000, "on line 1, where the header should be"),
        (b"user,product,a,A ,a\n", "has the column 'a' twice"),
        (b"user,product,a\0b\n", "a name with invisible characters"),
        (b"user,product," + b",".join(b"c%d" % n for n in range(6_000)), "has 6,002 columns"),
        ("user,product,Größe\n".encode("latin-1"), "is not UTF-8 in its first line; save it"),
        (PLAIN.encode("utf-16-le") + b"x", "is not valid utf-16-le; save it as UTF-8"),
        (b"PK\x03\x04", "is a zip archive or an Excel sheet"),
        (b"\xd0\xcf\x11\xe0", "is an Excel sheet; save it as CSV"),
        (b'[{"user": "u1"}]', "is JSON; write one object a line"),
        (b"\n \n", "has no header in its first line"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_with_line_and_cure(
    tmp_path: Path, content: bytes, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "BLOCK_BYTES", 64 * 1024)
    with pytest.raises(BadInput) as caught:
        use(tmp_path, "interactions.csv", content)
    assert sentence in str(caught.value)
    assert str(tmp_path / "interactions.csv") in str(caught.value)


def test_a_file_that_is_gzip_ed_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is gzip-ed twice; decompress it once"):
        use(tmp_path, "interactions.csv.gz", gzip.compress(gzip.compress(PLAIN.encode())))
