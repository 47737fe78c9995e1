"""Entry point: the table of commands, errors to one line, exit codes.

Commands are imported when they are called, so that `kinfolio --help` needs click alone.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from kinfolio.errors import KinfolioError

COMMANDS = {
    "demo": ("graph.demo", "Walk the whole road on a made-up community."),
    "db": ("graph.db", "Start, stop, look at or wipe the database server."),
    "load": ("graph.load", "Read a folder of files into the graph."),
    "map": (
        "graph.map",
        "Use a graph with other names: guess them, check them, remove all traces.",
    ),
    "export": ("model.export", "Write the graph as a snapshot in columns."),
    "train": ("model.train", "Fit the model on the exported graph."),
    "runs": ("model.runs", "Compare trained runs."),
    "evaluate": ("model.evaluate", "Measure the model on held-out interactions."),
    "report": ("model.report", "Write a page and a model card about a run."),
    "writeback": ("model.writeback", "Store the embeddings in the graph as a new version."),
    "versions": ("model.versions", "List, roll back or drop stored versions."),
    "recommend": ("answers.recommend", "List the products a user is most likely to want."),
    "explain": ("answers.explain", "Say why a product is recommended to a user."),
    "why-not": ("answers.why_not", "Say which rule keeps a product from a user."),
    "similar": ("answers.similar", "List the products most like one."),
    "chat": ("answers.chat", "Talk about recommendations."),
    "mcp": ("answers.mcp", "Serve recommendations and reasons to other assistants."),
    "evaluate-explanations": (
        "answers.evaluate_explanations",
        "Measure whether explanations hold, and how they read.",
    ),
    "check-text": ("answers.check_text", "Find claims in a text that no evidence carries."),
    "route": ("answers.route", "Say what a chat line would be taken for."),
    "show": ("graph.show", "Look at one user or product in the graph."),
    "doctor": ("graph.doctor", "Check that everything kinfolio needs is there."),
    "completion": ("completion", "Print the shell's completion script."),
}
"""Name on the command line: module in this folder that defines `command`, help in a line."""


class _LazyGroup(click.Group):
    """A group that imports a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"kinfolio.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"kinfolio {version('kinfolio')}")
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
    help="Print the version and stop.",
)
def cli() -> None:
    """Recommendations that live in a Neo4j graph, with reasons the graph can prove.

    The road: load, export, train, evaluate, writeback, recommend, explain, chat.
    """


def main(arguments: list[str] | None = None, **extra: Any) -> None:
    """Run the command line; errors of ours become one line on stderr and exit code 1."""
    try:
        # Outside standalone mode click hands back the code of an `Exit` and does not leave.
        code = cli.main(args=arguments, prog_name="kinfolio", standalone_mode=False, **extra)
        if code:
            sys.exit(code)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nstopped: nothing was left half written", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output (head, less) has gone: silence, as other tools do.
        sys.stderr.close()
        sys.exit(1)
    except KinfolioError as error:
        click.echo(f"kinfolio: {' '.join(str(error).split())}", err=True)
        sys.exit(1)
