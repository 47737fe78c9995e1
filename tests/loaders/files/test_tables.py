"""Detection of the tables in a folder, and notes on other files."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinfolio.errors import BadInput
from kinfolio.loaders.files.tables import find_tables, ignored_files


def make(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("customers.csv", "not a table; a table of people is called users"),
        ("Clients 2024.xlsx", "not a table; a table of people is called users"),
        ("members.csv", "not a table; a table of people is called users"),
        ("movies.tsv", "not a table; a table of products is called products"),
        ("funds.tsv", "not a table; a table of products is called products"),
        ("all_books.csv", "not a table; a table of products is called products"),
        ("edges.csv", "not a table; a table of ties between users is called ties"),
        ("relations.csv", "not a table; a table of ties between users is called ties"),
        ("comments.jsonl", "not a table; a table of reviews is called reviews"),
        ("ratings.csv", "not a table; interactions are read from interactions.tsv"),
        ("actions.csv", "not a table; a table of events of users is called events"),
        (
            "README",
            "not a table; tables are called users, products, interactions, reviews, ties, events",
        ),
    ],
)
def test_a_file_that_is_no_table_is_reported_with_a_guess(
    tmp_path: Path, name: str, sentence: str
) -> None:
    make(tmp_path, "interactions.tsv", name)
    assert ignored_files(tmp_path) == (f"{name}: {sentence}",)


def test_folders_are_reported_and_hidden_files_are_not(tmp_path: Path) -> None:
    make(tmp_path, "interactions.tsv", ".DS_Store", "users.tsv")
    (tmp_path / "old").mkdir()
    assert ignored_files(tmp_path) == ("old: a folder; its files are not read",)


def test_a_folder_without_interactions_names_the_file_that_may_contain_them(tmp_path: Path) -> None:
    make(tmp_path, "customers.csv", "orders.csv.gz")
    with pytest.raises(BadInput) as caught:
        find_tables(tmp_path)
    assert "has no interactions (it holds customers.csv, orders.csv.gz)" in str(caught.value)
    assert str(caught.value).endswith("rename it to interactions.csv.gz")
