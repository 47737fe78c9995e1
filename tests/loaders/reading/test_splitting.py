"""Splits of interactions without a split column."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from kinfolio.errors import BadConfig, BadInput
from kinfolio.loaders.reading.meaning import Meaning
from kinfolio.loaders.reading.splitting import SplitRule
from kinfolio.loaders.reading.staging import stage
from kinfolio.records import no_progress

HEADER = "user\tproduct\ttimestamp"
ROWS = [f"u{n % 7}\tp{n}\t{1_600_000_000 + 86_400 * (n * 37 % 100)}" for n in range(100)]


def splits(folder: Path, rule: str, rows: list[str], header: str = HEADER) -> dict[str, str]:
    """Split of each product's interaction."""
    source, scratch = folder / "in", folder / "scratch"
    for path in (source, scratch):
        path.mkdir(parents=True)
    (source / "interactions.tsv").write_text("\n".join([header, *rows]))
    staged = stage(
        source,
        scratch,
        known_users=lambda ids: [],
        progress=no_progress,
        meaning=Meaning(split=SplitRule.parse(rule)),
    )
    names = staged.products.to_pylist()
    return {
        names[row["product"]]: row["split"]
        for batch in staged.batches("interactions")
        for row in batch.to_pylist()
    }


def test_a_split_by_time_tests_on_the_latest_rows_and_validates_on_those_before_them(
    tmp_path: Path,
) -> None:
    found = splits(tmp_path, "time:0.1", ROWS)
    by_time = sorted(range(100), key=lambda n: n * 37 % 100)
    expected = ["train"] * 80 + ["valid"] * 10 + ["test"] * 10
    assert [found[f"p{n}"] for n in by_time] == expected


@pytest.mark.parametrize("rule", ["time:0.1", "random:0.2"])
def test_each_split_has_its_fraction_in_any_order_of_rows(tmp_path: Path, rule: str) -> None:
    first = splits(tmp_path / "one", rule, ROWS)
    shuffled = random.Random(3).sample(ROWS, len(ROWS))
    assert splits(tmp_path / "two", rule, shuffled) == first
    held_out = round(100 * float(rule.partition(":")[2]))
    counts = [list(first.values()).count(name) for name in ("train", "valid", "test")]
    assert counts == [100 - 2 * held_out, held_out, held_out]


def test_rejected_rows_do_not_count_for_the_fractions(tmp_path: Path) -> None:
    found = splits(tmp_path, "time:0.1", [*ROWS, *ROWS[:50], "u1\t\t1600000000"])
    assert list(found.values()).count("test") == 10


def test_interactions_with_a_split_column_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has a column 'split' already; leave --split out"):
        splits(tmp_path, "random:0.1", ["u1\tA\ttrain"], "user\tproduct\tsplit")


def test_a_split_by_time_needs_a_time_in_every_row(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has 1 rows without a timestamp.*give --split random:0.1"):
        splits(tmp_path / "one", "time:0.1", [*ROWS, "u1\tq\t"])
    with pytest.raises(BadInput, match="has 20 rows without a timestamp"):
        splits(tmp_path / "two", "time:0.1", [f"u{n}\tA" for n in range(20)], "user\tproduct")


def test_too_few_interactions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has 9 interactions, too few for --split time:0.1"):
        splits(tmp_path, "time:0.1", ROWS[:9])


@pytest.mark.parametrize(
    "text", ["time", "time:", "time:0", "time:0.5", "random:-0.1", "random:nan", "month:0.1"]
)
def test_any_other_rule_is_refused(text: str) -> None:
    with pytest.raises(BadConfig, match=r"--split is '.*expected, e.g. --split time:0.1"):
        SplitRule.parse(text)
