"""`kinfolio show`: one user or product of the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click

from kinfolio.cli import options
from kinfolio.cli.table import print_table

if TYPE_CHECKING:
    from kinfolio.records import NodeView


@click.command("show", epilog="Example:  kinfolio show user p007")
@click.argument("kind", type=click.Choice(["user", "product"]))
@click.argument("id")
@options.mapping_option
@options.json_option
def command(kind: Literal["user", "product"], id: str, as_json: bool) -> None:
    """Display one user or product of the graph."""
    from kinfolio.cypher.models import show

    with options.open_graph() as graph:
        view = show(graph, kind, id)
    if as_json:
        options.print_json(view)
    else:
        _print(view)


def _print(view: NodeView) -> None:
    name = view.properties.get("name")
    click.echo(click.style(f"{view.label} {view.id}", bold=True) + (f"  {name}" if name else ""))
    for key, value in view.properties.items():
        if key not in ("name", "gid"):
            click.echo(f"  {key}: {_text(key, value)}")
    for key, length in view.vectors.items():
        click.echo(f"  {key}: a vector of {length} numbers")
    for key, count in view.counts.items():
        click.echo(f"\n{click.style(key, bold=True)}: {count:,}")
        if rows := view.samples.get(key, ()):
            columns = [name for name in rows[0] if any(row[name] is not None for row in rows)]
            print_table(columns, [[_text(name, row[name]) for name in columns] for row in rows])
            if len(rows) < count:
                click.echo(f"  and {count - len(rows):,} more")


def _text(key: str, value: Any) -> str:
    # Any: the value of a property.
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
