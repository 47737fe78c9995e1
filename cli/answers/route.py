"""`kinfolio route`: find the intent of a chat line."""

from __future__ import annotations

import click

from kinfolio.cli import options
from kinfolio.cli.progress import spinner
from kinfolio.environment import home


@click.command("route", epilog='Example:  kinfolio route "why not the second one?"')
@click.argument("text")
@options.json_option
def command(text: str, as_json: bool) -> None:
    """Find the intent of TEXT as a line of a chat."""
    from kinfolio.llm_explain.conversation.router import load_router

    with spinner("loading the router"):
        route = load_router(home() / "models").route(text)
    if as_json:
        options.print_json(route)
    else:
        note = "; the chat would ask back" if route.asks_back else ""
        click.echo(f"{route.intent}, confidence {route.confidence:.2f}{note}")
