"""`kinfolio why-not`: the rules that exclude a product for a user."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json


@click.command("why-not", epilog="Example:  kinfolio why-not p007 opal-daily-note")
@click.argument("user", callback=options.normal_id)
@click.argument("product", callback=options.normal_id)
@options.at_most_option
@options.per_option
@options.rules_option
@options.mapping_option
@options.json_option
def command(
    user: str,
    product: str,
    at_most: int | None,
    per: Literal["kind", "category"] | None,
    rules_folder: Path | None,
    as_json: bool,
) -> None:
    """Name the rules that exclude PRODUCT for USER, and its rank without them.

    With --at-most the cap of `kinfolio recommend USER --at-most N` is a rule too, called cap.
    """
    from kinfolio.gnn.serving.caps.effect import why_not_capped
    from kinfolio.gnn.serving.why_not import why_not

    caps = options.list_caps(at_most, per)
    with options.open_graph() as graph:
        rules = options.custom_rules(rules_folder, graph)
        if caps is None:
            answer = why_not(graph, user, product, rules=rules)
        else:
            answer = why_not_capped(graph, user, product, caps, rules=rules)
    if as_json:
        print_json(answer)
        return
    echo(f"{product} is {'allowed' if answer.allowed else 'not allowed'} for {user}")
    width = max(9, *(len(rule.rule) for rule in answer.rules))
    for rule in answer.rules:
        echo(f"  {'pass' if rule.passed else 'FAIL'}  {rule.rule:<{width}}  {rule.reason}")
    if answer.score is None:
        echo("it has no score: it was loaded after the training; type: kinfolio refresh --new-only")
    else:
        verb = "is" if answer.allowed else "would be"
        echo(f"it {verb} at rank {answer.rank} with a score of {answer.score:.3f}")
    if answer.known_by:
        echo(f"it came after the training and is known by its {', '.join(answer.known_by)}")
