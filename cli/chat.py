"""`kinfolio chat`: talk about recommendations, a line at a time."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from kinfolio.cli.options import (
    clauses,
    home,
    json_option,
    mapping_option,
    note,
    open_graph,
    own_rules,
    rules_option,
)


@click.command("chat", epilog="Example:  echo 'what do you recommend?' | kinfolio chat u00042")
@click.argument("user")
@click.option(
    "--model",
    help="Who writes explanations: embedded, none, or provider:name of a LangChain chat model. "
    "[default: embedded when its weights are installed, else none]",
)
@click.option("--thread", help="Name of a conversation to go on with.")
@rules_option
@mapping_option
@json_option
def command(
    user: str, model: str | None, thread: str | None, rules_folder: Path | None, as_json: bool
) -> None:
    """Talk with USER about recommendations: lines in, answers out, until "bye" or the end of input.

    With --json each answer is one JSON document on a line of its own.
    """
    from kinfolio.gnn.recommend import recommend
    from kinfolio.gnn.why_not import why_not
    from kinfolio.llm_explain.chat import Chat, Tools
    from kinfolio.llm_explain.explain import explain
    from kinfolio.llm_explain.memory import lasts, open_memory
    from kinfolio.llm_explain.router import load_router
    from kinfolio.llm_explain.writers import writers_for

    said = clauses()
    writers = writers_for(model, home() / "models", tell=note)
    if thread is not None and not lasts():
        note("threads end with this process; to keep them: pip install langgraph-checkpoint-sqlite")
    with open_graph() as graph, open_memory(home() / "chat") as memory:
        rules = own_rules(rules_folder, graph)
        tools = Tools(
            recommend=lambda user_id, k: recommend(user_id, graph, k, rules=rules),
            why_not=lambda user_id, product_id: why_not(user_id, product_id, graph, rules=rules),
            explain=lambda user_id, product_id: explain(
                graph, user_id, product_id, writers, clauses=said
            ),
        )
        router = load_router(home() / "models")
        chat = Chat(user, graph, tools, router, thread=thread or "default", memory=memory)
        for line in _lines():
            answer = chat.answer(line)
            click.echo(json.dumps(answer, ensure_ascii=False) if as_json else answer["text"])


def _lines() -> Iterator[str]:
    from kinfolio.llm_explain.chat import FAREWELLS

    is_person = sys.stdin.isatty()
    if is_person:
        note('Ask what you like, for example: what do you recommend? "bye" ends.')
    while True:
        if is_person:
            click.echo("> ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line or line.strip().casefold().strip(".!") in FAREWELLS:
            return
        if line.strip():
            yield line.strip()
