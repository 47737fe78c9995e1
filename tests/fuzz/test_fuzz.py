"""The short form of `make fuzz`: the corpus, inputs close to it, tables of odd values, options."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinfolio.loaders.files.tables import TABLES
from tests.conftest import Result, run_command
from tests.fuzz.targets import TARGETS, call

CORPUS = {
    name: [
        file.read_bytes() for file in sorted(Path(__file__).with_name("corpus").glob(f"{name}/*"))
    ]
    for name in TARGETS
    if name != "route"  # fitting the router takes longer than all others
}
SHORT = partial(
    settings,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            *("", " ", "u1", "a", "1", "1.0", "01", "-1", "1e999", "nan", "inf", "1,5", "1.234,5"),
            *("20240131", "2024-02-30", "31.01.2024", "0", "99999999999999999999", "2024", "true"),
            *("DE|AT", '["DE"', "{DE}", "DEU", "\u200b", "\u202eu1", "\x1b]52;c;x\x07", "=1+1"),
            *("'", '"', "\\", "$x", "`", "{0}", "%s", "null", "None", "\ufeff", "e\u0301", "\x00"),
        ]
    ),
)
TYPES: list[Any] = [
    *(pa.string(), pa.large_string(), pa.int8(), pa.uint64(), pa.float16(), pa.float64()),
    *(pa.bool_(), pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("ns", "Asia/Tokyo")),
    *(pa.timestamp("ms", "Europe/Berlin"), pa.duration("s"), pa.time64("us"), pa.binary()),
    *(pa.decimal128(20, 3), pa.list_(pa.string()), pa.large_list(pa.int64()), pa.null()),
    *(pa.dictionary(pa.int8(), pa.string()), pa.struct([("a", pa.int64())])),
    pa.map_(pa.string(), pa.int64()),
]


@pytest.mark.parametrize("name", CORPUS)
def test_the_corpus_and_inputs_close_to_it_are_answered(name: str) -> None:
    for data in CORPUS[name]:
        call(name, data)

    @SHORT(max_examples=25)
    @given(st.sampled_from(CORPUS[name]), st.data())
    def check(seed: bytes, draw: st.DataObject) -> None:
        place = draw.draw(st.integers(1, len(seed)))
        removed = draw.draw(st.integers(0, 9))
        added = draw.draw(st.binary(max_size=9) | CELLS.map(lambda text: text.encode()))
        call(name, seed[:place] + added + seed[place + removed :])

    check()


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, list[str], list[list[str]]]:
    """Number of a table, its columns with perhaps one of its own, and rows of odd values."""
    number = draw(st.integers(0, len(TABLES) - 1))
    columns = TABLES[list(TABLES)[number]]
    names = [one.name for one in columns if one.required or draw(st.booleans())]
    names += draw(st.lists(CELLS, max_size=1))
    size = len(names)
    return number, names, draw(st.lists(st.lists(CELLS, min_size=size, max_size=size), max_size=4))


def _delimited(names: list[str], rows: list[list[str]], separator: str) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows([names, *rows])
    return out.getvalue().encode()


@pytest.mark.parametrize("ending", ["tsv", "csv", "jsonl"])
def test_tables_of_odd_values_are_answered(ending: str) -> None:
    @SHORT(max_examples=60)
    @given(tables())
    def check(table: tuple[int, list[str], list[list[str]]]) -> None:
        number, names, rows = table
        if ending == "jsonl":
            lines = (json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)
            data = "".join(lines).encode()
        else:
            data = _delimited(names, rows, "\t" if ending == "tsv" else ",")
        call(ending, bytes([number]) + data)

    check()


def test_parquet_columns_of_every_type_are_answered() -> None:
    @SHORT(max_examples=80)
    @given(st.integers(0, len(TABLES) - 1), st.data())
    def check(number: int, draw: st.DataObject) -> None:
        columns = {}
        for column in TABLES[list(TABLES)[number]]:
            if column.required or draw.draw(st.booleans()):
                kind = draw.draw(st.sampled_from([pa.string(), *TYPES]))
                columns[column.name] = draw.draw(_arrays(kind))
        out = io.BytesIO()
        pq.write_table(pa.table(columns), out)
        call("parquet", bytes([number]) + out.getvalue())

    check()


def _arrays(kind: Any) -> st.SearchStrategy[Any]:
    """Arrays of two values of a type, from numbers, texts or null."""
    values = st.sampled_from([None, 0, 1, -1, 2**31, 1_700_000_000_000, "u1", "a", ["a"], "2024"])

    def convert(chosen: list[Any]) -> Any:
        for number in (chosen, [1, 1], [None, None]):
            try:
                return pa.array(number, pa.int64()).cast(kind) if number else None
            except (pa.ArrowException, TypeError, ValueError):
                try:
                    return pa.array(number, kind)
                except (pa.ArrowException, TypeError, ValueError, OverflowError):
                    continue
        return pa.nulls(2, kind)

    return st.lists(values, min_size=2, max_size=2).map(convert)


COMMANDS = [
    *(
        "load",
        "export",
        "train",
        "evaluate",
        "report",
        "runs",
        "writeback",
        "versions",
        "recommend",
    ),
    *(
        "explain",
        "why-not",
        "similar",
        "check-text",
        "route",
        "show",
        "map",
        "doctor",
        "completion",
    ),
]
WORDS = CELLS.filter(lambda text: "\x00" not in text) | st.sampled_from(
    [
        *("--json", "--k", "-k", "--all", "--out", "--run", "--split", "time:0.1", "--check", "--"),
        *("--rules", "--mapping", "--seed", "--budget", "--quick", "--version", "list", "drop"),
        *("init", "check", "user", "product", "--since", "--help", "-1", "1e9", "/dev/null", "."),
    ]
)


@pytest.fixture
def without_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Run a command in an empty folder, with an address where nothing listens."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KINFOLIO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:1")
    monkeypatch.setenv("NEO4J_PASSWORD", "x")
    return run_command


def test_any_arguments_end_in_an_answer_or_one_sentence(
    without_server: Callable[..., Result],
) -> None:
    @SHORT(max_examples=20)
    @given(st.sampled_from(COMMANDS), st.lists(WORDS, max_size=5))
    def check(command: str, arguments: list[str]) -> None:
        done = without_server(command, *arguments)
        assert done.exit_code in (0, 1, 2), done
        assert "Traceback" not in done.stderr
        assert "unexpected error" not in done.stderr, (command, arguments, done.stderr)
        assert done.exit_code == 0 or done.stderr.strip()
        if "--json" in arguments and done.exit_code == 0 and "--help" not in arguments:
            json.loads(done.stdout)

    check()
