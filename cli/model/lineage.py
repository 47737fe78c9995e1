"""`kinfolio lineage`: where a version comes from, and whether that still holds."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json
from kinfolio.cli.progress import show_progress
from kinfolio.errors import VersionDamaged, shell_command

if TYPE_CHECKING:
    from kinfolio.gnn.publishing.lineage.records import Lineage, Load

_WIDTH = 80
_INDENT = 13


@click.command("lineage", epilog="Example:  kinfolio lineage spring")
@click.argument("version")
@options.mapping_option
@options.json_option
def command(version: str, as_json: bool) -> None:
    """Show where VERSION comes from: files, graph, snapshot, run, encoder, writer, approval.

    What is recorded is compared with the run's folder, the graph and the slot; exit code 1 if the
    slot does not have what was written.
    """
    from kinfolio.gnn.publishing.lineage.checks import CONTENT
    from kinfolio.gnn.publishing.lineage.lineage import lineage

    with options.open_graph() as graph, show_progress("reading the version") as progress:
        found = lineage(graph, version, progress=progress)
    if as_json:
        print_json(found)
    else:
        echo(*_lines(found))
    if any(check.name == CONTENT and check.outcome == "changed" for check in found.checks):
        cure = shell_command("versions", "check", version)
        raise VersionDamaged(f"the slot does not have what was written; type: {cure}")


def _lines(found: Lineage) -> Iterator[str]:
    for name, text in _rows(found):
        yield from textwrap.wrap(
            text,
            _WIDTH,
            initial_indent=name.ljust(_INDENT),
            subsequent_indent=" " * _INDENT,
            break_on_hyphens=False,
        )


def _rows(found: Lineage) -> Iterator[tuple[str, str]]:
    yield "version", f"{found.version} ({found.state}, slot {found.slot})"
    yield "written", f"{found.created_at} by {_known(found.written_by)}"
    approval = f"{found.approved_at} by {found.approved_by}" if found.approved_by else "by nobody"
    yield "approved", approval
    yield "kinfolio", _known(found.kinfolio)
    yield "sources", found.sources.summary
    for load in found.sources.loads:
        yield from _load_rows(load)
    if found.sources.changed_since is not None:
        number = found.sources.changed_since
        yield "", f"{number:,} users and products changed after the last load, before the version"
    yield "graph", _known(found.graph_hash)
    yield "snapshot", _known(found.snapshot)
    yield from _run_rows(found)
    if found.encoder is not None and not found.encoder.name:
        yield "encoder", "none: the model takes no texts"
    else:
        encoder = found.encoder
        yield "encoder", f"{encoder.name} {_known(encoder.sha256)}" if encoder else _known(None)
    yield "metrics", _pairs(found.metrics) or _known(None)
    for name, digest in found.content.items():
        yield ("content" if name == "products" else ""), f"{name} {_known(digest)}"
    for check in found.checks:
        yield f"  {check.name}", f"{check.outcome.upper()}: {check.detail}"


def _load_rows(load: Load) -> Iterator[tuple[str, str]]:
    yield "", " ".join([f"load {load.number},", load.at, *(load.options.split())])
    for file in load.files:
        rejected = f", {file.rejected:,} rejected" if file.rejected else ""
        yield "", f"  {file.name}: {file.rows:,} rows{rejected}"
        yield "", f"  {file.sha256}"


def _run_rows(found: Lineage) -> Iterator[tuple[str, str]]:
    run = found.run
    if run is None:
        yield "run", _known(None)
        return
    yield "run", f"{run.folder} on {run.host}"
    yield "", f"run.json {run.sha256}"
    yield "", f"model {run.model_sha256}"
    yield "config", _pairs(run.config)
    yield "packages", _pairs(run.packages)


def _pairs(values: dict[str, Any], prefix: str = "") -> str:
    """Return nested values on one line, like `valid recall@20 0.285`. Any: JSON values."""
    texts = []
    for name, value in values.items():
        full = f"{prefix} {name}".strip()
        if isinstance(value, dict):
            texts.append(_pairs(value, full))
        elif value is not None and value != "":
            texts.append(f"{full} {value:.6g}" if isinstance(value, float) else f"{full} {value}")
    return ", ".join(filter(None, texts))


def _known(text: str | None) -> str:
    return text or "not recorded"
