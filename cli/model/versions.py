"""`kinfolio writeback` and `kinfolio versions`: the embeddings stored in the graph."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.cli.progress import show_progress, spinner
from kinfolio.cli.table import print_table
from kinfolio.errors import VersionDamaged, shell_command

if TYPE_CHECKING:
    from kinfolio.gnn.publishing.versions import Version


_by_option = click.option(
    "--by", metavar="NAME", help="Who does it.  [default: the operating system's user]"
)


@click.command("writeback", epilog="Example:  kinfolio writeback --run runs/default --name spring")
@options.run_option
@click.option("--name", help="Name of the version.  [default: from the current time]")
@_by_option
@options.mapping_option
@options.json_option
def writeback_command(run_folder: Path, name: str | None, by: str | None, as_json: bool) -> None:
    """Write the embeddings of a trained run to the graph and activate them.

    The inactive slot is filled. The old version remains active until the new one is written,
    indexed and checked; `kinfolio versions rollback` activates it again. With
    KINFOLIO_APPROVAL=required the new one serves after `kinfolio versions approve` by somebody
    else; until then another write-back may replace it.
    """
    from kinfolio.run import Run

    with spinner("reading the model"):
        from kinfolio.gnn.new_products.adding import add_new_products
        from kinfolio.gnn.publishing.write_back import write_back
        from kinfolio.gnn.training.train import read_servable

        run = Run(run_folder)
        embeddings = read_servable(run)
    with (
        options.open_graph() as graph,
        show_progress("comparing the graph with the run") as progress,
    ):
        stored = write_back(graph, embeddings, name=name, progress=progress, run=run, by=by)
        lines: list[str] = []
        add_new_products(graph, options.text_cache(), note=lines.append, progress=progress)
    if as_json:
        answer = asdict(stored)
        answer["index_recall@10"] = answer.pop("index_recall_at_10")
        for last in ("seconds", "state", "replaced"):
            answer[last] = answer.pop(last)
        print_json(answer)
        return
    recall = "-" if stored.index_recall_at_10 is None else f"{stored.index_recall_at_10:.3f}"
    verb = "serves from" if stored.state == "active" else "awaits approval in"
    echo(
        f"version {stored.version} {verb} slot {stored.slot}: {stored.users:,} users and "
        f"{stored.products:,} products in {stored.seconds:.1f} s; index recall@10 {recall}"
    )
    if stored.replaced:
        print_message(f"it replaced version {stored.replaced}, which awaited approval")
    if stored.state != "active":
        print_message(
            "the version before still serves; to let this one serve, somebody else types: "
            + shell_command("versions", "approve", stored.version)
        )
    for line in lines:
        print_message(line)


@click.group("versions", invoke_without_command=True, epilog="Example:  kinfolio versions")
@options.mapping_option
@options.json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the versions in the graph, check, approve, activate or drop them, or split the users."""
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
    """Activate the inactive version for all users; a split of the users ends."""
    from kinfolio.gnn.publishing.versions import rollback

    with options.open_graph() as graph:
        version = rollback(graph)
    if version.split:
        print_message("the split of the users ended")
    if as_json:
        print_json(_document(replace(version, split=0)))
    else:
        echo(f"version {version.name} serves from slot {version.slot}")


@command.command("split", epilog="Example:  kinfolio versions split 50")
@click.argument("percent", type=int)
@options.mapping_option
@options.json_option
def split_command(percent: int, as_json: bool) -> None:
    """Let the inactive version serve PERCENT of the users, to compare the two; 0 ends it.

    The users are chosen by a hash of their ids: always the same ones, and with a larger PERCENT
    more of them. Every answer names the version that gave it; `kinfolio events report` compares.
    """
    from kinfolio.gnn.publishing.versions import split_users

    with options.open_graph() as graph:
        split = split_users(graph, percent)
    if as_json:
        print_json(split)
    elif split.other is None:
        echo(f"version {split.active} serves all users")
    else:
        echo(
            f"version {split.other} serves {percent} % of the users, version {split.active} the "
            "others"
        )


