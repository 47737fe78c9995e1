"""Words of a deployment: films that people watched, in every clause; facts of products."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kinfolio.errors import BadConfig, NotFound
from kinfolio.llm_explain.checking.check import check_text
from kinfolio.llm_explain.explain import write_explanation
from kinfolio.llm_explain.wording.clauses import Clauses, languages, load_clauses
from kinfolio.llm_explain.wording.plan import make_plan
from tests.llm_explain.conversation.scripted import NONE
from tests.llm_explain.samples import LENGTHS, TOGETHER, attribution, every_claim, explanation

FILMS = """
[en]
on_list = "is suggested here"
product = "film"
hold = "watched"
holds = "watched"
held = "watched"

[de]
product = "Film"
hold = "sehen"
holds = "sieht"
held = "gesehen"
on_list = "ist hier vorgeschlagen"
on_list_sub = "hier vorgeschlagen ist"
this = "dieser Film"
this_gen = "dieses Films"
this_acc = "diesen Film"
this_dat = "diesem Film"
it = "er"
it_acc = "ihn"
it_dat = "ihm"

[facts]
year = {en = "from {value}", de = "von {value}"}
"""


@pytest.fixture
def films(tmp_path: Path) -> Path:
    file = tmp_path / "words.toml"
    file.write_text(FILMS, "utf-8")
    return file


def in_films(file: Path, language: str) -> Clauses:
    return load_clauses(language).for_deployment(words=file)


@pytest.mark.parametrize("language", languages())
def test_every_clause_speaks_of_films_and_passes_the_check(films: Path, language: str) -> None:
    clauses, refused, num_texts = in_films(films, language), {}, 0
    for one in every_claim(language):
        for pieces in ((one,), (replace(one, share=one.share / 4), replace(one, id=2))):
            found = replace(attribution(*pieces), kind=None)
            for length in LENGTHS:
                plan = make_plan(found, clauses, length)
                proof = replace(
                    explanation(*pieces, fixed=plan.opening),
                    language=language,
                    replaced=clauses.replaced,
                )
                for text in (text for slot in plan.slots for text in (*slot.wordings, slot.plain)):
                    num_texts += 1
                    if problems := check_text(text, proof):
                        refused[text] = problems[0].reason
                    words = {"hold", "holds", "held", "halten", "hält", "gehalten", "Produkt"}
                    assert not words & set(text.replace(".", " ").replace(",", " ").split()), text
    assert num_texts > 1_000
    assert not refused


def test_a_whole_explanation_is_in_the_words_of_the_deployment(films: Path) -> None:
    found = replace(attribution(TOGETHER), kind=None, about=("category Drama", "from 1994"))
    text = write_explanation(found, (NONE,), clauses=in_films(films, "en"))
    assert text.grounded
    assert "this film" in text.text
    assert "watched" in text.text
    assert "About this film: category Drama and from 1994." in text.text


def test_the_check_finds_a_false_claim_in_the_words_of_the_deployment(films: Path) -> None:
    clauses = in_films(films, "en")
    proof = replace(explanation(TOGETHER), replaced=clauses.replaced)
    assert check_text("You watched Nordic Green Bond Fund [1].", proof) == ()
    assert check_text("You watched this film [1].", proof) != ()
    assert check_text("A friend of yours watched this film [1].", proof) != ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[en]\nwatch = "see"', "en.watch is no word of the clauses; give "),
        ('[en]\nhold = "buy 5"', "en.hold is 'buy 5'; give one or more words"),
        ("[en]\nhold = 5", "en.hold is '5'"),
        ("hold", "cannot be read as TOML"),
        ("en = 3", r"en is no table; write \[en\]"),
        ('[words]\nhold = "see"', r"has 'words'; give \[facts\] and languages like \[en\]"),
        ('[facts]\nyear = {de = "von {value}"}', "facts.year has no text with {value} for 'en'"),
        ('[facts]\nyear = {en = "from {value} {x}"}', "facts.year has no text"),
    ],
)
def test_a_file_that_is_not_valid_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "words.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(BadConfig, match=sentence):
        in_films(file, "en")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"there is no file .*none\.toml; unset KINFOLIO_WORDS"):
        in_films(tmp_path / "none.toml", "en")
