"""`kinfolio why-not`: which rule keeps a product from a user."""

from __future__ import annotations

from pathlib import Path

import click

from kinfolio.cli.options import (
    json_option,
    mapping_option,
    open_graph,
    own_rules,
    print_json,
    rules_option,
)


@click.command("why-not", epilog="Example:  kinfolio why-not u00042 p00007")
@click.argument("user")
@click.argument("product")
@rules_option
@mapping_option
@json_option
def command(user: str, product: str, rules_folder: Path | None, as_json: bool) -> None:
    """Say which rule keeps PRODUCT from USER, and where it would stand if none did."""
    from kinfolio.gnn.serving.why_not import why_not

    with open_graph() as graph:
        found = why_not(graph, user, product, rules=own_rules(rules_folder, graph))
    if as_json:
        print_json(found)
        return
    click.echo(f"{product} is {'allowed' if found.allowed else 'not allowed'} for {user}")
    width = max(9, *(len(rule.rule) for rule in found.rules))
    for rule in found.rules:
        click.echo(f"  {'pass' if rule.passed else 'FAIL'}  {rule.rule:<{width}}  {rule.reason}")
    if found.score is None:
        click.echo("it came after the training and has no score yet")
    else:
        would = "stands" if found.allowed else "would stand"
        click.echo(f"it {would} at rank {found.rank} with a score of {found.score:.3f}")
