"""`kinfolio doctor`: whether everything kinfolio needs is there, and the cure where not."""

from __future__ import annotations

from dataclasses import asdict

import click

from kinfolio.cli.options import given_connection, home, json_option, print_json
from kinfolio.errors import NotReady


@click.command("doctor", epilog="Example:  kinfolio doctor")
@json_option
def command(as_json: bool) -> None:
    """Check that everything kinfolio needs is there; exit code 1 when something is not."""
    from kinfolio.cli.graph.checks import checks

    found = checks(home(), given_connection())
    if as_json:
        print_json({"checks": [asdict(check) for check in found]})
    else:
        for check in found:
            click.echo(f"{'ok ' if check.ok else 'NO '} {check.name}: {check.detail}")
            if check.cure:
                click.echo(f"    {check.cure}")
    missing = [check.name for check in found if not check.ok]
    if missing:
        raise NotReady(f"not in order: {', '.join(missing)}; the cures are in the list")
