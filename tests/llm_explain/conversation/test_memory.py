"""Twelve turns with each writer, also resumed from stored threads."""

from __future__ import annotations

import json
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from kinfolio.cypher.graph import Graph
from kinfolio.errors import FileError, NotFound
from kinfolio.events.log import EventLog
from kinfolio.llm_explain.checking.check import check_text
from kinfolio.llm_explain.conversation.chat import Chat
from kinfolio.llm_explain.explain import explain
from kinfolio.llm_explain.memory.checkpointers import open_file
from kinfolio.llm_explain.wording.embedded import EmbeddedModel, weights_file
from kinfolio.llm_explain.wording.writers import GrammarWriter
from tests.limits import limit
from tests.llm_explain.conversation.scripted import ME, NONE, Call, Rows, Start, helpful, ids

Answers = list[dict[str, Any]]

TURNS: tuple[tuple[str, str, Call | None], ...] = (
    ("hello", "small_talk", None),
    ("what do you recommend?", "recommend", ("recommend", {})),
    ("something less risky", "recommend", ("recommend", {"wish": "less risky"})),
    ("why the first one?", "why_this", ("explain", {"product": "first"})),
    ("and the second one?", "why_this", ("explain", {"product": "second"})),
    ("why not p9?", "why_not", ("why_not", {"product": "p9"})),
    (
        "compare the first and the second",
        "compare",
        ("compare", {"first": "first", "second": "second"}),
    ),
    ("what if I did not hold p3?", "what_if", ("what_if", {"not_held": ["p3"], "about": "p0"})),
    ("what influenced my list the most?", "influence", ("influence", {})),
    ("anything similar to p0?", "similar", ("similar", {"product": "p0"})),
    ("remove p12 from my list", "dismiss", ("dismiss", {"product": "p12"})),
    ("no", "dismiss", None),
)
"""Each line, its intent, and the call of a large model."""
LINES = [line for line, _, _ in TURNS]


@pytest.fixture(scope="module")
def whole(start: Start) -> Answers:
    """The conversation without a model in one process."""
    chat = start()
    return [chat.answer(line) for line in LINES]


def resumed(start: Start, folder: Path, **settings: Any) -> Answers:
    """The conversation with the file closed after every fourth turn."""
    answers: Answers = []
    for first in range(0, len(LINES), 4):
        with open_file(folder) as memory:
            chat = start(thread="t", checkpointer=memory, **settings)
            answers += [chat.answer(line) for line in LINES[first : first + 4]]
    return answers


def topics(answers: Answers) -> list[tuple[Any, ...]]:
    """Intents and products of answers."""

    def id_of(product: Any) -> Any:
        return product["product"] if isinstance(product, dict) else product

    return [
        (one["intent"], one.get("product"), [id_of(each) for each in one.get("products", ())])
        for one in answers
    ]


def delete_data(chat: Chat) -> None:
    for line in ("delete my data", "yes"):
        chat.answer(line)
    assert chat.answer("delete my data")["deleted"]


def test_twelve_turns_without_a_model_are_the_same_when_resumed(
    start: Start, whole: Answers, tmp_path: Path
) -> None:
    assert [answer["intent"] for answer in whole] == [intent for _, intent, _ in TURNS]
    assert not any(answer["asks_back"] for answer in whole)
    assert [whole[3]["product"], whole[4]["product"]] == ids(whole[2])[:2] == ids(whole[6])
    assert whole[-1]["text"] == "Nothing was changed."
    assert resumed(start, tmp_path) == whole


def test_the_embedded_model_changes_the_words_of_explanations_only(
    start: Start, whole: Answers, models: Path, tmp_path: Path
) -> None:
    if weights_file() is None:
        pytest.skip("the embedded model is not installed")
    writer = GrammarWriter("embedded", EmbeddedModel(folder=models))
    answers = resumed(start, tmp_path, writers=(writer, NONE))
    assert topics(answers) == topics(whole)
    explained = [answer["explanation"] for answer in answers if "explanation" in answer]
    assert {one["writer"] for one in explained} == {"embedded"}
    assert all(one["grounded"] for one in explained)
    others = [n for n, answer in enumerate(answers) if "explanation" not in answer]
    assert [answers[n] for n in others] == [whole[n] for n in others]


def test_a_large_model_answers_with_the_facts_of_its_tools(
    start: Start, whole: Answers, tmp_path: Path
) -> None:
    calls = {line: call for line, _, call in TURNS if call is not None}
    answers = resumed(start, tmp_path, script=helpful(calls))
    assert topics(answers) == topics(whole)
    assert answers[0]["text"].endswith("\nI am glad to help.")
    for answer, other in list(zip(answers, whole, strict=True))[1:-1]:
        assert answer["answered_by"] == "scripted:large"
        assert answer["text"] == f"Here is what the graph says. {other['text']}"


def test_the_router_answers_where_a_large_model_fails(start: Start, whole: Answers) -> None:
    def broken(_: object) -> str:
        raise ConnectionError("no connection to the provider")

    chat = start(script=broken)
    assert [chat.answer(line) for line in LINES[:5]] == whole[:5]


