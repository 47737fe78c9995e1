"""`kinfolio doctor`: a check of the installation and the server, with remedies."""

from __future__ import annotations

import click

from kinfolio.cli import options
from kinfolio.cli.progress import spinner
from kinfolio.environment import configured_connection, home
from kinfolio.errors import NotReady


@click.command("doctor", epilog="Example:  kinfolio doctor")
@options.json_option
def command(as_json: bool) -> None:
    """Check the installation and the server; exit code 1 when a check fails."""
    from kinfolio.cli.graph.checks import run_checks

    with spinner("checking"):
        checks = run_checks(home(), configured_connection())
    if as_json:
        options.print_json({"checks": checks})
    else:
        for check in checks:
            click.echo(f"{'ok ' if check.ok else 'NO '} {check.name}: {check.detail}")
            if check.cure:
                click.echo(f"    {check.cure}")
    if failed := [check.name for check in checks if not check.ok]:
        raise NotReady(f"failed checks: {', '.join(failed)}; the list has the remedies")
