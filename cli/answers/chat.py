"""`kinfolio chat` and `kinfolio route`: conversations about recommendations, and their intents."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.cli.progress import spinner
from kinfolio.cli.table import print_paragraphs
from kinfolio.environment import contact, home
from kinfolio.errors import BadConfig

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph
    from kinfolio.llm_explain.agent.agent import Agent


@click.command(
    "chat", epilog="Example:  echo 'what do you recommend?' | kinfolio chat p007 --model none"
)
@click.argument("user", callback=options.normal_id)
@options.model_option
@click.option("--thread", help="Name of a conversation to resume; without one, a new one starts.")
@click.option(
    "--memory",
    type=click.Choice(["file", "graph"]),
    default="file",
    show_default=True,
    help="Where conversations are stored: a SQLite file, or the database (extra neo4j-memory).",
)
@click.option(
    "--allow-generated-cypher",
    is_flag=True,
    help="Let the model of --model provider:name write reading statements about the user's own "
    "part of the graph; each is checked, planned and limited before it runs.",
)
@options.chat_language_option
@options.rules_option
@options.mapping_option
@options.json_option
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

    With --json each answer is one JSON document on one line. With --model provider:name that model
    answers, with the same functions as tools; otherwise a router finds the intent of each line.
    """
    from kinfolio.events.log import EventLog
    from kinfolio.llm_explain.conversation.answers import Answers
    from kinfolio.llm_explain.conversation.chat import Chat
    from kinfolio.llm_explain.conversation.router import load_router
    from kinfolio.llm_explain.memory.checkpointers import FOLDER, open_file, open_neo4j

    is_large = model not in (None, "", "embedded", "none")
    if allow_generated_cypher and not is_large:
        raise BadConfig(
            "--allow-generated-cypher needs a model that can write it; add --model provider:name"
        )
    writers, clauses = options.writers(model), options.deployment_clauses()
    with options.open_graph() as graph:
        opened = open_neo4j(graph.connection) if memory == "graph" else open_file(home() / FOLDER)
        with opened as checkpointer:
            with spinner("starting the conversation"):
                rules = options.custom_rules(rules_folder, graph)
                chat = Chat(
                    Answers(graph, user, writers, rules, clauses, contact=contact()),
                    load_router(home() / "models"),
                    thread=thread,
                    checkpointer=checkpointer,
                    agent=_agent(str(model), graph, allow_generated_cypher) if is_large else None,
                    events=EventLog(home()),
                )
            for line in _lines():
                with spinner("answering"):
                    answer = chat.answer(line)
                if as_json:
                    print_json(answer)
                else:
                    print_paragraphs(answer["text"])


def _agent(model: str, graph: Graph, allow_generated_cypher: bool) -> Agent:
    from kinfolio.cypher.guarded import guarded_rows
    from kinfolio.llm_explain.agent.agent import Agent
    from kinfolio.llm_explain.wording.writers import chat_model

    query = partial(guarded_rows, graph) if allow_generated_cypher else None
    return Agent(chat_model(model), model, query)


def _lines() -> Iterator[str]:
    from kinfolio.llm_explain.conversation.chat import FAREWELLS

    is_terminal = sys.stdin.isatty()
    if is_terminal:
        print_message('Ask what you like, for example: what do you recommend? "bye" ends.')
    while True:
        if is_terminal:
            echo("> ", end="", err=True)
        line = sys.stdin.readline()
        if not line or line.strip().casefold().strip(".!") in FAREWELLS:
            return
        if line.strip():
            yield line.strip()


@click.command("route", epilog='Example:  kinfolio route "why not the second one?"')
@click.argument("text")
@options.json_option
def route_command(text: str, as_json: bool) -> None:
    """Find the intent of TEXT as a line of a chat.

    A line with a fixed answer, as about advice or prices, has a topic.
    """
    from kinfolio.llm_explain.conversation.language.careful import find_topic
    from kinfolio.llm_explain.conversation.router import Route, load_router, mask_names

    topic = find_topic(mask_names(text))
    if topic is not None:
        route = Route(topic.intent, 1.0, False, topic.key)
    else:
        with spinner("loading the router"):
            route = load_router(home() / "models").route(text)
    if as_json:
        print_json(route)
    else:
        note = "; the chat would ask back" if route.asks_back else ""
        note += f"; fixed answer: {route.topic}" if route.topic else ""
        echo(f"{route.intent}, confidence {route.confidence:.2f}{note}")
