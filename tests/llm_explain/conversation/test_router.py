"""The router on its examples, on lines held out from them, and on nonsense."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from kinfolio.errors import BadInput
from kinfolio.llm_explain.conversation.router import (
    ASKS_BACK_BELOW,
    INTENTS,
    LONGEST_LINE,
    Router,
    load_examples,
    load_router,
    without_names,
)

EXAMPLES = {line for lines in load_examples().values() for line in lines}
HELD_OUT = {
    intent: [line for line in lines if line not in EXAMPLES]
    for intent, lines in tomllib.loads(
        Path(__file__).with_name("held_out.toml").read_text("utf-8")
    ).items()
}


@pytest.fixture(scope="module")
def router(models: Path) -> Router:
    return load_router(models)


def test_every_intent_has_enough_examples() -> None:
    examples = load_examples()
    assert all(len(lines) >= 25 for lines in examples.values())
    lines = [line for lines in examples.values() for line in lines]
    assert len(set(lines)) == len(lines)


def test_held_out_lines_find_their_intent(router: Router) -> None:
    routes = [(intent, router.route(line)) for intent in INTENTS for line in HELD_OUT[intent]]
    right = [intent == route.intent for intent, route in routes]
    sure = [intent == route.intent for intent, route in routes if not route.asks_back]
    asked_back = 1 - len(sure) / len(right)
    print(f"{len(routes)} lines: {sum(right) / len(right):.3f} right, ", end="")
    print(f"{sum(sure) / len(sure):.3f} of those answered, {asked_back:.3f} asked back")
    for intent in INTENTS:
        own = [(route.intent, route.asks_back) for other, route in routes if other == intent]
        hits, back = sum(found == intent for found, _ in own), sum(asks for _, asks in own)
        print(f"{intent}: {hits} of {len(own)} right, {back} asked back")
    assert len(routes) >= 140
    assert sum(right) / len(right) >= 0.85
    assert sum(sure) / len(sure) >= 0.93
    assert asked_back <= 0.2


def test_it_asks_back_exactly_below_one_half(router: Router) -> None:
    lines = [line for lines in HELD_OUT.values() for line in lines]
    routes = [router.route(line) for line in [*lines, "blue", "p12 p13", "seven of nine"]]
    assert {route.asks_back for route in routes} == {True, False}
    assert all(route.asks_back == (route.confidence < ASKS_BACK_BELOW) for route in routes)


def test_a_second_router_reads_the_fit_and_says_the_same(router: Router, models: Path) -> None:
    assert len(list(models.glob("router-*.npz"))) == 1
    again = load_router(models)
    assert again.route("why not the second?") == router.route("why not the second?")


def test_names_do_not_change_the_intent(router: Router) -> None:
    assert without_names("why not Amber Bond Fund?") == "why not Fund?"
    assert without_names("Harbour Trust or p12, what should I take?") == (
        "Fund or Fund, what should I take?"
    )
    assert router.route("why not Amber Bond Fund?") == router.route("why not Zzyzx Holdings?")


def test_lines_that_cannot_be_read_are_told(router: Router) -> None:
    with pytest.raises(BadInput, match="empty"):
        router.route(" \n ")
    with pytest.raises(BadInput, match="2,000 is the most"):
        router.route("x" * (LONGEST_LINE + 1))
