"""Hand-made evidence: one piece per claim, and attributions and explanations with it."""

from __future__ import annotations

import itertools
from functools import cache

from kinfolio.llm_explain.claims import CLAIMS
from kinfolio.llm_explain.explanation import Attribution, Evidence, Explanation, Sentence
from kinfolio.llm_explain.wording.clauses import load_clauses
from kinfolio.llm_explain.wording.plan import Length
from kinfolio.records import Kind

Fact = str | int | float
LENGTHS: tuple[Length, ...] = ("short", "normal", "long")

HOLDING = "Nordic Green Bond Fund"
SECOND = "Harbour Index Fund"
WRITTEN = "Quiet River Trust"
PRODUCT = "Baltic Infrastructure Bond"


def piece(number: int, kind: Kind, share: float, **facts: Fact) -> Evidence:
    return Evidence(
        id=number,
        kind=kind,
        share=share,
        contribution=4 * share,
        path=(),
        facts=tuple(facts.items()),
    )


COUNTS: dict[str, Fact] = {"holders": 31, "both": 14, "ratio": 45, "base": 5, "often": "several"}
TOGETHER = piece(1, "holding", 0.5, claim="together", name=HOLDING, **COUNTS)
RATED = piece(
    2, "tie", 0.2, claim="rated", person="someone you follow", tie="follows_out", rating=5
)
NEAR = piece(3, "holding", 0.1, claim="near", name=SECOND)
FEW = piece(4, "popularity", -0.08, claim="few", holders=23, people=2000)
WORDS = piece(5, "text", 0.07, claim="own", name=WRITTEN)


def _facts_of(kind: Kind, claim: str, language: str) -> list[dict[str, Fact]]:
    """Sample facts of a claim, one for each form that they can have."""
    clauses = load_clauses(language)
    less = clauses.words["less"].format(percent=1)
    withheld = clauses.words["fewer"].format(k=5)
    values: dict[str, list[Fact]] = {
        "name": [PRODUCT if claim == "itself" else "Ada Quill" if kind == "tie" else HOLDING],
        "category": ["Green bonds"],
        "holders": [withheld] if claim == "fewest" else [31],
        "both": [14],
        "ratio": [45],
        "base": [5, less],
        "often": ["several", "twice", "more"],
        "people": [2000],
        "rating": [4.5],
        "tie": list(clauses.people),
        "person": ["filled in below"],
    }
    known = CLAIMS[kind, claim]
    found = [
        dict(zip(known.facts, chosen, strict=True))
        for chosen in itertools.product(*(values[key] for key in known.facts))
    ]
    if known.optional:
        found.append(found[0] | {key: values[key][0] for key in known.optional})
    for facts in found:
        if "tie" in facts:
            facts["person"] = clauses.people[str(facts["tie"])][0]
    return found


@cache
def every_claim(language: str = "en") -> tuple[Evidence, ...]:
    """A piece for each claim and each form of its facts: kind of tie, rating, name and so on."""
    return tuple(
        piece(1, kind, -0.3 if known.is_against else 0.3, claim=claim, **facts)
        for (kind, claim), known in CLAIMS.items()
        for facts in _facts_of(kind, claim, language)
    )


def attribution(
    *evidence: Evidence,
    name: str = PRODUCT,
    kind: str | None = "bond",
    refused: tuple[tuple[str, str], ...] = (),
    unstated: int = 3,
) -> Attribution:
    score = sum(item.contribution for item in evidence)
    return Attribution(
        user="u1",
        product="p1",
        name=name,
        kind=kind,
        score=score + 0.1,
        version="v1",
        basis="holdings",
        evidence=evidence,
        remainder=0.1,
        num_stated=len(evidence),
        num_unstated=unstated,
        refused_by=refused,
        risk=3,
        tolerance=5,
        most_risk=6,
    )


def explanation(*evidence: Evidence, fixed: tuple[str, ...] = ()) -> Explanation:
    sentences = (
        *fixed,
        "The risk level of this bond is 3 of 6, within your level of 5.",
        "This is not advice.",
    )
    return Explanation(
        user="u1",
        product="p1",
        name=PRODUCT,
        score=sum(item.contribution for item in evidence),
        version="v1",
        writer="none",
        text=" ".join(sentences),
        sentences=tuple(Sentence(text=text, evidence=()) for text in sentences),
        evidence=evidence,
        remainder=0.0,
        grounded=True,
    )
