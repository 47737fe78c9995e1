"""Every authored clause in every frame, length and language: the check refuses none.

The cases come from the clause files and `CLAIMS`, so that a new clause, frame, kind of tie or form
of a product is in them without a change here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from kinfolio.llm_explain.checking.check import check_text
from kinfolio.llm_explain.claims import CLAIMS
from kinfolio.llm_explain.explanation import Attribution, Evidence
from kinfolio.llm_explain.wording.clauses import Clauses, languages, load_clauses
from kinfolio.llm_explain.wording.plan import Length, make_plan
from tests.llm_explain.samples import LENGTHS, attribution, every_claim, explanation, piece

NAMES = ("Harbour Index Fund", "Quiet River Trust", "Ben Amber")
SHARES = (0.6, 0.3, 0.1)
"""Each with other words for the weight: mainly, partly, several or little."""


def repeated(one: Evidence, number: int, share: float) -> list[Evidence]:
    """So many pieces of one claim, with names of their own."""
    sign = 1 if one.contribution > 0 else -1
    pieces = []
    for place in range(number):
        facts = dict(one.facts)
        if place and "name" in facts and facts["claim"] != "itself":
            facts["name"] = NAMES[place - 1]
        pieces.append(
            replace(
                one,
                id=place + 1,
                share=sign * share / number,
                contribution=4 * sign * share / number,
                facts=tuple(facts.items()),
            )
        )
    return pieces


def situations(one: Evidence) -> Iterator[tuple[str, Attribution]]:
    """Attributions with a piece of evidence, alone and in groups, at each place of a text."""
    for number, share in (*((1, share) for share in SHARES), (3, 0.3), (3, 0.1)):
        pieces = repeated(one, number, share)
        alone = attribution(*pieces)
        yield "alone", alone
        yield "excluded", replace(alone, refused_by=(("held", "held"),))
        yield "score below zero", replace(alone, score=-1.0)
        sign = 1 if one.contribution > 0 else -1
        first = piece(8, "text", 0.7, claim="own")
        yield "after another", attribution(first, *pieces)
        against = piece(9, "popularity", -0.8, claim="against_general")
        yield "after one against it", attribution(first, against, *pieces)
        if "tie" in dict(one.facts):
            another = replace(one, id=7, share=sign * 0.75, contribution=sign * 3.0)
            yield "a second person", attribution(another, *pieces)


def texts(
    found: Attribution, clauses: Clauses, length: Length
) -> Iterator[tuple[str, tuple[int, ...]]]:
    for slot in make_plan(found, clauses, length).slots:
        yield from ((text, slot.evidence) for text in (*slot.wordings, slot.plain))


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("claim", CLAIMS, ids=".".join)
def test_the_check_refuses_no_authored_clause(language: str, claim: tuple[str, str]) -> None:
    clauses = load_clauses(language)
    pieces = [one for one in every_claim(language) if (one.kind, dict(one.facts)["claim"]) == claim]
    refused: dict[str, str] = {}
    checked: set[tuple[str, tuple[int, ...], float]] = set()
    for one in pieces:
        for place, found in situations(one):
            for length in LENGTHS:
                opening = make_plan(found, clauses, length).opening
                proof = replace(explanation(*found.evidence, fixed=opening), language=language)
                shown = {
                    (text, evidence, found.evidence[-1].share)
                    for text, evidence in texts(found, clauses, length)
                }
                # Sentences are checked one by one, so they may share a text.
                text = " ".join(sorted(text for text, _, _ in shown - checked))
                for problem in check_text(text, proof) if shown - checked else ():
                    refused[problem.text] = f"{place}: {problem.reason}"
                checked |= shown
    assert len(checked) > 20
    assert not refused


@pytest.mark.parametrize("language", languages())
def test_every_frame_and_clause_of_the_files_is_among_the_texts(language: str) -> None:
    clauses = load_clauses(language)
    shown: set[str] = set()
    for one in every_claim(language):
        for _, found in situations(one):
            for length in LENGTHS:
                shown |= {text for text, _ in texts(found, clauses, length)}
    starts = [
        frame.partition("{")[0]
        for frames in (clauses.lead, clauses.next, clauses.against)
        for one in frames.values()
        for frame in one
    ]
    assert not [start for start in starts if not any(text.startswith(start) for text in shown)]
