"""`kinfolio refresh`: the versions in the graph, brought up to date with the graph."""

from __future__ import annotations

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.cli.progress import show_progress


@click.command("refresh", epilog="Example:  kinfolio refresh --new-only")
@click.option(
    "--new-only",
    is_flag=True,
    required=True,
    help="Give vectors to products that came after the training; nothing is trained.",
)
@options.mapping_option
@options.json_option
def command(new_only: bool, as_json: bool) -> None:
    """List products that came after the training, by their text, category, name or reviews.

    Each version that serves, or that a rollback could activate, computes them by its own recipe, as
    if they had been there at its training without holders. `kinfolio load` does the same at its
    end. Repeating it changes nothing.
    """
    del new_only  # required: there is no other refresh
    from kinfolio.gnn.new_products.adding import add_new_products

    with options.open_graph() as graph, show_progress("looking for new products") as progress:
        found = add_new_products(graph, options.text_cache(), progress=progress)
    lines = [line for one in found for line in one.sentences()] or ["no new products"]
    if as_json:
        version = found[0].version if found else None
        document = {"published": False, "reason": "; ".join(lines), "version": version}
        print_json(document | {"before": {}, "after": {}, "versions": found})
        return
    echo(*lines)
    if not found:
        print_message("there is no version in the graph; type: kinfolio writeback")
