"""Conversations scored line by line: right, asked back, wrong, or ignored.

    python bench/conversations/measure.py FILE... [--json] [--show wrong]

Needs the demo's graph (`kinfolio demo`) in the configured server. A file holds conversations as
`tuning.toml` describes them; files that nobody has tuned on give figures for users.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
import time
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kinfolio.cli.options import open_graph
from kinfolio.cypher.graph import Graph
from kinfolio.environment import home
from kinfolio.llm_explain.conversation.answers import Answers
from kinfolio.llm_explain.conversation.chat import Chat
from kinfolio.llm_explain.conversation.router import load_router
from kinfolio.llm_explain.wording.writers import writers_for

OUTCOMES = ("right", "asked back", "wrong", "ignored")
Answer = dict[str, Any]  # Any: the document of `kinfolio chat --json`


@dataclass(frozen=True, slots=True)
class Scored:
    """One line and how it was answered."""

    language: str
    kind: str
    line: str
    outcome: str
    failed: str
    """The expectation that did not hold."""
    text: str
    seconds: float


class Judge:
    """Compares answers with expectations, which `tuning.toml` describes."""

    def __init__(self, graph: Graph) -> None:
        rows = graph.read("facts_products", ids=[row["id"] for row in all_products(graph)])
        self.products: dict[str, Any] = {row["product"]: row for row in rows}
        self.last_list: list[str] = []

    def outcome(self, answer: Answer, expected: str) -> tuple[str, str]:
        """Return the outcome of an answer, and the first expectation that failed."""
        tokens = shlex.split(expected)
        failed = [one for one in tokens if one != "ask" and not self._holds(answer, one)]
        self.last_list = listed_in(answer) or self.last_list
        if not failed:
            return "right", ""
        if "ask" in tokens and is_question(answer):
            return "asked back", failed[0]
        is_intent_right = not any(one.startswith(("intent=", "topic=")) for one in failed)
        is_silent = is_intent_right and "not_understood" not in answer
        return ("ignored" if is_silent else "wrong"), failed[0]

    def _holds(self, answer: Answer, token: str) -> bool:
        found = re.fullmatch(r"(\w+)(=|~|<=|>=)(.*)", token)
        assert found, token
        key, sign, value = found.groups()
        if sign == "~":
            return bool(re.search(value, answer["text"], re.IGNORECASE)) == (key == "text")
        if key in ("intent", "topic"):
            return str(answer.get(key)) in value.split("|")
        if key == "product":
            return str(answer.get("product")) == self._product(value)
        listed = listed_in(answer)
        if key == "count":
            return len(listed) == int(value)
        if key == "without":
            return bool(listed) and self._product(value) not in listed
        if key == "kind":
            return bool(listed) and all(value in self._kinds(one) for one in listed)
        if key == "notkind":
            return bool(listed) and not any(value in self._kinds(one) for one in listed)
        assert key == "risk", token
        risks = [self.products[one]["risk"] for one in listed]
        limit = int(value)
        return bool(risks) and all(
            risk <= limit if sign == "<=" else risk >= limit if sign == ">=" else risk == limit
            for risk in risks
        )

    def _product(self, value: str) -> str:
        if re.fullmatch(r"-?\d", value):
            place = int(value)
            index = place - 1 if place > 0 else place
            return (
                self.last_list[index] if -len(self.last_list) <= index < len(self.last_list) else ""
            )
        return value

    def _kinds(self, product: str) -> set[str]:
        row = self.products[product]
        return {str(word).casefold() for word in [row["kind"], *row["categories"]]}


def listed_in(answer: Answer) -> list[str]:
    """Return the ids of the products that an answer lists."""
    return [one["product"] for one in answer.get("products", ()) if isinstance(one, dict)]


def is_question(answer: Answer) -> bool:
    """Return whether an answer asks what was meant."""
    return bool(
        answer["asks_back"] or answer.get("choices") or answer["text"].rstrip().endswith("?")
    )


def all_products(graph: Graph) -> list[dict[str, Any]]:
    """Return the ids of all products."""
    return graph.read("search_products", id="", text="", most=100_000)


def score(graph: Graph, files: list[Path]) -> list[Scored]:
    """Hold the conversations of some files."""
    router = load_router(home() / "models")
    writers = writers_for("none", home() / "models", print)
    judge, found = Judge(graph), []
    for file in files:
        for one in tomllib.loads(file.read_text("utf-8"))["conversations"]:
            judge.last_list = []
            chat = Chat(Answers(graph, one["user"], writers), router)
            for line, kind, expected in one["lines"]:
                started = time.perf_counter()
                answer = chat.answer(line)
                seconds = time.perf_counter() - started
                outcome, failed = judge.outcome(answer, expected)
                found.append(
                    Scored(one["language"], kind, line, outcome, failed, answer["text"], seconds)
                )
    return found


def table(scored: list[Scored]) -> list[dict[str, Any]]:
    """Return the counts of outcomes by language and kind, and of all. Any: texts and numbers."""
    groups: dict[tuple[str, str], Counter[str]] = {}
    for one in scored:
        for key in ((one.language, one.kind), (one.language, "all"), ("all", "all")):
            groups.setdefault(key, Counter())[one.outcome] += 1
    return [
        {"language": language, "kind": kind, "lines": counts.total()}
        | {outcome: counts[outcome] for outcome in OUTCOMES}
        for (language, kind), counts in sorted(groups.items())
    ]


def main() -> None:
    """Score the conversations of files and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--json", action="store_true", help="print one document")
    parser.add_argument("--show", nargs="*", default=(), choices=OUTCOMES, help="print such lines")
    arguments = parser.parse_args()
    with open_graph() as graph:
        scored = score(graph, arguments.files)
    rows = table(scored)
    seconds = sorted(one.seconds for one in scored)
    if arguments.json:
        json.dump({"table": rows, "median_seconds": seconds[len(seconds) // 2]}, sys.stdout)
        return
    for one in scored:
        if one.outcome in arguments.show:
            answer = one.text.replace("\n", " / ")[:160]
            print(f"[{one.outcome}] {one.line}  ({one.kind}; {one.failed})\n    {answer}")
    print("language kind lines " + " ".join(OUTCOMES))
    for row in rows:
        print(" ".join(str(value) for value in row.values()))
    print(f"seconds: median {seconds[len(seconds) // 2]:.2f}, longest {seconds[-1]:.2f}")


if __name__ == "__main__":
    main()
