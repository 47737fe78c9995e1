"""What every authored clause says is true of the graph from which its evidence was read.

Each phrase of a language has a meaning: a condition on a small world (who holds what). A clause
must consist of such phrases, so that a new one without a meaning is found, and in every world all
phrases of the clauses of a claim must be true.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kinfolio.llm_explain.claims import CLAIMS, base_claim
from kinfolio.llm_explain.evidence.components import Component
from kinfolio.llm_explain.evidence.paths import _PathBuilder
from kinfolio.llm_explain.wording.clauses import Clauses, languages, load_clauses


@dataclass(frozen=True)
class World:
    """How many others hold the product P, the user's product A, and both; and the model's sign."""

    people: int
    with_p: int
    with_a: int
    both: int
    category: str | None
    sign: int
    is_prior: bool
    mean: float
    tie_holds: bool
    rating: float | None
    min_people: int
    has_review: bool
    is_itself: bool

    @property
    def lift(self) -> float:
        return (self.both / self.with_a) / (self.with_p / (self.people - 1))


Facts = dict[str, Any]
Meaning = Callable[[World, Facts], bool]


def positive(world: World, _: Facts) -> bool:
    return world.sign > 0


def negative(world: World, _: Facts) -> bool:
    return world.sign < 0


def always(_: World, __: Facts) -> bool:
    """Of the user: that the user holds A, wrote a text, has a tie; all worlds have these."""
    return True


def near(number: object, exact: float) -> bool:
    if isinstance(number, str):
        return exact < 1
    return abs(float(str(number)) - exact) <= 0.5


def ratio(world: World, facts: Facts) -> bool:
    return near(facts["ratio"], 100 * world.both / world.with_a)


def base(world: World, facts: Facts) -> bool:
    return near(facts["base"], 100 * world.with_p / (world.people - 1))


def counts(world: World, facts: Facts) -> bool:
    return bool(facts["both"] == world.both and facts["holders"] == world.with_a)


def others(world: World, facts: Facts) -> bool:
    return bool(facts["holders"] == world.with_a)


def often(world: World, facts: Facts) -> bool:
    return world.lift >= {"several": 3, "twice": 2, "more": 1.0001}[facts["often"]]


def held_by(world: World, facts: Facts) -> bool:
    holders = facts["holders"]
    return bool(
        world.with_p < world.min_people if isinstance(holders, str) else holders == world.with_p
    )


def of_people(world: World, facts: Facts) -> bool:
    return held_by(world, facts) and bool(facts["people"] == world.people - 1)


def few(world: World, facts: Facts) -> bool:
    return held_by(world, facts) and world.with_p < world.mean


def same_category(world: World, facts: Facts) -> bool:
    return bool(world.category == facts["category"])


def itself(world: World, _: Facts) -> bool:
    return world.is_itself


def tied_holds(world: World, _: Facts) -> bool:
    return world.tie_holds and world.min_people == 1


def rated(world: World, facts: Facts) -> bool:
    return bool(facts["rating"] == world.rating)


def wrote_about(_: World, facts: Facts) -> bool:
    return "name" in facts


def widely(world: World, _: Facts) -> bool:
    return world.with_p >= world.mean


def general(world: World, _: Facts) -> bool:
    return world.is_prior


CONDITIONS: dict[str, Meaning] = {
    one.__name__: one
    for one in (
        *(positive, negative, always, ratio, base, counts, others, often, held_by, of_people),
        *(few, same_category, itself, tied_holds, rated, wrote_about, widely, general),
    )
}
PHRASES = tomllib.loads(Path(__file__).with_name("meanings.toml").read_text("utf-8"))


def meanings_of(text: str, language: str) -> list[tuple[str, Meaning]]:
    """The phrases of a clause and their meanings; all its words must be in one."""
    found, left = [], text
    for phrase in PHRASES[language]["phrase"]:
        pattern = re.sub(r"[{}]", r"\\\g<0>", phrase["says"])
        for match in list(re.finditer(pattern, left)):
            found.append((match.group(), CONDITIONS[phrase["means"]]))
            left = left.replace(match.group(), " | ")
    words = re.findall(r"\{\w+\}|[^\W\d]+", left)
    unknown = set(words) - set(PHRASES[language]["rest"].split())
    assert not unknown, f"{text!r}: no meaning of {unknown}"
    return found


def worlds() -> Iterator[World]:
    sizes = [
        (people, with_p, with_a, both)
        for people, with_p, with_a in itertools.product((40, 300), (1, 7, 30), (1, 6, 25))
        for both in sorted({0, 1, 5, 6, min(with_p, with_a)})
        if both <= min(with_p, with_a)
    ]
    for numbers, sign, mean, least in itertools.product(sizes, (1, -1), (2.0, 20.0), (1, 5)):
        for number, category in enumerate((None, "Zinc Ores")):
            yield World(
                *numbers,
                category=category,
                sign=sign,
                is_prior=bool(number),
                mean=mean,
                tie_holds=bool(number),
                rating=4.5 if mean > 2 else None,
                min_people=least,
                has_review=bool(number),
                is_itself=False,
            )
            yield World(*numbers, category, sign, False, mean, False, None, least, False, True)


def evidence_of(world: World, clauses: Clauses) -> Iterator[tuple[str, Facts]]:
    """Kind and facts of the evidence that is read from a world."""
    pair = {
        "user": "u",
        "product": "p",
        "holders": world.with_p,
        "people": world.people,
        "mean_holders": world.mean,
        "mean_rating": 3.0,
        "middle_rating": 3.0,
    }
    display = clauses.for_deployment(min_people=world.min_people)
    held = "p" if world.is_itself else "a"
    paths = _PathBuilder(pair, display, {"p": "Product Fund", "a": "Amber Fund"})
    row = {"holders": world.with_a, "both": world.both, "category": world.category}
    component = Component(kind="holding", id=held)
    yield "holding", dict(paths.holding(component, world.sign, row if world.sign > 0 else None)[0])
    tie = {"kind": "follows", "is_out": True, "id": None, "name": None}
    tie |= {"holds": world.tie_holds, "rating": world.rating}
    yield "tie", dict(paths.tie(world.sign, tie)[0])
    review = {"id": "a", "name": "Amber Fund", "review": "r"} if world.has_review else {}
    for text in ("own", "about"):
        component = Component(kind="text", text=text, id="a" if text == "about" else "")
        yield "text", dict(paths.text(component, world.sign, review)[0])
    component = Component(kind="popularity", is_prior=world.is_prior)
    yield "popularity", dict(paths.popularity(component, world.sign)[0])


@pytest.mark.parametrize("language", languages())
def test_what_a_clause_says_is_true_wherever_it_is_said(language: str) -> None:
    clauses = load_clauses(language)
    meanings = {
        (kind, key, text): meanings_of(text, language)
        for kind, cases in clauses.reason.items()
        for key, texts in cases.items()
        for text in texts
    }
    seen, false = set(), set()
    for world in worlds():
        for kind, facts in evidence_of(world, clauses):
            for (of_kind, key, text), phrases in meanings.items():
                fields = set(re.findall(r"\{(names?)\}", text))
                if (of_kind, base_claim(key)) != (kind, facts["claim"]) or (
                    fields and "name" not in facts
                ):
                    continue
                seen.add((of_kind, base_claim(key)))
                false |= {(text, said) for said, is_true in phrases if not is_true(world, facts)}
    assert not false
    assert seen == set(CLAIMS)


def test_a_false_clause_is_found() -> None:
    """ "Held by fewer than 5" was said of products with many holders of which few hold both."""
    said = meanings_of("{holders} other people {hold} {this} so far", "en")
    world = next(one for one in worlds() if one.with_p == 30)
    assert not all(is_true(world, {"holders": "fewer than 5"}) for _, is_true in said)
    with pytest.raises(AssertionError, match="no meaning"):
        meanings_of("both {this} and your {name} are {held} by {both} others", "en")
