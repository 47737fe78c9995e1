"""`kinfolio refresh`: the versions in the graph, brought up to date with the graph."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinfolio.api.refreshing.records import DEFAULT_AT_LEAST, DEFAULT_KEEP
from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.cli.progress import show_progress

if TYPE_CHECKING:
    from kinfolio.api.refreshing.records import RefreshConfig, Refreshed
    from kinfolio.cypher.graph import Graph


def refresh_options(function: Any) -> Any:  # a function of click
    """Add the options that say when and how a refresh trains."""
    for option in reversed(
        (
            click.option(
                "--at-least",
                default=DEFAULT_AT_LEAST,
                show_default=True,
                help="Train if at least this part of the holdings, ties or reviews changed.",
            ),
            click.option(
                "--keep",
                type=int,
                default=DEFAULT_KEEP,
                show_default=True,
                help="Number of runs of refreshes that remain, besides those of stored versions.",
            ),
            click.option(
                "--run",
                "run_folder",
                type=options.FOLDER,
                help="Folder of the run of the version that serves, if no refresh made it.  "
                "[default: runs/default]",
            ),
            click.option(
                "--search",
                is_flag=True,
                help="Search hyperparameters again, instead of those of that run.",
            ),
            click.option("--budget", help="CPU time of a training.  [default: as in that run]"),
            click.option("--seed", type=int, help="Random seed.  [default: as in that run]"),
            click.option("--device", help="auto, cpu or cuda.  [default: as in that run]"),
        )
    ):
        function = option(function)
    return function


@click.command("refresh", epilog="Example:  kinfolio refresh --new-only")
@click.option(
    "--new-only",
    is_flag=True,
    help="Only give vectors to products that came after the training; nothing is trained.",
)
@click.option("--dry-run", is_flag=True, help="Only print what would be done; writes nothing.")
@refresh_options
@options.mapping_option
@options.json_option
def command(new_only: bool, dry_run: bool, as_json: bool, **values: Any) -> None:
    """Bring the version that serves up to date with the graph.

    Products that came after the training are listed by their text, category, name or reviews,
    without a training. If enough of the graph changed, the changes are exported, a model is trained
    as the one that serves was, and it is published if it is no worse on interactions that neither
    has learned from; otherwise the exit code is 1. Repeating it changes nothing.
    """
    if new_only:
        if dry_run:
            raise click.UsageError("--dry-run does not work with --new-only; leave one of them out")
        _list_new_products(as_json)
        return
    config = refresh_config(is_dry=dry_run, **values)
    with options.open_graph() as graph:
        done = run_refresh(graph, config)
    if as_json:
        print_json(document(done))
    elif not done.refused:
        echo(sentence(done))
    if done.refused:
        from kinfolio.errors import NotReady

        raise NotReady(sentence(done))


def refresh_config(
    *,
    at_least: str,
    run_folder: Path | None,
    **values: Any,  # other fields of `RefreshConfig`
) -> RefreshConfig:
    """Return the config of the options."""
    from kinfolio.api.refreshing.records import RefreshConfig, parse_share

    return RefreshConfig(at_least=parse_share(at_least), run=run_folder, **values)


def run_refresh(graph: Graph, config: RefreshConfig) -> Refreshed:
    """Refresh with progress and notes on stderr."""
    from kinfolio.api.refreshing.refresh import refresh
    from kinfolio.environment import home

    with show_progress("looking for changes") as progress:
        return refresh(graph, config, home=home(), note=print_message, progress=progress)


def sentence(done: Refreshed) -> str:
    """Return what a refresh did, in one line."""
    if done.published:
        return f"version {done.version} serves: {done.reason} ({done.seconds:.0f} s)"
    if done.refused:
        return f"version {done.version} still serves; {done.reason}"
    return done.reason


def document(done: Refreshed) -> dict[str, Any]:  # a JSON document
    """Return the JSON document of a refresh."""
    found = asdict(done)
    names = ("published", "reason", "version", "before", "after")
    return {name: found.pop(name) for name in names} | found


def _list_new_products(as_json: bool) -> None:
    from kinfolio.gnn.new_products.adding import add_new_products

    with options.open_graph() as graph, show_progress("looking for new products") as progress:
        found = add_new_products(graph, options.text_cache(), progress=progress)
    lines = [line for one in found for line in one.sentences()] or ["no new products"]
    if as_json:
        version = found[0].version if found else None
        answer = {"published": False, "reason": "; ".join(lines), "version": version}
        print_json(answer | {"before": {}, "after": {}, "versions": found})
        return
    echo(*lines)
    if not found:
        print_message("there is no version in the graph; type: kinfolio writeback")