@command.command("check", epilog="Example:  kinfolio versions check")
@click.argument("version", required=False)
@options.mapping_option
@options.json_option
def check_command(version: str | None, as_json: bool) -> None:
    """Read all of VERSION, or of every version, and name what is damaged; exit code 1 if any is.

    Compares properties, numbers of nodes, vectors, messages and links with what was written, by
    its hash, and the index with the vectors.
    """
    from kinfolio.gnn.publishing.version_check import check_versions

    with options.open_graph() as graph, show_progress("checking the versions") as progress:
        reports = check_versions(graph, version, progress=progress)
    if as_json:
        print_json({"versions": [{**asdict(one), "ok": one.ok} for one in reports]})
    else:
        for one in reports:
            echo(f"version {one.version} ({one.state})")
            for check in one.checks:
                echo(f"  {'ok ' if check.ok else 'NO '} {check.name}: {check.detail}")
                if check.cure:
                    echo(f"      {check.cure}")
    if not reports:
        print_message("no version in the graph yet; type: kinfolio writeback")
    if damaged := [one.version for one in reports if not one.ok]:
        raise VersionDamaged(f"damaged: {', '.join(map(repr, damaged))}; the list has the remedies")


@command.command("approve", epilog="Example:  kinfolio versions approve spring --by ann")
@click.argument("name")
@_by_option
@options.mapping_option
@options.json_option
def approve_command(name: str, by: str | None, as_json: bool) -> None:
    """Approve version NAME; one that awaits approval is checked and serves from then on.

    Where KINFOLIO_APPROVAL=required, its writer cannot approve it. Another version keeps its
    state: the approval is recorded for `kinfolio lineage`.
    """
    from kinfolio.environment import operator
    from kinfolio.gnn.publishing.lineage.approval import approve

    person = operator(by)
    with options.open_graph() as graph, show_progress("checking the version") as progress:
        approved = approve(graph, name, person, progress=progress)
    if as_json:
        print_json(approved)
    else:
        state = "serves" if approved.state == "active" else f"is {approved.state}"
        echo(f"version {approved.version}, approved by {approved.approved_by}, {state}")


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
        print_json({"dropped": version.name, "slot": version.slot})
    else:
        echo(f"version {version.name} was dropped; slot {version.slot} is free")


def _document(version: Version) -> dict[str, Any]:
    return {**asdict(version), "metrics": json.loads(version.metrics or "{}")}


def _list(as_json: bool) -> None:
    from kinfolio.gnn.publishing.versions import list_versions

    with options.open_graph() as graph:
        versions = list_versions(graph)
    if as_json:
        print_json({"versions": [_document(version) for version in versions]})
    elif versions:
        _print(versions)
    else:
        print_message("no version in the graph yet; type: kinfolio writeback")


def _print(versions: tuple[Version, ...]) -> None:
    print_table(
        (
            *("version", "slot", "state", "serves", "users", "products", "width", "written (UTC)"),
            *("model", "metrics", "snapshot", "written by", "approved by"),
        ),
        [
            (
                *(v.name, v.slot, v.state, f"{v.serves} %", f"{v.users:,}", f"{v.products:,}"),
                *(str(v.heads * v.dim), v.created_at[:16].replace("T", " ")),
                *(v.model, _metrics(json.loads(v.metrics or "{}")), v.snapshot[:12]),
                *(v.written_by or "-", v.approved_by or "-"),
            )
            for v in versions
        ],
        right=("serves", "users", "products", "width"),
    )


def _metrics(metrics: Any, name: str = "") -> str:
    """Return nested metrics as one line, like `valid recall@20 0.285`."""
    # Any: the JSON document that a run stored.
    if isinstance(metrics, dict):
        inside = (_metrics(value, f"{name} {key}".strip()) for key, value in metrics.items())
        return ", ".join(text for text in inside if text)
    return f"{name} {metrics:.4g}" if isinstance(metrics, int | float) else ""
