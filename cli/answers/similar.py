"""`kinfolio similar`: the products most like one."""

from __future__ import annotations

import click

from kinfolio.cli.options import json_option, mapping_option, note, open_graph, print_json


@click.command("similar", epilog="Example:  kinfolio similar p00007 -k 5")
@click.argument("product")
@click.option("-k", "k", type=int, default=10, show_default=True, help="Length of the list.")
@mapping_option
@json_option
def command(product: str, k: int, as_json: bool) -> None:
    """List the open products most like PRODUCT, best first.

    The score is the cosine of the two vectors: 1 for the same direction. How many people hold a
    product plays no part.
    """
    from kinfolio.cli.table import print_list
    from kinfolio.gnn.serving.similar import similar_products

    with open_graph() as graph:
        found = similar_products(graph, product, k)
    if as_json:
        print_json(found)
        return
    print_list(found.products)
    note(f"version: {found.version}")
