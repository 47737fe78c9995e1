"""`kinfolio versions`: the embeddings stored in the graph."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from kinfolio.cli import options
from kinfolio.cli.progress import print_message

if TYPE_CHECKING:
    from kinfolio.gnn.publishing.versions import Version


@click.group("versions", invoke_without_command=True, epilog="Example:  kinfolio versions")
@options.mapping_option
@options.json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the versions in the graph, activate the other one, or drop one."""
    if ctx.invoked_subcommand is None:
        _list(as_json)


@command.command("list", epilog="Example:  kinfolio versions list")
@options.mapping_option
@options.json_option
def list_command(as_json: bool) -> None:
    """List the versions in the graph, newest first."""
    _list(as_json)


@command.command("rollback", epilog="Example:  kinfolio versions rollback")
@options.mapping_option
@options.json_option
def rollback_command(as_json: bool) -> None:
    """Activate the inactive version."""
    from kinfolio.gnn.publishing.versions import rollback

    with options.open_graph() as graph:
        version = rollback(graph)
    if as_json:
        options.print_json(_document(version))
    else:
        click.echo(f"version {version.name} serves from slot {version.slot}")


@command.command("drop", epilog="Example:  kinfolio versions drop spring")
@click.argument("name")
@options.mapping_option
@options.json_option
def drop_command(name: str, as_json: bool) -> None:
    """Remove version NAME, its vectors and its index; the active version is refused."""
    from kinfolio.gnn.publishing.versions import drop

    with options.open_graph() as graph:
        version = drop(graph, name)
    if as_json:
        options.print_json({"dropped": version.name, "slot": version.slot})
    else:
        click.echo(f"version {version.name} was dropped; slot {version.slot} is free")


def _document(version: Version) -> dict[str, Any]:
    return {**asdict(version), "metrics": json.loads(version.metrics or "{}")}


def _list(as_json: bool) -> None:
    from kinfolio.gnn.publishing.versions import list_versions

    with options.open_graph() as graph:
        versions = list_versions(graph)
    if as_json:
        options.print_json({"versions": [_document(version) for version in versions]})
    elif versions:
        _print(versions)
    else:
        print_message("no version in the graph yet; type: kinfolio writeback")


def _print(versions: tuple[Version, ...]) -> None:
    from kinfolio.cli.table import print_table

    print_table(
        (
            *("version", "slot", "state", "users", "products", "width", "written (UTC)"),
            *("model", "metrics", "snapshot"),
        ),
        [
            (
                *(v.name, v.slot, v.state, f"{v.users:,}", f"{v.products:,}"),
                *(str(v.heads * v.dim), v.created_at[:16].replace("T", " ")),
                *(v.model, _metrics(json.loads(v.metrics or "{}")), v.snapshot[:12]),
            )
            for v in versions
        ],
        right=("users", "products", "width"),
    )


def _metrics(metrics: Any, name: str = "") -> str:
    """Return nested metrics as one line, like `valid recall@20 0.285`."""
    # Any: the JSON document that a run stored.
    if isinstance(metrics, dict):
        inside = (_metrics(value, f"{name} {key}".strip()) for key, value in metrics.items())
        return ", ".join(text for text in inside if text)
    return f"{name} {metrics:.4g}" if isinstance(metrics, int | float) else ""
