"""Tables: formatted by rich on a terminal, otherwise tab-separated and not truncated."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from kinfolio.cli.output import cell, console, echo
from kinfolio.records import Recommended
from kinfolio.run import whole_file
from kinfolio.tabular import spreadsheet_cell

_MAX_BLOCKS = 5
_LONGEST_CELL = 300
"""On a terminal; a text of ten thousand characters would push the other rows off the screen."""


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()
) -> None:
    """Print rows below their headings; `right` names the right-aligned columns.

    If the terminal is too narrow, up to five rows are printed as blocks with one line per column,
    more rows in lines that the terminal wraps.
    """
    most = _LONGEST_CELL if sys.stdout.isatty() else None
    rows = [[cell(text, most) for text in row] for row in rows]
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            echo("\t".join(row))
        return
    from rich.box import SIMPLE
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    screen = console()
    table = Table(box=SIMPLE, pad_edge=False)
    for column, *texts in zip(columns, *rows, strict=True):
        # Cells without spaces are ids and numbers; one line each, so that they can be copied.
        is_text = any(" " in text for text in texts)
        table.add_column(
            column,
            justify="right" if column in right else "left",
            overflow="fold",
            no_wrap=not is_text,
        )
    for row in rows:
        # `Text` does not interpret a name like "[bold]" as markup.
        table.add_row(*map(Text, row))
    width = Measurement.get(screen, screen.options.update(max_width=10_000), table).minimum
    if width > screen.width and len(rows) <= _MAX_BLOCKS:
        table = Table.grid(padding=(0, 2))
        for row in rows:
            for column, text in zip(columns, row, strict=True):
                table.add_row(Text(column), Text(text))
            table.add_row()
    elif width > screen.width:
        screen.width = width
    screen.print(table)


def make_spreadsheet_safe(file: Path) -> None:
    """Rewrite a tab-separated file with a ' before cells that a spreadsheet takes for formulas."""
    with (
        whole_file(file) as temporary,
        file.open(encoding="utf-8", newline="") as lines,
        temporary.open("w", encoding="utf-8", newline="") as out,
    ):
        for line in lines:
            cells = line.removesuffix("\n").split("\t")
            out.write("\t".join(map(spreadsheet_cell, cells)) + "\n")


def print_list(products: Sequence[Recommended]) -> None:
    """Print scored products, best first; a last column marks negative scores, if there are any."""
    columns: tuple[str, ...] = ("rank", "product", "name", "score")
    rows: list[tuple[str, ...]] = [
        (str(p.rank), p.product, p.name, f"{p.score:.3f}") for p in products
    ]
    if any(product.score < 0 for product in products):
        columns += ("note",)
        notes = ["negative" if product.score < 0 else "" for product in products]
        rows = [(*row, note) for row, note in zip(rows, notes, strict=True)]
    print_table(columns, rows, right=("rank", "score"))


def print_paragraphs(text: str) -> None:
    """Print text on stdout: wrapped at words on a terminal, otherwise unchanged."""
    if sys.stdout.isatty():
        width = min(shutil.get_terminal_size().columns, 100)
        text = "\n".join(textwrap.fill(line, width) for line in text.split("\n"))
    echo(*text.split("\n"))
