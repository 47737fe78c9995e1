"""Tables: laid out by rich on a terminal, tab-separated and uncut anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import click

from kinfolio.records import Recommended


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()
) -> None:
    """Print rows below their headings; `right` names the right-aligned columns."""
    if not sys.stdout.isatty():
        click.echo("\t".join(columns))
        for row in rows:
            click.echo("\t".join(" ".join(cell.split()) for cell in row))
        return
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, pad_edge=False)
    for column in columns:
        # Folded, never cut: ids are copied from tables.
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        # `Text`, because a name like "[bold]" is not markup.
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def print_list(products: Iterable[Recommended]) -> None:
    """Print scored products, best first."""
    print_table(
        ("rank", "product", "name", "score"),
        [(str(p.rank), p.product, p.name, f"{p.score:.3f}") for p in products],
        right=("rank", "score"),
    )
