"""Pictures of evidence: what a reader sees is what the records say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from xml.etree.ElementTree import Element, fromstring

import pytest

from kinfolio.llm_explain.explanation import Evidence, Explanation
from kinfolio.web.pictures.evidence import evidence_pictures
from kinfolio.web.pictures.lanes import lanes
from kinfolio.web.pictures.neighbourhood import (
    Held,
    Neighbourhood,
    Wanted,
    neighbourhood_pictures,
)
from kinfolio.web.pictures.svg import LETTER, SMALL_LETTER, cut, wrap
from kinfolio.web.pictures.waterfall import waterfall_pictures
from tests.llm_explain.samples import (
    FEW,
    NEAR,
    RATED,
    TOGETHER,
    WORDS,
    every_claim,
    explanation,
    piece,
)

FIVE = explanation(TOGETHER, RATED, NEAR, FEW, WORDS)
HOSTILE = '<script>alert(1)</script>"\u202egnirts'
AROUND = Neighbourhood(
    people=(("Someone you follow", 3),),
    held=tuple(
        Held(product=f"p{n}", name=f"Fund {n}", rating=4.5, is_reviewed=n == 1) for n in range(14)
    ),
    wanted=(
        Wanted(
            product="w", name="Baltic Bond", rank=1, score=2.5, shares=(("p13", 0.4), ("p2", -0.1))
        ),
    ),
)


def drawings(text: str) -> list[Element]:
    return list(fromstring(f"<both>{text}</both>"))  # noqa: S314 our own text


def texts(drawing: Element) -> list[str]:
    return [one.text or "" for one in drawing.iter("text")]


def of_class(drawing: Element, tag: str, name: str) -> list[Element]:
    return [one for one in drawing.iter(tag) if name in one.get("class", "").split()]


@pytest.mark.parametrize(
    "text",
    [evidence_pictures(FIVE), waterfall_pictures(FIVE), neighbourhood_pictures(AROUND)],
    ids=["evidence", "waterfall", "neighbourhood"],
)
def test_both_drawings_have_a_title_and_a_description_and_no_style(text: str) -> None:
    wide, narrow = drawings(text)
    ids = set()
    for drawing in (wide, narrow):
        title, description = drawing[0], drawing[1]
        assert drawing.get("role") == "img"
        assert title.tag == "title"
        assert title.get("id") == drawing.get("aria-labelledby")
        assert description.get("id") == drawing.get("aria-describedby")
        assert title.text
        assert description.text
        ids |= {title.get("id"), description.get("id")}
        assert not [one for one in drawing.iter() if one.get("style") or one.tag == "style"]
    assert len(ids) == 4
    assert float(narrow.get("width", "0")) <= 340
    assert "wide" in wide.get("class", "")


def test_an_edge_is_as_wide_as_its_share_and_dashed_if_it_lowers_the_score() -> None:
    wide, _ = drawings(
        evidence_pictures(
            explanation(TOGETHER, piece(2, "holding", -0.25, claim="against", name="Ember"))
        )
    )
    widths = {
        sign: {float(one.get("stroke-width", "0")) for one in of_class(wide, "path", sign)}
        for sign in ("plus", "minus")
    }
    assert len(widths["plus"]) == len(widths["minus"]) == 1
    assert widths["plus"].pop() == pytest.approx(2 * widths["minus"].pop())


def test_popularity_does_not_start_at_the_user() -> None:
    wide, _ = drawings(evidence_pictures(explanation(FEW)))
    assert "You" in texts(wide)
    assert not [one for one in of_class(wide, "path", "edge") if "M64.0" in one.get("d", "")]


@pytest.mark.parametrize(
    "one", every_claim(), ids=lambda one: f"{one.kind}-{dict(one.facts)['claim']}"
)
def test_every_claim_can_be_drawn(one: Evidence) -> None:
    found = explanation(one)
    assert len(drawings(evidence_pictures(found) + waterfall_pictures(found))) == 4


def test_lanes_add_up_to_the_score_however_few_are_drawn() -> None:
    many = explanation(
        *(piece(n, "holding", 0.05, claim="near", name=f"Fund {n}") for n in range(1, 21))
    )
    found = lanes(replace(many, score=many.score + 0.5, remainder=0.5), most=7)
    assert len(found) == 8
    assert sum(one.contribution for one in found) == pytest.approx(many.score + 0.5)
    assert [one.label for one in found[-2:]] == ["14 smaller reasons", "Reasons not listed"]


def test_the_waterfall_ends_at_the_score() -> None:
    wide, _ = drawings(waterfall_pictures(FIVE))
    bars = of_class(wide, "rect", "bar")
    total = bars[-1]
    last, direction = bars[-2], bars[-2].get("class", "")
    end = float(last.get("x", "0")) + ("plus" in direction) * float(last.get("width", "0"))
    assert end == pytest.approx(
        float(total.get("x", "0")) + float(total.get("width", "0")), abs=0.1
    )
    assert texts(wide)[-1] == f"{FIVE.score:.3f}"


def test_a_negative_score_is_drawn_from_zero_to_the_left() -> None:
    found = explanation(piece(1, "holding", -0.5, claim="against", name="Ember"))
    wide, _ = drawings(waterfall_pictures(found))
    axis = float(of_class(wide, "path", "axis")[0].get("d", "M0 ").split()[0][1:])
    total = of_class(wide, "rect", "total")[0]
    assert float(total.get("x", "0")) + float(total.get("width", "0")) == pytest.approx(
        axis, abs=0.1
    )


def hostile() -> Explanation:
    found = explanation(piece(1, "holding", 0.5, claim="together", name=HOSTILE, both=9))
    return replace(found, name=HOSTILE)


@pytest.mark.parametrize("draw", [evidence_pictures, waterfall_pictures])
def test_names_are_text_and_never_markup(draw: Callable[[Explanation], str]) -> None:
    text = draw(hostile())
    assert "<script" not in text
    assert "\u202e" not in text
    assert len(drawings(text)) == 2


def test_text_fits_into_its_box() -> None:
    name = "The Most Excellent International Opportunities Fund of Funds"
    wide, _ = drawings(evidence_pictures(replace(FIVE, name=name)))
    assert max(len(text) for text in texts(wide)) * LETTER < 250
    assert cut(name, 100).endswith("…")
    assert len(cut(name, 100)) * LETTER <= 100
    assert len(cut("short", 100, SMALL_LETTER)) == 5
    assert wrap(name, 150, 3)[-1].endswith("…")
    assert len(wrap(name, 150, 3)) == 3


def test_the_graph_draws_the_holdings_behind_the_recommendations_first() -> None:
    wide, narrow = drawings(neighbourhood_pictures(AROUND))
    names = [text for text in texts(wide) if text.startswith("Fund ")]
    assert names[:2] == ["Fund 13", "Fund 2"]
    assert len(names) == 10
    assert "and 4 more" in texts(wide)
    assert "rated 4.5, reviewed" in texts(narrow)
    assert len(of_class(wide, "path", "minus")) == 1


def test_an_empty_graph_is_drawn_too() -> None:
    nothing = Neighbourhood(people=(), held=(), wanted=())
    assert len(drawings(neighbourhood_pictures(nothing))) == 2
