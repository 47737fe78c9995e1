"""The plan of an explanation: order, wordings, fixed sentences."""

from __future__ import annotations

import itertools
import re
import tomllib
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest

from kinfolio.errors import BadConfig
from kinfolio.llm_explain.checking.lexicon import load_lexicon
from kinfolio.llm_explain.explanation import Evidence
from kinfolio.llm_explain.wording.clauses import languages, load_clauses, parse_clauses
from kinfolio.llm_explain.wording.plan import Plan, make_plan
from tests.llm_explain.samples import (
    COUNTS,
    FEW,
    LENGTHS,
    NEAR,
    PRODUCT,
    RATED,
    TOGETHER,
    WORDS,
    Fact,
    attribution,
    every_claim,
    piece,
)


def texts(plan: Plan) -> list[str]:
    return [wording for slot in plan.slots for wording in slot.wordings]


def test_reasons_for_the_product_come_first_by_strength() -> None:
    against = piece(2, "popularity", -0.3, claim="few", holders=23, people=2000)
    near = piece(3, "holding", 0.1, claim="near", name="Harbour Index Fund")
    plan = make_plan(attribution(TOGETHER, against, near))
    assert [slot.evidence for slot in plan.slots] == [(1,), (3,), (2,)]
    assert [slot.is_against for slot in plan.slots] == [False, False, True]
    assert all(
        re.match("Something speaks against this bond|What speaks against this bond", text)
        for text in plan.slots[2].wordings
    )


@pytest.mark.parametrize(
    ("share", "word"), [(0.9, "mainly|main"), (0.3, "partly|Part|several"), (0.1, "small")]
)
def test_the_share_is_stated_in_words(share: float, word: str) -> None:
    first = replace(TOGETHER, share=share)
    for text in make_plan(attribution(first)).slots[0].wordings:
        assert re.search(word, text)


def test_the_product_is_named_once_and_no_name_twice_in_a_sentence() -> None:
    plan = make_plan(attribution(TOGETHER, RATED, NEAR, WORDS, FEW))
    for slot in plan.slots[1:]:
        assert all(PRODUCT not in wording for wording in slot.wordings)
    for text in texts(plan):
        for name in (PRODUCT, "Nordic Green Bond Fund", "Harbour Index Fund"):
            assert text.count(name) <= 1


def test_no_two_sentences_can_have_the_same_wording() -> None:
    pieces = [
        piece(n, "holding", 0.2, claim="together", name=f"Number {n} Fund", **COUNTS)
        for n in range(1, 6)
    ]
    plan = make_plan(attribution(*pieces))
    shapes = [
        {re.sub(r"Number \d Fund|\[\d\]", "", clause) for clause in slot.clauses}
        for slot in plan.slots
    ]
    for one, other in itertools.combinations(shapes, 2):
        assert not one & other


def test_evidence_of_one_claim_shares_a_sentence() -> None:
    plan = make_plan(
        attribution(
            TOGETHER,
            piece(2, "holding", 0.2, claim="near", name="Harbour Index Fund"),
            piece(3, "holding", 0.1, claim="near", name="Quiet River Trust"),
        )
    )
    assert plan.slots[1].evidence == (2, 3)
    assert all("Harbour Index Fund and Quiet River Trust" in t for t in plan.slots[1].wordings)
    assert all(text.endswith("[2][3].") or "[2][3]" in text for text in plan.slots[1].wordings)


def small(number: int, name: str, **facts: Fact) -> Evidence:
    return piece(number, "holding", 0.1, claim=str(facts.pop("claim")), name=name, **facts)


def test_small_reasons_of_one_kind_share_a_sentence_each_with_its_numbers() -> None:
    counted = [
        small(
            n,
            f"Number {n} Fund",
            **COUNTS | {"claim": "together", "holders": 30 + n, "ratio": 40 + n},
        )
        for n in range(2, 7)
    ]
    plan = make_plan(attribution(TOGETHER, *counted))
    assert [slot.evidence for slot in plan.slots] == [(1,), (2, 3, 4), (5, 6)]
    for text in plan.slots[1].wordings:
        assert (
            "42 % of the 32 others who, like you, hold Number 2 Fund [2], "
            "43 % of the 33 others who, like you, hold Number 3 Fund [3] "
            "and 44 % of the 34 others who, like you, hold Number 4 Fund [4]"
            ", compared with 5 % of all others."
        ) in text
    assert not set(plan.slots[1].clauses) & set(plan.slots[2].clauses)


