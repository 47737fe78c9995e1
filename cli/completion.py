"""`kinfolio completion`: the shell's completion script."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from kinfolio.cli.output import echo


@click.command("completion", epilog='Example:  eval "$(kinfolio completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL."""
    maker = get_completion_class(shell)
    assert maker is not None  # click ships all three
    root = ctx.find_root().command
    echo(*maker(root, {}, "kinfolio", "_KINFOLIO_COMPLETE").source().split("\n"))
