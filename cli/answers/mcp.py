"""`kinfolio mcp`: recommendations and reasons for other assistants."""

from __future__ import annotations

from pathlib import Path

import click

from kinfolio.cli.options import (
    custom_rules,
    deployment_clauses,
    mapping_option,
    model_option,
    open_graph,
    rules_option,
)
from kinfolio.cli.progress import print_message
from kinfolio.environment import home


@click.command("mcp", epilog="Example:  kinfolio mcp p007 --model none")
@click.argument("user")
@model_option
@rules_option
@mapping_option
def command(user: str, model: str | None, rules_folder: Path | None) -> None:
    """Serve tools about USER by the Model Context Protocol, on stdin and stdout.

    An assistant starts this as a child process. The tools recommend, explain, why_not, compare and
    similar read only, and about USER only.
    """
    from kinfolio.llm_explain.agent.mcp_server import make_server
    from kinfolio.llm_explain.conversation.answers import Answers
    from kinfolio.llm_explain.conversation.chat import require_user
    from kinfolio.llm_explain.wording.writers import writers_for

    writers = writers_for(model, home() / "models", notify=print_message)
    clauses = deployment_clauses()
    with open_graph() as graph:
        require_user(graph, user)
        answers = Answers(graph, user, writers, custom_rules(rules_folder, graph), clauses)
        make_server(answers).run("stdio")
