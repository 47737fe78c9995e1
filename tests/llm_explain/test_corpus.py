"""How many faulty texts the check catches, and how many honest ones it suspects."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from kinfolio.llm_explain.check import check_text
from kinfolio.records import Evidence, Explanation, Sentence
from tests.llm_explain.samples import piece

CORPUS = tomllib.loads(Path(__file__).with_name("corpus.toml").read_text("utf-8"))
HALVES = ("tuned", "held_out")
CAUGHT, ALARMS = {"tuned": 0.95, "held_out": 0.93}, 0.10
"""At least so many of the faulty texts, at most so many of the honest ones. Before any rule was
written for the corpus, 29 of 30 and 27 of 30 were caught, with 3 and no false alarms; 95 of 100
are wanted of both halves, and 28 of 30 of those held out are caught."""


def explanation_of(pair: str) -> Explanation:
    """The evidence of a pair of the corpus, with the sentences that code adds."""
    known: dict[str, Any] = CORPUS["pair"][pair]
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
    )


def texts(half: str, sort: str) -> list[tuple[str, str]]:
    """Pair and text of all honest or faulty texts of a half."""
    return [
        (pair, text)
        for pair, entries in CORPUS[half][sort].items()
        for text in (entries.values() if isinstance(entries, dict) else entries)
    ]


@pytest.mark.parametrize("half", HALVES)
def test_nearly_all_faulty_texts_are_caught(half: str) -> None:
    faulty = texts(half, "faulty")
    passed = [text for pair, text in faulty if check_text(text, explanation_of(pair)) == ()]
    assert len(faulty) >= 30
    assert len(passed) <= (1 - CAUGHT[half]) * len(faulty), passed


@pytest.mark.parametrize("half", HALVES)
def test_at_most_10_of_100_honest_texts_are_suspected(half: str) -> None:
    honest = texts(half, "honest")
    alarms = [
        (text, problems)
        for pair, text in honest
        if (problems := check_text(text, explanation_of(pair)))
    ]
    assert len(honest) >= 30
    assert len(alarms) <= ALARMS * len(honest), alarms