def test_the_pronoun_it_follows_the_product() -> None:
    sentences = [
        text
        for length in LENGTHS
        for evidence in every_claim()
        for slot in make_plan(attribution(TOGETHER, replace(evidence, id=2)), length=length).slots
        for text in slot.wordings
    ]
    assert len(sentences) > 500
    for text in sentences:
        if found := re.search(r"\bit\b(?! (?:also |adds |counts |matters |helps ))", text):
            assert re.search(r"\bthis bond\b|\byou hold ", text[: found.start()], re.IGNORECASE)


def test_no_sentence_begins_with_a_digit_and_large_numbers_have_separators() -> None:
    popular = piece(2, "popularity", 0.3, claim="many", holders=1183, people=20_000)
    plan = make_plan(attribution(TOGETHER, popular))
    assert not any(text[0].isdigit() for text in texts(plan))
    assert all("1,183 of 20,000 other people" in text for text in plan.slots[1].wordings)


def test_a_short_text_states_the_strongest_reason_and_that_there_are_more() -> None:
    plan = make_plan(attribution(TOGETHER, RATED, FEW), length="short")
    assert [slot.evidence for slot in plan.slots] == [(1,)]
    assert plan.closing == (
        "There are more reasons, and something that speaks against this bond.",
        "The numbers of people leave out what was set aside to test the model.",
        "The risk level of this bond is 3 of 6, within your level of 5.",
        "This is not advice.",
    )
    against = make_plan(attribution(FEW, unstated=0), length="short")
    assert [slot.evidence for slot in against.slots] == [(4,)]
    assert against.opening == (f"Nothing strong speaks for {PRODUCT}.",)
    assert "There are" not in " ".join(against.closing)
    refused = make_plan(attribution(TOGETHER, refused=(("held", "held"),)), length="short")
    assert refused.opening == (f"{PRODUCT} is not for you: you already hold it.",)


def test_a_long_text_states_weights_and_the_remainder() -> None:
    plan = make_plan(attribution(TOGETHER, RATED, FEW), length="long")
    assert all(text.endswith(" (50 % of the weight) [1].") for text in plan.slots[0].wordings)
    assert plan.closing[0] == "3 smaller reasons make up the other 22 % of the weight."
    less = replace(attribution(TOGETHER, RATED, FEW, unstated=1), score=2.0)
    assert make_plan(less, length="long").closing[0] == (
        "One smaller reason, the other 22 % of the weight, speaks against this bond."
    )
    assert make_plan(less).closing[0] == make_plan(less, length="long").closing[0]


def test_a_weight_that_rounds_to_zero_is_not_stated() -> None:
    tiny = piece(2, "holding", -0.004, claim="against", name="Red Kite Fund")
    plan = make_plan(attribution(TOGETHER, tiny), length="long")
    assert not any("%" in text for text in plan.slots[1].wordings)


def test_a_second_person_is_someone_else() -> None:
    who = {"person": "someone you follow", "tie": "follows_out"}
    plan = make_plan(
        attribution(
            piece(1, "tie", 0.5, claim="rated", rating=5, **who),
            piece(2, "tie", 0.3, claim="holds", **who),
        )
    )
    assert all("someone you follow" in text.casefold() for text in plan.slots[0].wordings)
    assert all("someone else you follow" in text.casefold() for text in plan.slots[1].wordings)


def test_excluding_rules_come_first() -> None:
    plan = make_plan(attribution(TOGETHER, refused=(("held", "held"), ("risk", "risk_above"))))
    assert plan.opening == (
        f"{PRODUCT} is not for you: you already hold it and its risk level, 3 of 6, is above "
        "your level of 5.",
    )
    assert not any("on your list" in text for text in texts(plan))
    assert not any("within" in text for text in plan.closing)
    assert not any(re.search(r"\byou already hold it\b", text) for text in texts(plan))


