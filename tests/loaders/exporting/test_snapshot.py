"""Snapshot folders are read back unchanged; incomplete ones are refused."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from kinfolio.errors import BadInput, NotReady, RunBroken
from kinfolio.records import NO_TIME, Edges, Reviews, Snapshot
from kinfolio.snapshot import hash_of, read_snapshot, with_hash, write_snapshot
from tests.gnn.snapshots import no_reviews


def edges(*pairs: tuple[int, int]) -> Edges:
    count = len(pairs)
    return Edges(
        source=np.array([source for source, _ in pairs], np.int32),
        target=np.array([target for _, target in pairs], np.int32),
        split=np.arange(count, dtype=np.int8) % 3,
        at=np.where(np.arange(count) % 2, NO_TIME, 1_000 + np.arange(count)),
        rating=np.where(np.arange(count) % 2, np.nan, 4.5).astype(np.float32),
    )


def example(text: str = "Schön, 10 €") -> Snapshot:
    return with_hash(
        Snapshot(
            user_ids=("u1", "o'brien 😀"),
            product_ids=("A", "B", "C"),
            user_gids=np.array([0, 7]),
            product_gids=np.array([0, 1, 5]),
            product_names=("Amber", "", "Cedar"),
            product_texts=("Amber. fund", "", "Cedar"),
            holdings=edges((0, 0), (0, 2), (1, 1)),
            ties=edges((0, 1)),
            reviews=Reviews(
                user=np.array([1], np.int32),
                product=np.array([2], np.int32),
                at=np.array([NO_TIME]),
                text=(text,),
                describes_user=np.array([False]),
                describes_product=np.array([True]),
            ),
            cut=1_000,
            hash="",
        )
    )


def same(one: object, other: object) -> bool:
    """Return whether two records have equal fields, arrays and nested records included."""
    if isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray)
        return one.dtype == other.dtype and bool(
            np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
        )
    if isinstance(one, Snapshot | Edges | Reviews):
        return all(same(getattr(one, item.name), getattr(other, item.name)) for item in fields(one))
    return one == other


def test_a_snapshot_is_read_back_unchanged(tmp_path: Path) -> None:
    write_snapshot(example(), tmp_path / "run" / "snapshot", server="Neo4j/1 community")
    assert same(read_snapshot(tmp_path / "run" / "snapshot"), example())
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["snapshot"]


def test_arrays_of_a_snapshot_are_writable(tmp_path: Path) -> None:
    write_snapshot(example(), tmp_path / "snapshot")
    found = read_snapshot(tmp_path / "snapshot")
    found.holdings.source[0] = 1
    found.reviews.describes_user[0] = True


def test_a_snapshot_without_edges_and_reviews_is_read(tmp_path: Path) -> None:
    empty = with_hash(
        replace(
            example(),
            ties=edges(),
            holdings=edges(),
            reviews=no_reviews(),
        )
    )
    write_snapshot(empty, tmp_path / "snapshot")
    assert same(read_snapshot(tmp_path / "snapshot"), empty)


def test_the_hash_depends_on_the_content_only() -> None:
    assert hash_of(example()) == example().hash == hash_of(replace(example(), hash="other"))
    assert example("other words").hash != example().hash
    assert with_hash(replace(example(), cut=NO_TIME)).hash != example().hash
    joined = with_hash(replace(example(), user_ids=("u1o'brien 😀", "")))
    assert joined.hash != example().hash


def test_a_new_snapshot_replaces_the_old_one(tmp_path: Path) -> None:
    write_snapshot(example(), tmp_path / "snapshot")
    write_snapshot(example("new"), tmp_path / "snapshot")
    assert read_snapshot(tmp_path / "snapshot").reviews.text == ("new",)
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot"]


def test_the_old_snapshot_remains_if_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    write_snapshot(example(), tmp_path / "snapshot")
    half = replace(example("new"), product_texts=("too", "few"))
    with pytest.raises(ValueError, match="length"):
        write_snapshot(half, tmp_path / "snapshot")
    assert read_snapshot(tmp_path / "snapshot").reviews.text == example().reviews.text
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot"]


def test_a_folder_with_other_files_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInput, match=r"holds 'thesis.txt'"):
        write_snapshot(example(), tmp_path / "snapshot")
    assert (tmp_path / "snapshot" / "thesis.txt").read_text() == "years of work"


def test_a_file_in_place_of_the_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(BadInput, match="give another --run"):
        write_snapshot(example(), tmp_path / "run" / "snapshot")
    with pytest.raises(BadInput, match="is a file"):
        write_snapshot(example(), tmp_path / "run")


def test_an_incomplete_or_damaged_snapshot_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "snapshot"
    with pytest.raises(NotReady, match="type: kinfolio export --run"):
        read_snapshot(folder)
    write_snapshot(example(), folder)
    manifest = (folder / "manifest.json").read_text()
    (folder / "manifest.json").unlink()
    with pytest.raises(RunBroken, match="is half written"):
        read_snapshot(folder)
    (folder / "manifest.json").write_text(manifest[:20])
    with pytest.raises(RunBroken, match="is damaged"):
        read_snapshot(folder)
    (folder / "manifest.json").write_text(manifest.replace('"format": 2', '"format": 99'))
    with pytest.raises(RunBroken, match="snapshot format 99"):
        read_snapshot(folder)
    (folder / "manifest.json").write_text(manifest.replace('"cut": 1000', '"cut": 1001'))
    with pytest.raises(RunBroken, match="is not what its manifest says"):
        read_snapshot(folder)
    (folder / "manifest.json").write_text(manifest)
    content = (folder / "holdings.arrow").read_bytes()
    (folder / "holdings.arrow").write_bytes(content[: len(content) // 2])
    with pytest.raises(RunBroken, match="is damaged"):
        read_snapshot(folder)
    (folder / "holdings.arrow").unlink()
    with pytest.raises(RunBroken, match="is damaged"):
        read_snapshot(folder)