def test_a_thread_is_private_pruned_and_deleted_with_its_user(start: Start, tmp_path: Path) -> None:
    with open_file(tmp_path) as memory:
        for user, thread in product(("bond", "person-20"), ("a", "b")):
            chat = start(user, thread=thread, checkpointer=memory)
            for _ in range(3):
                chat.answer("what do you recommend?")
        assert len(list(memory.list(None))) == 8
        delete_data(start("person-20", thread="a", checkpointer=memory))
        for file in tmp_path.iterdir():
            assert file.stat().st_mode & 0o077 == 0, file
    with open_file(tmp_path) as memory:
        threads = {one.config["configurable"]["thread_id"] for one in memory.list(None)}
        assert threads == {'["bond", "a"]', '["bond", "b"]'}
        other = start(ME, thread="a", checkpointer=memory)
        assert "Which product" in other.answer("why the first one?")["text"]


def test_events_are_deleted_with_their_user_before_the_graph(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog(tmp_path)
    theirs = log.show(user="bond", version=None, source="text", products=["A"])
    log.show(user="person-25", version=None, source="text", products=["A"])
    chat = start("person-25", events=log)
    forget = log.forget

    def cut_off(user: str) -> int:
        forget(user)
        raise KeyboardInterrupt

    monkeypatch.setattr(log, "forget", cut_off)
    with pytest.raises(KeyboardInterrupt):
        delete_data(chat)
    monkeypatch.undo()
    delete_data(start("person-25", events=log))
    assert [record.request for record in log.read()] == [theirs.request]
    with pytest.raises(NotFound, match="no user 'person-25'"):
        start("person-25", events=log)


def test_a_deletion_that_is_cut_off_can_be_requested_again(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_file(tmp_path) as memory:
        other = start("person-23", thread="b", checkpointer=memory)
        other.answer("hello")
        chat = start("person-23", thread="a", checkpointer=memory)
        delete = memory.delete_thread

        def cut_off(thread: str) -> None:
            delete(thread)
            raise KeyboardInterrupt

        monkeypatch.setattr(memory, "delete_thread", cut_off)
        with pytest.raises(KeyboardInterrupt):
            delete_data(chat)
        monkeypatch.undo()
        delete_data(start("person-23", thread="a", checkpointer=memory))
        with pytest.raises(NotFound, match="no user 'person-23'"):
            other.answer("what do you recommend?")
        assert not list(memory.list(None))
    assert b"hello" not in (tmp_path / "conversations.sqlite").read_bytes()


def test_a_full_or_locked_file_is_told_by_cause(start: Start, tmp_path: Path) -> None:
    with open_file(tmp_path) as memory:
        chat = start("person-24", thread="a", checkpointer=memory)
        sentence = r"conversations.sqlite cannot be written: the file exceeds"
        with limit(resource.RLIMIT_FSIZE, 4096), pytest.raises(FileError, match=sentence):
            chat.answer("hello")
        assert chat.answer("hello")["intent"] == "small_talk"
        with closing(sqlite3.connect(tmp_path / "conversations.sqlite", timeout=0)) as other:
            other.execute("BEGIN EXCLUSIVE")
            other.execute("PRAGMA user_version = 1")
            memory.conn.execute("PRAGMA busy_timeout = 0")  # type: ignore[attr-defined]
            with pytest.raises(FileError, match="in use by another program; wait"):
                chat.answer("hello")


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "conversations.sqlite").write_text("these are no conversations\n" * 100)
    with pytest.raises(FileError, match="move it away"), open_file(tmp_path):
        pass


def test_the_command_resumes_a_thread_after_a_restart(
    community_graph: Graph, cli: Callable[..., Any], whole: Answers
) -> None:
    arguments = ("chat", ME, "--model", "none", "--thread", "restart", "--json")
    output = ""
    for lines in (LINES[:5], LINES[5:]):
        result = cli(*arguments, input="\n".join(lines) + "\n")
        assert result.exit_code == 0, result.stderr
        output += result.stdout
    assert [json.loads(line) for line in output.splitlines()] == json.loads(json.dumps(whole))


def test_every_explanation_of_the_conversation_passes_the_check(
    community_graph: Graph, whole: Answers
) -> None:
    for answer in whole:
        if "explanation" in answer:
            found = explain(community_graph, ME, answer["product"], (NONE,))
            assert check_text(answer["text"], found) == ()


class _Unlisted(InMemorySaver):
    """A checkpointer that does not list all threads, like that of langchain-neo4j."""

    def list(self, config: Any, **more: Any) -> Iterator[Any]:
        return iter(()) if config is None else super().list(config, **more)


def test_threads_in_the_graph_are_deleted_with_their_user(
    start: Start, run_module_cypher: Rows
) -> None:
    memory = _Unlisted()
    for user, thread in (("person-21", "a"), ("person-21", "b"), ("person-22", "a")):
        start(user, thread=thread, checkpointer=memory).answer("hello")
        run_module_cypher(
            "CREATE (:Thread {thread_id: $thread})", thread=json.dumps([user, thread])
        )
    assert len(memory.storage) == 3
    delete_data(start("person-21", thread="a", checkpointer=memory))
    assert list(memory.storage) == ['["person-22", "a"]']
