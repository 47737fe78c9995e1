"""Twelve turns with each writer, also resumed from stored threads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadInput
from kinfolio.llm_explain.checking.check import check_text
from kinfolio.llm_explain.conversation.router import Router
from kinfolio.llm_explain.memory.checkpointers import open_file
from kinfolio.llm_explain.wording.embedded import EmbeddedModel, weights_file
from kinfolio.llm_explain.wording.writers import GrammarWriter, Writer
from tests.llm_explain.conversation.scripted import (
    ME,
    NONE,
    Call,
    Rows,
    Script,
    helpful,
    start_chat,
)

Answers = list[dict[str, Any]]

LINES = (
    "hello",
    "what do you recommend?",
    "something less risky",
    "why the first one?",
    "and the second one?",
    "why not p9?",
    "compare the first and the second",
    "what if I did not hold p3?",
    "what influenced my list the most?",
    "anything similar to p0?",
    "remove p12 from my list",
    "no",
)
INTENTS = (
    *("small_talk", "recommend", "recommend", "why_this", "why_this", "why_not", "compare"),
    *("what_if", "influence", "similar", "dismiss", "dismiss"),
)
TOOLS: dict[str, Call] = {
    LINES[1]: ("recommend", {}),
    LINES[2]: ("recommend", {"wish": "less risky"}),
    LINES[3]: ("explain", {"product": "first"}),
    LINES[4]: ("explain", {"product": "second"}),
    LINES[5]: ("why_not", {"product": "p9"}),
    LINES[6]: ("compare", {"first": "first", "second": "second"}),
    LINES[7]: ("what_if", {"not_held": ["p3"], "about": "p0"}),
    LINES[8]: ("influence", {}),
    LINES[9]: ("similar", {"product": "p0"}),
    LINES[10]: ("dismiss", {"product": "p12"}),
}


@pytest.fixture(scope="module")
def whole(community_graph: Graph, router: Router) -> Answers:
    """The conversation without a model in one process."""
    chat = start_chat(community_graph, router)
    return [chat.answer(line) for line in LINES]


def resumed(
    graph: Graph,
    router: Router,
    folder: Path,
    writers: Sequence[Writer] = (NONE,),
    script: Script | None = None,
) -> Answers:
    """The conversation with the file closed after every fourth turn."""
    answers: Answers = []
    for start in range(0, len(LINES), 4):
        with open_file(folder) as memory:
            chat = start_chat(
                graph, router, writers=writers, script=script, thread="t", checkpointer=memory
            )
            answers += [chat.answer(line) for line in LINES[start : start + 4]]
    return answers


def topics(answers: Answers) -> list[tuple[Any, ...]]:
    """Intents and products of answers."""
    return [
        (
            answer["intent"],
            answer.get("product"),
            [
                one["product"] if isinstance(one, dict) else one
                for one in answer.get("products", ())
            ],
        )
        for answer in answers
    ]


def test_twelve_turns_without_a_model_are_the_same_when_resumed(
    community_graph: Graph, router: Router, whole: Answers, tmp_path: Path
) -> None:
    assert [answer["intent"] for answer in whole] == list(INTENTS)
    assert not any(answer["asks_back"] for answer in whole)
    listed = [one["product"] for one in whole[2]["products"]]
    assert [whole[3]["product"], whole[4]["product"]] == listed[:2]
    assert [one["product"] for one in whole[6]["products"]] == listed[:2]
    assert whole[-1]["text"] == "Nothing was changed."
    assert resumed(community_graph, router, tmp_path) == whole


def test_the_embedded_model_changes_the_words_of_explanations_only(
    community_graph: Graph, router: Router, whole: Answers, models: Path, tmp_path: Path
) -> None:
    if weights_file() is None:
        pytest.skip("the embedded model is not installed")
    writer = GrammarWriter("embedded", EmbeddedModel(folder=models))
    answers = resumed(community_graph, router, tmp_path, (writer, NONE))
    assert topics(answers) == topics(whole)
    explained = [answer["explanation"] for answer in answers if "explanation" in answer]
    assert {one["writer"] for one in explained} == {"embedded"}
    assert all(one["grounded"] for one in explained)
    others = [n for n, answer in enumerate(answers) if "explanation" not in answer]
    assert [answers[n] for n in others] == [whole[n] for n in others]


def test_a_large_model_answers_with_the_facts_of_its_tools(
    community_graph: Graph, router: Router, whole: Answers, tmp_path: Path
) -> None:
    answers = resumed(community_graph, router, tmp_path, script=helpful(TOOLS))
    assert topics(answers) == topics(whole)
    assert answers[0]["text"] == "I am glad to help."
    for answer, other in list(zip(answers, whole, strict=True))[1:-1]:
        assert answer["answered_by"] == "scripted:large"
        assert answer["text"] == f"Here is what the graph says. {other['text']}"


def test_the_router_answers_where_a_large_model_fails(
    community_graph: Graph, router: Router, whole: Answers
) -> None:
    def broken(_: object) -> str:
        raise ConnectionError("no connection to the provider")

    chat = start_chat(community_graph, router, script=broken)
    assert [chat.answer(line) for line in LINES[:5]] == whole[:5]


def test_a_thread_is_private_pruned_and_deleted_with_its_user(
    community_graph: Graph, router: Router, tmp_path: Path
) -> None:
    file = tmp_path / "conversations.sqlite"
    with open_file(tmp_path) as memory:
        for user in ("bond", "person-20"):
            for thread in ("a", "b"):
                chat = start_chat(community_graph, router, user, thread=thread, checkpointer=memory)
                for _ in range(3):
                    chat.answer("what do you recommend?")
        assert len(list(memory.list(None))) == 8
        chat = start_chat(community_graph, router, "person-20", thread="a", checkpointer=memory)
        chat.answer("delete my data")
        chat.answer("yes")
        assert chat.answer("delete my data")["deleted"]
    assert file.stat().st_mode & 0o077 == 0
    with open_file(tmp_path) as memory:
        threads = {one.config["configurable"]["thread_id"] for one in memory.list(None)}
        assert threads == {'["bond", "a"]', '["bond", "b"]'}
        other = start_chat(community_graph, router, ME, thread="a", checkpointer=memory)
        assert "Which product" in other.answer("why the first one?")["text"]


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "conversations.sqlite").write_text("these are no conversations\n" * 100)
    with pytest.raises(BadInput, match="move it away"), open_file(tmp_path):
        pass


def test_the_command_resumes_a_thread_after_a_restart(
    community_graph: Graph, cli: Callable[..., Any], whole: Answers
) -> None:
    arguments = ("chat", ME, "--model", "none", "--thread", "restart", "--json")
    output = ""
    for start in (0, 5):
        lines = "\n".join(LINES[start : start + 5 if start == 0 else None])
        result = cli(*arguments, input=lines + "\n")
        assert result.exit_code == 0, result.stderr
        output += result.stdout
    assert [json.loads(line) for line in output.splitlines()] == json.loads(json.dumps(whole))


def test_every_explanation_of_the_conversation_passes_the_check(
    community_graph: Graph, whole: Answers
) -> None:
    from kinfolio.llm_explain.explain import explain

    for answer in whole:
        if "explanation" in answer:
            found = explain(community_graph, ME, answer["product"], (NONE,))
            assert check_text(answer["text"], found) == ()


class _Unlisted(InMemorySaver):
    """A checkpointer that does not list all threads, like that of langchain-neo4j."""

    def list(self, config: Any, **more: Any) -> Iterator[Any]:
        return iter(()) if config is None else super().list(config, **more)


def test_threads_in_the_graph_are_deleted_with_their_user(
    community_graph: Graph, router: Router, run_module_cypher: Rows
) -> None:
    memory = _Unlisted()
    for user, thread in (("person-21", "a"), ("person-21", "b"), ("person-22", "a")):
        start_chat(community_graph, router, user, thread=thread, checkpointer=memory).answer(
            "hello"
        )
        run_module_cypher(
            "CREATE (:Thread {thread_id: $thread})", thread=json.dumps([user, thread])
        )
    assert len(memory.storage) == 3
    chat = start_chat(community_graph, router, "person-21", thread="a", checkpointer=memory)
    for line in ("delete my data", "yes", "delete my data"):
        chat.answer(line)
    assert list(memory.storage) == ['["person-22", "a"]']
