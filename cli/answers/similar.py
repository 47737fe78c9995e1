"""`kinfolio similar`: the products most similar to a product."""

from __future__ import annotations

import click

from kinfolio.cli import options
from kinfolio.cli.progress import print_message


@click.command("similar", epilog="Example:  kinfolio similar opal-daily-note -k 5")
@click.argument("product")
@options.k_option
@options.mapping_option
@options.json_option
def command(product: str, k: int, as_json: bool) -> None:
    """List the open products most similar to PRODUCT, best first.

    The score is the cosine of the two embeddings; popularity does not count.
    """
    from kinfolio.cli.table import print_list
    from kinfolio.gnn.serving.similar import similar_products

    with options.open_graph() as graph:
        similar = similar_products(graph, product, k)
    if as_json:
        options.print_json(similar)
    else:
        print_list(similar.products)
        print_message(f"version: {similar.version}")
