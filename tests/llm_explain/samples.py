"""Hand-made evidence: one piece per claim, and attributions and explanations with it."""

from __future__ import annotations

from dataclasses import replace

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


TOGETHER = piece(1, "holding", 0.5, claim="together", name=HOLDING, holders=31, both=14)
RATED = piece(
    2, "tie", 0.2, claim="rated", person="someone you follow", tie="follows_out", rating=5
)
NEAR = piece(3, "holding", 0.1, claim="near", name=SECOND)
FEW = piece(4, "popularity", -0.08, claim="few", holders=23)
WORDS = piece(5, "text", 0.07, claim="own", name=WRITTEN)

EVERY_CLAIM: tuple[Evidence, ...] = (
    piece(1, "holding", 0.3, claim="itself", name=PRODUCT),
    piece(1, "holding", 0.3, claim="together", name=HOLDING, holders=31, both=14),
    piece(1, "holding", 0.3, claim="few", name=HOLDING, both="fewer than 5"),
    piece(1, "holding", 0.3, claim="category", name=HOLDING, category="Green bonds"),
    piece(1, "holding", 0.3, claim="near", name=HOLDING),
    piece(1, "holding", -0.3, claim="against", name=HOLDING),
    piece(1, "tie", 0.3, claim="holds", person="someone you follow", tie="follows_out"),
    piece(1, "tie", 0.3, claim="rated", person="a friend of yours", tie="friend_in", rating=4.5),
    piece(1, "tie", 0.3, claim="near", person="someone you are tied to", tie="default_out"),
    piece(1, "tie", -0.3, claim="against", person="someone tied to you", tie="default_in"),
    piece(1, "text", 0.3, claim="own", name=HOLDING),
    piece(1, "text", 0.3, claim="own"),
    piece(1, "text", 0.3, claim="about", name=HOLDING),
    piece(1, "text", -0.3, claim="against", name=HOLDING),
    piece(1, "text", -0.3, claim="against"),
    piece(1, "popularity", 0.3, claim="many", holders=412),
    piece(1, "popularity", 0.3, claim="many", holders="fewer than 5"),
    piece(1, "popularity", -0.3, claim="few", holders=23),
    piece(1, "popularity", -0.3, claim="fewest", holders="fewer than 5"),
    piece(1, "popularity", -0.3, claim="against_many", holders=412),
    piece(1, "popularity", 0.3, claim="general"),
    piece(1, "popularity", -0.3, claim="against_general"),
)


def every_claim(language: str = "en") -> list[Evidence]:
    """A piece per claim and per kind of tie."""
    clauses = load_clauses(language)
    withheld = clauses.words["fewer"].format(k=5)
    pieces = [
        replace(
            item,
            facts=tuple(
                (key, withheld if value == "fewer than 5" else value) for key, value in item.facts
            ),
        )
        for item in EVERY_CLAIM
    ]
    for tie, (person, _, _) in clauses.people.items():
        who = {"person": person, "tie": tie}
        pieces += [
            piece(1, "tie", 0.3, claim="holds", **who),
            piece(1, "tie", 0.3, claim="rated", rating=4, **who),
            piece(1, "tie", 0.3, claim="near", **who),
            piece(1, "tie", -0.3, claim="against", **who),
        ]
    return pieces


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
    )


def explanation(*evidence: Evidence, fixed: tuple[str, ...] = ()) -> Explanation:
    sentences = (
        *fixed,
        "The risk level of this bond is 3, within your level of 5.",
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
