"""`kinfolio show`: one user or product as the graph has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kinfolio.cli.options import json_option, mapping_option, open_graph, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from kinfolio.records import NodeView


@click.command("show", epilog="Example:  kinfolio show user u1")
@click.argument("kind", type=click.Choice(["user", "product"]))
@click.argument("id")
@mapping_option
@json_option
def command(kind: str, id: str, as_json: bool) -> None:
    """Look at one user or product in the graph."""
    from kinfolio.cypher.models import show_product, show_user

    with open_graph() as graph:
        found = (show_user if kind == "user" else show_product)(graph, id)
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(view: NodeView) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=False)
    name = view.properties.get("name")
    console.print(
        f"[bold]{view.label} {escape(view.id)}[/bold]" + (escape(f"  {name}") if name else "")
    )
    for key, value in view.properties.items():
        if key not in ("name", "gid"):
            console.print(f"  {escape(key)}: {escape(_said(key, value))}")
    for key, length in view.vectors.items():
        console.print(f"  {escape(key)}: a vector of {length} numbers")
    for key, count in view.counts.items():
        console.print(f"\n[bold]{key}[/bold]: {count:,}")
        rows = view.samples.get(key, ())
        if rows:
            _table(console, rows)
            if len(rows) < count:
                console.print(f"  and {count - len(rows):,} more")


def _table(console: Console, rows: tuple[dict[str, Any], ...]) -> None:
    from rich.markup import escape
    from rich.table import Table

    columns = [key for key in rows[0] if any(row[key] is not None for row in rows)]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("")
    for key in columns:
        table.add_column(key, overflow="ellipsis", no_wrap=key != "text")
    for row in rows:
        table.add_row("", *(escape(_said(key, row[key])) for key in columns))
    console.print(table)


def _said(key: str, value: Any) -> str:
    # Any: whatever a property holds.
    if value is None:
        return ""
    if key == "at" and isinstance(value, int):
        from datetime import UTC, datetime

        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
