"""Entry point: the table of commands, one-line errors, exit codes.

The module of a command is imported on the call: `kinfolio --help` imports click only.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from kinfolio.cli.failures import tell
from kinfolio.cli.observing import observed
from kinfolio.cli.output import echo, json_log, print_warnings
from kinfolio.cli.streams import prepare_streams
from kinfolio.cypher.server.private import write_privately

COMMANDS = {
    "demo": ("graph.demo", "Run all steps on a generated community."),
    "db": ("graph.db", "Start, stop, inspect, dump, restore or wipe the database server."),
    "load": ("graph.load", "Load a folder of files into the graph."),
    "map": ("graph.map", "Use an existing graph with other labels, types and property names."),
    "export": ("model.export", "Export the graph to a snapshot."),
    "train": ("model.train", "Train the model on a snapshot."),
    "runs": ("model.runs", "Compare trained runs."),
    "evaluate": ("model.evaluate", "Evaluate the model on held-out interactions."),
    "report": ("model.evaluate:report_command", "Write an HTML report and a model card of a run."),
    "writeback": (
        "model.versions:writeback_command",
        "Write the embeddings to the graph as a new version.",
    ),
    "drift": ("model.drift", "Measure how far the graph has moved since the training."),
    "refresh": ("model.refresh", "Bring the version that serves up to date with the graph."),
    "watch": ("model.watch", "Refresh again and again, in the foreground."),
    "versions": ("model.versions", "List, approve, roll back, split or drop stored versions."),
    "lineage": ("model.lineage", "Show where a version comes from, and whether that still holds."),
    "recommend": ("answers.recommend", "List the products a user is most likely to want."),
    "explain": ("answers.explain", "Explain why a product is recommended to a user."),
    "why-not": ("answers.why_not", "Name the rules that exclude a product for a user."),
    "similar": (
        "answers.recommend:similar_command",
        "List the products most similar to a product.",
    ),
    "audience": ("answers.audience", "List the users who are most likely to want a product."),
    "chat": ("answers.chat", "Answer questions about recommendations."),
    "serve": ("serve", "Serve pages and an HTTP API."),
    "token": ("serve:token_command", "Create, list and revoke the tokens of the server."),
    "mcp": ("answers.mcp", "Serve recommendations and explanations to other assistants (MCP)."),
    "evaluate-explanations": (
        "answers.evaluate_explanations",
        "Measure how faithful and how readable explanations are.",
    ),
    "events": ("answers.events", "Report what users did with products that were shown."),
    "check-text": ("answers.check_text", "Find claims in a text that no evidence supports."),
    "route": ("answers.chat:route_command", "Classify the intent of a chat line."),
    "show": ("graph.show", "Display one user or product of the graph."),
    "doctor": ("graph.doctor", "Check the installation and the server."),
    "completion": ("completion", "Print the shell's completion script."),
}
"""Module with its function (default: `command`), and one line of help, by name of the command."""


class _LazyGroup(click.Group):
    """A group that imports a command on its call."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name][0].partition(":")
        imported = importlib.import_module(f"kinfolio.cli.{module}")
        command: click.Command = getattr(imported, function or "command")
        return observed(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            name = error.command_name
            raise click.NoSuchCommand(name, possibilities=COMMANDS, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        echo(f"kinfolio {version('kinfolio')}")
        ctx.exit()


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start here:  kinfolio demo",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
def cli() -> None:
    """Recommendations in a Neo4j graph, with explanations backed by paths in the graph.

    The steps: load, export, train, evaluate, writeback, recommend, explain, chat.
    """


def main(arguments: list[str] | None = None, **extra: Any) -> None:
    """Run the command line; an error becomes one line on stderr and an exit code."""
    prepare_streams()
    print_warnings()
    json_log.set(False)
    write_privately()
    try:
        try:
            # Outside standalone mode click returns the code of an `Exit` instead of exiting.
            code = cli.main(args=arguments, prog_name="kinfolio", standalone_mode=False, **extra)
        finally:
            sys.stdout.flush()  # at shutdown an error would be a traceback
    except (Exception, KeyboardInterrupt) as error:  # the last net
        code = tell(error)
    if code:
        sys.exit(code)
