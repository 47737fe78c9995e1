"""`kinfolio mcp`: recommendations and reasons for other assistants."""

from __future__ import annotations

from pathlib import Path

import click

from kinfolio.cli.options import (
    custom_rules,
    deployment_clauses,
    mapping_option,
    open_graph,
    rules_option,
)
from kinfolio.cli.progress import print_message
from kinfolio.environment import home


@click.command("mcp", epilog="Example:  kinfolio mcp u00042 --model none")
@click.argument("user")
@click.option(
    "--model",
    help="Who writes explanations: embedded, none, or provider:name of a LangChain chat model. "
    "[default: embedded when its weights are installed, else none]",
)
@rules_option
@mapping_option
def command(user: str, model: str | None, rules_folder: Path | None) -> None:
    """Serve tools about USER by the Model Context Protocol, on stdin and stdout.

    An assistant starts this as a process of its own: recommend, explain, why_not, compare and
    similar, all of them reading, all about USER and nobody else.
    """
    from kinfolio.cli.wiring import make_tools
    from kinfolio.llm_explain.agent.mcp_server import make_server
    from kinfolio.llm_explain.conversation.answers import Answers
    from kinfolio.llm_explain.conversation.chat import need_user
    from kinfolio.llm_explain.wording.writers import writers_for

    said = deployment_clauses()
    writers = writers_for(model, home() / "models", tell=print_message)
    with open_graph() as graph:
        need_user(graph, user)
        tools = make_tools(graph, writers, custom_rules(rules_folder, graph), said)
        make_server(Answers(user, graph, tools)).run("stdio")
