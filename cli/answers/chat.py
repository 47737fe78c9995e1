"""`kinfolio chat`: talk about recommendations, a line at a time."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinfolio.cli.options import (
    custom_rules,
    deployment_clauses,
    json_option,
    mapping_option,
    open_graph,
    rules_option,
)
from kinfolio.cli.progress import print_message
from kinfolio.environment import home
from kinfolio.errors import BadConfig

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph
    from kinfolio.llm_explain.agent.agent import Agent


@click.command("chat", epilog="Example:  echo 'what do you recommend?' | kinfolio chat u00042")
@click.argument("user")
@click.option(
    "--model",
    help="Who writes explanations: embedded, none, or provider:name of a LangChain chat model. "
    "[default: embedded when its weights are installed, else none]",
)
@click.option(
    "--thread", help="Name of a conversation to go on with; without one, a new one begins."
)
@click.option(
    "--memory",
    type=click.Choice(["file", "graph"]),
    default="file",
    show_default=True,
    help="Where conversations are kept: a file of SQLite, or the database (extra neo4j-memory).",
)
@click.option(
    "--allow-generated-cypher",
    is_flag=True,
    help="Let the model of --model provider:name write reading statements about the user's own "
    "part of the graph; each is checked, planned and limited before it runs.",
)
@rules_option
@mapping_option
@json_option
def command(
    user: str,
    model: str | None,
    thread: str | None,
    memory: str,
    allow_generated_cypher: bool,
    rules_folder: Path | None,
    as_json: bool,
) -> None:
    """Talk with USER about recommendations: lines in, answers out, until "bye" or the end of input.

    With --json each answer is one JSON document on a line of its own. With --model provider:name
    that model answers, with the same functions as tools; else lines are routed to an intent.
    """
    from kinfolio.cli.wiring import make_tools
    from kinfolio.llm_explain.conversation.chat import Chat
    from kinfolio.llm_explain.conversation.router import load_router
    from kinfolio.llm_explain.memory.memory import open_memory, open_memory_in_graph
    from kinfolio.llm_explain.wording.writers import writers_for

    is_large = model not in (None, "", "embedded", "none")
    if allow_generated_cypher and not is_large:
        raise BadConfig(
            "--allow-generated-cypher needs a model that can write it; add --model provider:name"
        )
    said = deployment_clauses()
    writers = writers_for(model, home() / "models", tell=print_message)
    with open_graph() as graph:
        kept = (
            open_memory_in_graph(graph.connection)
            if memory == "graph"
            else open_memory(home() / "chat")
        )
        with kept as saver:
            chat = Chat(
                user,
                graph,
                make_tools(graph, writers, custom_rules(rules_folder, graph), said),
                load_router(home() / "models"),
                thread=thread,
                memory=saver,
                agent=_agent(str(model), graph, allow_generated_cypher) if is_large else None,
            )
            for line in _lines():
                answer = chat.answer(line)
                click.echo(json.dumps(answer, ensure_ascii=False) if as_json else answer["text"])


def _agent(model: str, graph: Graph, allow_generated_cypher: bool) -> Agent:
    from kinfolio.cypher.guarded import guarded_rows
    from kinfolio.llm_explain.agent.agent import Agent
    from kinfolio.llm_explain.wording.writers import chat_model

    def query(user_id: str, text: str) -> list[dict[str, Any]]:
        return guarded_rows(graph, text, user_id)

    return Agent(chat_model(model), model, query if allow_generated_cypher else None)


def _lines() -> Iterator[str]:
    from kinfolio.llm_explain.conversation.chat import FAREWELLS

    is_person = sys.stdin.isatty()
    if is_person:
        print_message('Ask what you like, for example: what do you recommend? "bye" ends.')
    while True:
        if is_person:
            click.echo("> ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line or line.strip().casefold().strip(".!") in FAREWELLS:
            return
        if line.strip():
            yield line.strip()
