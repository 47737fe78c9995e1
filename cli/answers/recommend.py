"""`kinfolio recommend`: the products a user is most likely to want."""

from __future__ import annotations

from pathlib import Path

import click

from kinfolio.cli.options import (
    json_option,
    mapping_option,
    note,
    open_graph,
    own_rules,
    print_json,
    rules_option,
)


@click.command("recommend", epilog="Example:  kinfolio recommend u00042 -k 5")
@click.argument("user", required=False)
@click.option("-k", "k", type=int, default=10, show_default=True, help="Length of the list.")
@click.option("--all", "everybody", is_flag=True, help="Every user's list, into a file.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for --all, tab-separated: user, rank, product, score.",
)
@click.option(
    "--materialise",
    is_flag=True,
    help="With --all: the lists into the graph too, as RECOMMENDED relationships.",
)
@rules_option
@mapping_option
@json_option
def command(
    user: str | None,
    k: int,
    everybody: bool,
    out: Path | None,
    materialise: bool,
    rules_folder: Path | None,
    as_json: bool,
) -> None:
    """List the products that USER is most likely to want, best first.

    Products that are held, dismissed, closed, sold in other countries only or above the user's
    risk tolerance are left out, and those that a rule of --rules forbids; `kinfolio why-not USER
    PRODUCT` says which rule it was.
    """
    if everybody:
        if user is not None or (out is None and not materialise):
            raise click.UsageError(
                "--all makes the lists of all users: give --out FILE or --materialise, no USER"
            )
        _everybody(out, k, materialise, rules_folder, as_json)
    elif user is None or out is not None or materialise:
        raise click.UsageError("give a USER, or --all --out FILE for every user's list")
    else:
        _one(user, k, rules_folder, as_json)


def _one(user: str, k: int, rules_folder: Path | None, as_json: bool) -> None:
    from kinfolio.cli.table import print_list
    from kinfolio.gnn.serving.recommend import recommend

    with open_graph() as graph:
        rules = own_rules(rules_folder, graph)
        found = recommend(graph, user, k, rules=rules, note=note)
    if as_json:
        print_json(found)
        return
    print_list(found.products)
    note(f"version: {found.version or 'none'}, source: {found.source}")


def _everybody(
    out: Path | None, k: int, materialise: bool, rules_folder: Path | None, as_json: bool
) -> None:
    from kinfolio.cli.progress import show_progress
    from kinfolio.gnn.serving.recommend_all import recommend_all

    with open_graph() as graph, show_progress() as progress:
        users = recommend_all(
            graph,
            out,
            k,
            rules=own_rules(rules_folder, graph),
            materialise=materialise,
            progress=progress,
        )
    if as_json:
        answer = {"file": None if out is None else str(out), "users": users, "k": k}
        print_json({**answer, "materialised": True} if materialise else answer)
        return
    places = [str(out)] if out is not None else []
    places += ["the graph, as RECOMMENDED"] if materialise else []
    click.echo(f"the lists of {users:,} users are in {' and in '.join(places)}")
