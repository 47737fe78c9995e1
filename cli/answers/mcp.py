"""`kinfolio mcp`: an MCP server with tools for recommendations and explanations."""

from __future__ import annotations

from pathlib import Path

import click

from kinfolio.cli import options


@click.command("mcp", epilog="Example:  kinfolio mcp p007 --model none")
@click.argument("user", callback=options.normal_id)
@options.model_option
@options.chat_language_option
@options.rules_option
@options.mapping_option
def command(user: str, model: str | None, rules_folder: Path | None) -> None:
    """Serve tools about USER by the Model Context Protocol, on stdin and stdout.

    An assistant starts this as a child process. The tools recommend, explain, why_not, compare and
    similar read only, and about USER only.
    """
    from kinfolio.llm_explain.agent.mcp_server import make_server
    from kinfolio.llm_explain.conversation.answers import Answers
    from kinfolio.llm_explain.conversation.chat import require_user

    writers, clauses = options.writers(model), options.deployment_clauses()
    with options.open_graph() as graph:
        require_user(graph, user)
        rules = options.custom_rules(rules_folder, graph)
        answers = Answers(graph, user, writers, rules, clauses)
        make_server(answers).run("stdio")
