"""How many faulty texts the check catches, and how many honest ones it suspects."""

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
HALVES = [
    ("en", "tuned"),
    ("en", "held_out"),
    ("de", "tuned"),
    ("de", "held_out"),
    ("de", "translated"),
]
CAUGHT, ALARMS = {"tuned": 0.95, "held_out": 0.93, "translated": 0.93}, 0.10
TRANSLATED_ALARMS = 0.20
"""German is checked by a table: one honest text of five by others is suspected."""
"""At least so many of the faulty texts, at most so many of the honest ones. Before any rule was
written for the corpus, 29 of 30 and 27 of 30 were caught, with 3 and no false alarms; 95 of 100
are wanted of both halves, and 28 of 30 of those held out are caught."""


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


@pytest.mark.parametrize(("language", "half"), HALVES)
def test_nearly_all_faulty_texts_are_caught(language: str, half: str) -> None:
    faulty = texts(language, half, "faulty")
    passed = [
        text for pair, text in faulty if check_text(text, explanation_of(pair, language)) == ()
    ]
    assert len(faulty) >= (30 if language == "en" else 20)
    assert len(passed) <= (1 - CAUGHT[half]) * len(faulty), passed


@pytest.mark.parametrize(("language", "half"), HALVES)
def test_few_honest_texts_are_suspected(language: str, half: str) -> None:
    honest = texts(language, half, "honest")
    alarms = [
        (text, problems)
        for pair, text in honest
        if (problems := check_text(text, explanation_of(pair, language)))
    ]
    assert len(honest) >= (30 if language == "en" else 15)
    most = TRANSLATED_ALARMS if half == "translated" else ALARMS
    assert len(alarms) <= most * len(honest), alarms
