"""`kinfolio audience`: the users whom to offer a product."""

from __future__ import annotations

from pathlib import Path

import click

from kinfolio.cli import options
from kinfolio.cli.output import print_json, print_message
from kinfolio.cli.progress import spinner
from kinfolio.cli.table import print_table


@click.command("audience", epilog="Example:  kinfolio audience opal-daily-note -k 5")
@click.argument("product", callback=options.normal_id)
@click.option(
    "-k", "k", type=int, default=100, show_default=True, help="Number of users in the list."
)
@options.rules_option
@options.mapping_option
@options.json_option
def command(product: str, k: int, rules_folder: Path | None, as_json: bool) -> None:
    """List the users who are most likely to want PRODUCT and may have it, best first.

    Scores are those of `kinfolio recommend`. Users who hold or dismissed it, or whom a rule forbids
    it, are excluded; `kinfolio why-not USER PRODUCT` names the rule. The reason is the largest
    contribution to the score; `kinfolio explain USER PRODUCT` has the others.
    """
    from kinfolio.llm_explain.evidence.reasons import explained_audience

    with options.open_graph() as graph, spinner("scoring the users"):
        found = explained_audience(
            graph,
            product,
            k,
            display=options.deployment_clauses("en"),
            rules=options.custom_rules(rules_folder, graph),
            warn=print_message,
        )
    if as_json:
        print_json(found)
        return
    rows = [
        (
            str(one.rank),
            one.user,
            one.name,
            f"{one.score:.3f}",
            one.reason.text if one.reason else "",
        )
        for one in found.users
    ]
    print_table(("rank", "user", "name", "score", "reason"), rows, right=("rank", "score"))
    print_message(f"version: {found.version or 'none'}, users who may have it: {found.eligible:,}")
