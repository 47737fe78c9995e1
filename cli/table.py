"""Tables: formatted by rich on a terminal, otherwise tab-separated and not truncated."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence

import click

from kinfolio.records import Recommended

_MAX_BLOCKS = 5


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()
) -> None:
    """Print rows below their headings; `right` names the right-aligned columns.

    If the terminal is too narrow, up to five rows are printed as blocks with one line per column,
    more rows in lines that the terminal wraps.
    """
    if not sys.stdout.isatty():
        click.echo("\t".join(columns))
        for row in rows:
            click.echo("\t".join(" ".join(cell.split()) for cell in row))
        return
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(box=SIMPLE, pad_edge=False)
    for column, *cells in zip(columns, *rows, strict=True):
        # Cells without spaces are ids and numbers; one line each, so that they can be copied.
        is_text = any(" " in cell for cell in cells)
        table.add_column(
            column,
            justify="right" if column in right else "left",
            overflow="fold",
            no_wrap=not is_text,
        )
    for row in rows:
        # `Text` does not interpret a name like "[bold]" as markup.
        table.add_row(*(Text(cell) for cell in row))
    width = Measurement.get(console, console.options.update(max_width=10_000), table).minimum
    if width > console.width and len(rows) <= _MAX_BLOCKS:
        table = Table.grid(padding=(0, 2))
        for row in rows:
            for column, cell in zip(columns, row, strict=True):
                table.add_row(Text(column), Text(cell))
            table.add_row()
    elif width > console.width:
        console.width = width
    console.print(table)


def print_list(products: Iterable[Recommended]) -> None:
    """Print scored products, best first."""
    print_table(
        ("rank", "product", "name", "score"),
        [(str(p.rank), p.product, p.name, f"{p.score:.3f}") for p in products],
        right=("rank", "score"),
    )


def print_paragraphs(text: str) -> None:
    """Print text on stdout: wrapped at words on a terminal, otherwise unchanged."""
    if sys.stdout.isatty():
        width = min(shutil.get_terminal_size().columns, 100)
        text = "\n".join(textwrap.fill(line, width) for line in text.split("\n"))
    click.echo(text)
