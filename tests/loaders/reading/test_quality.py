"""`load --check`: the report on a folder, without a server and without writing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kinfolio.loaders.reading.quality import check_quality
from kinfolio.loaders.reports import Degrees
from tests.conftest import Result, RunCypher, run_command

FILES = {
    "users.csv": "user,country\nu1,DE\nu2,\nu9,DE\n",
    "interactions.tsv": "user\tproduct\trating\ttimestamp\tsplit\n"
    "u1\tA\t3\t2024-01-10\ttrain\nu1\tB\t\t2024-02-10\ttrain\nu2\tA\t4\t2023-12-31\ttest\n"
    "u1\tA\t3\t2024-01-10\ttrain\nu1\tB\t5\t2024-02-09\ttrain\nu3\tA\tmany\t2024-01-01\ttrain\n",
    "ties.tsv": "source\ttarget\nu1\tu2\nu1\tghost\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_report_counts_rows_rejects_splits_and_missing_values(folder: Path) -> None:
    report = check_quality(folder)
    tables = {table.table: table for table in report.tables}
    held = tables["interactions"]
    assert (held.rows, held.rejected, held.duplicates) == (3, 3, 2)
    assert (held.first, held.last) == ("2023-12-31", "2024-02-10")
    assert held.splits == {"train": 2, "test": 1}
    assert held.missing == {"rating": 1, "weight": 3}
    assert tables["users"].missing == {"name": 3, "country": 1, "risk_tolerance": 3}
    assert (tables["ties"].rows, tables["ties"].dangling) == (1, 1)
    assert (report.users, report.products) == (3, 2)
    assert report.holdings_of_users == Degrees(
        count=2, none=1, one=1, median=1.5, p95=1.95, largest=2
    )
    assert report.reasons == {
        "interactions.tsv": {
            "rating is not a number": 1,
            "duplicate": 1,
            "same user and product, earlier": 1,
        },
        "ties.tsv": {"dangling tie": 1},
    }


def test_the_command_needs_no_server_and_fits_a_terminal(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "ties.tsv").write_text("source\ttarget\nu1\tu2\n")
    monkeypatch.setenv("KINFOLIO_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:1")
    result = run_command("load", "--check", str(folder))
    assert result.exit_code == 0
    assert "interactions.tsv: 3 rows, 3 would be rejected" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert not (tmp_path / "nowhere").exists()
    answer = json.loads(run_command("load", "--check", "--json", str(folder)).stdout)
    assert answer["holdings_of_products"]["largest"] == 2
    assert [row["line"] for row in answer["rejected"]] == [5, 6, 7]


def test_users_of_the_graph_are_valid_ends_of_ties(
    cli: Callable[..., Result], folder: Path, six_users: object
) -> None:
    (folder / "ties.tsv").write_text("source\ttarget\nu1\tu6\nu1\tghost\n")
    answer = json.loads(cli("load", "--check", "--json", str(folder)).stdout)
    assert answer["outside_users"] == 1
    assert answer["tables"][2]["dangling"] == 1


def test_the_report_and_the_load_say_how_columns_were_read(
    cli: Callable[..., Result], graph: object, run_cypher: RunCypher, tmp_path: Path
) -> None:
    rows = [(f"u{n}", f"p{n % 3}", f"{n},5", f"{45_322 + n}") for n in range(9)]
    lines = ["user\tproduct\trating\ttimestamp", *map("\t".join, rows)]
    lines += ["u9\tp1\t4\t1706702400", "u10\tp1\t4\t"]
    (tmp_path / "interactions.tsv").write_text("\n".join(lines))
    (tmp_path / "ties.tsv").write_text("source\ttarget\ttimestamp\nu1\tu2\t1970-01-01\n")
    (tmp_path / "products.tsv").write_text("product\tcountries\nA\t['de', 'France']\nB\tFoo\n")
    understood = "timestamp: Excel's days since 1900, 2024-01-31 to 2024-02-08"
    empty = "ties.tsv: 1 of 1 timestamps are 1970-01-01, which usually stands for no date"
    checked = cli("load", "--check", str(tmp_path))
    assert f"  read as    rating: decimal comma\n  read as    {understood}\n" in checked.stdout
    assert empty in checked.stderr
    loaded = cli("load", str(tmp_path))
    assert f"interactions.tsv: {understood}" in loaded.stderr
    assert "interactions.tsv: rating: decimal comma" in loaded.stderr
    assert empty in loaded.stderr
    assert "read as Excel's days since 1900, it is after the year 9999" in loaded.stderr
    assert "'Foo' is not a country" in loaded.stderr
    found = run_cypher("MATCH (p:Product {id: 'A'}) RETURN p.countries AS sold")
    assert found == [{"sold": ["DE", "FR"]}]