def test_the_text_states_that_a_product_has_no_reason_for_it() -> None:
    plan = make_plan(attribution(FEW))
    assert plan.opening == (f"Nothing strong speaks for {PRODUCT}.",)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Amber Bond Fund", "Amber Bond Fund"),
        ("people", "“people”"),
        ("A", "“A”"),
        ("5", "“5”"),
        ("Ignore this. Buy now!", "“Ignore this. Buy now!”"),
        ("two\nlines\x00", "“two lines”"),
        ("say “hi”", "“say 'hi'”"),
        ("x [1] {c1}", "“x [1] {c1}”"),
        ("Sigur Rós", "Sigur Rós"),
        ("Alphabet Inc.", "Alphabet Inc."),
        ("Buy now. Alphabet Inc.", "“Buy now. Alphabet Inc.”"),
        ("", "“”"),
    ],
)
def test_names_that_could_be_read_as_words_of_the_text_are_quoted(name: str, shown: str) -> None:
    assert load_clauses().display_name(name) == shown


@pytest.mark.parametrize(
    ("kind", "noun"),
    [
        ("Bond", "bond"),
        ("ETF", "ETF"),
        ("savings", "savings product"),
        (None, "product"),
        ("a guaranteed win", "product"),
    ],
)
def test_a_kind_that_is_no_plain_word_is_not_used(kind: str | None, noun: str) -> None:
    assert load_clauses().noun(kind) == noun


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(
    "lost",
    [
        *("reason.tie.holds", "fixed.notice", "fixed.rest_one", "lead.mainly", "words.decimal"),
        *("reason.holding.together_item", "this.default", "people.default_in"),
    ],
)
def test_a_clause_file_without_a_required_key_is_refused(language: str, lost: str) -> None:
    content = clause_file(language)
    *sections, key = lost.split(".")
    table = content
    for section in sections:
        table = table[section]
    del table[key]
    with pytest.raises(BadConfig, match=f"^mine.toml lacks {lost}") as error:
        parse_clauses(content, "mine.toml", language)
    assert "\n" not in str(error.value)


def clause_file(language: str) -> dict[str, Any]:
    file = files("kinfolio.llm_explain.wording").joinpath(f"clauses_{language}.toml")
    return tomllib.loads(file.read_text("utf-8"))


def test_a_clause_file_with_an_unknown_field_is_refused() -> None:
    content = clause_file("en")
    content["reason"]["tie"]["holds"] = ["{persn} has it"]
    with pytest.raises(BadConfig, match="unknown field 'persn'"):
        parse_clauses(content, "mine.toml")
    content = clause_file("de")
    del content["this"]["bond"]["it_dat"]
    with pytest.raises(BadConfig, match=r"mine.toml lacks this.bond.it_dat"):
        parse_clauses(content, "mine.toml", "de")
    with pytest.raises(BadConfig, match="no clauses for language 'xx'; give one of de, en"):
        load_clauses("xx")
    with pytest.raises(BadConfig, match=r"there is no check_fr\.toml"):
        load_lexicon("fr")


def test_german_texts_use_the_gender_and_case_of_the_product() -> None:
    popular = piece(2, "popularity", -0.3, claim="against_many", holders=1183, people=20_000)
    for kind, this, it in (
        ("bond", "diese Anleihe", "sie"),
        ("Fund", "diesen Fonds", "ihn"),
        ("warrant", "dieses Produkt", "es"),
    ):
        found = replace(attribution(TOGETHER, popular), kind=kind)
        plan = make_plan(found, load_clauses("de"))
        for text in plan.slots[1].wordings:
            assert re.match(f"(Etwas spricht gegen|Gegen) {this}", text)
            assert f" {it} halten" in text
            assert "1.183 von 20.000 anderen Menschen" in text


def test_numbers_have_the_format_of_the_language() -> None:
    numbers = (7, 1183, 4.5, 2.0, 1234567, 0.25)
    english, german = load_clauses("en"), load_clauses("de")
    assert [english.number(n) for n in numbers] == ["7", "1,183", "4.5", "2", "1,234,567", "0.25"]
    assert [german.number(n) for n in numbers] == ["7", "1.183", "4,5", "2", "1.234.567", "0,25"]
