"""`kinfolio show`: one user or product of the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json
from kinfolio.cli.table import print_table

if TYPE_CHECKING:
    from kinfolio.records import NodeView

_YEAR_1, _YEAR_10000 = -62_135_596_800_000, 253_402_300_800_000
"""In milliseconds since 1970: the times that have a date."""


@click.command("show", epilog="Example:  kinfolio show user p007")
@click.argument("kind", type=click.Choice(["user", "product"]))
@click.argument("id", callback=options.normal_id)
@options.mapping_option
@options.json_option
def command(kind: Literal["user", "product"], id: str, as_json: bool) -> None:
    """Display one user or product of the graph."""
    from kinfolio.cypher.models import show

    with options.open_graph() as graph:
        view = show(graph, kind, id)
    if as_json:
        print_json(view)
    else:
        _print(view)


def _print(view: NodeView) -> None:
    name = view.properties.get("name")
    echo(f"  {name}" if name else "", bold=f"{view.label} {view.id}")
    for key, value in view.properties.items():
        if key not in ("name", "gid"):
            echo(f"  {key}: {_text(key, value)}")
    for key, length in view.vectors.items():
        echo(f"  {key}: a vector of {length} numbers")
    for key, count in view.counts.items():
        echo()
        echo(f": {count:,}", bold=key)
        if rows := view.samples.get(key, ()):
            columns = [name for name in rows[0] if any(row[name] is not None for row in rows)]
            print_table(columns, [[_text(name, row[name]) for name in columns] for row in rows])
            if len(rows) < count:
                echo(f"  and {count - len(rows):,} more")


def _text(key: str, value: Any) -> str:
    # Any: the value of a property.
    if value is None:
        return ""
    if key == "at" and isinstance(value, int) and _YEAR_1 <= value < _YEAR_10000:
        from datetime import UTC, datetime, timedelta

        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)
        return moment.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text("", one) for one in value)
    return str(value)
