"""The check on a corpus: how many unsupported texts pass, and how many honest ones do not."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from kinfolio.llm_explain.checking.check import check_text
from kinfolio.llm_explain.explanation import Evidence, Explanation, Sentence
from tests.llm_explain.samples import piece

CORPORA: dict[str, dict[str, Any]] = {
    language: tomllib.loads(Path(__file__).with_name(name).read_text("utf-8"))
    for language, name in (("en", "corpus.toml"), ("de", "corpus_de.toml"))
}
MISSED = {
    ("en", "tuned"): 0,
    ("en", "held_out"): 2,
    ("de", "tuned"): 0,
    ("de", "held_out"): 0,
    ("de", "translated"): 1,
}
"""Unsupported texts that pass, by language and half of the corpus: no rule may add one."""
SUSPECTED = {half: 4 if half == ("de", "translated") else 0 for half in MISSED}
"""Honest texts with a problem."""


def explanation_of(pair: str, language: str = "en") -> Explanation:
    """The evidence of a pair of the corpus, with the sentences that code adds."""
    known: dict[str, Any] = CORPORA[language]["pair"][pair]
    evidence: tuple[Evidence, ...] = tuple(
        piece(number, **facts) for number, facts in enumerate(known["evidence"], 1)
    )
    fixed = ("Its risk level is 2, within your level of 4.", "This is not advice.")
    return Explanation(
        user="u1",
        product="p1",
        name=known["product"],
        score=sum(item.contribution for item in evidence),
        version="v1",
        writer="none",
        text=" ".join(fixed),
        sentences=tuple(Sentence(text=text, evidence=()) for text in fixed),
        evidence=evidence,
        remainder=0.0,
        grounded=True,
        language=language,
    )


def texts(language: str, half: str, sort: str) -> list[tuple[str, str]]:
    """Pair and text of all honest or faulty texts of a half."""
    return [
        (pair, text)
        for pair, entries in CORPORA[language][half][sort].items()
        for text in (entries.values() if isinstance(entries, dict) else entries)
    ]


@pytest.mark.parametrize(("language", "half"), MISSED)
def test_unsupported_texts_are_caught(language: str, half: str) -> None:
    faulty = texts(language, half, "faulty")
    passed = [
        text for pair, text in faulty if check_text(text, explanation_of(pair, language)) == ()
    ]
    assert len(faulty) >= (30 if language == "en" else 20)
    assert len(passed) <= MISSED[language, half], passed


@pytest.mark.parametrize(("language", "half"), SUSPECTED)
def test_honest_texts_are_not_suspected(language: str, half: str) -> None:
    honest = texts(language, half, "honest")
    suspected = [
        (text, problems)
        for pair, text in honest
        if (problems := check_text(text, explanation_of(pair, language)))
    ]
    assert len(honest) >= (30 if language == "en" else 15)
    assert len(suspected) <= SUSPECTED[language, half], suspected
