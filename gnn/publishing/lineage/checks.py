"""What is recorded of a version, compared with the run, the graph and the slot of now."""

from __future__ import annotations

import platform
from pathlib import Path

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.graph_hash import graph_hash
from kinfolio.errors import KinfolioError, shell_command
from kinfolio.gnn.publishing.lineage.records import LineageCheck, Outcome, RunRecord
from kinfolio.gnn.publishing.version_check import check_versions
from kinfolio.gnn.publishing.versions import Found
from kinfolio.os_errors import os_errors
from kinfolio.records import Progress
from kinfolio.run import Run
from kinfolio.storage.document import checksum
from kinfolio.storage.manifest import read_manifest

CONTENT = "content"
"""Name of the check of the slot: what is stored must be what was written."""


def compare(
    graph: Graph, found: Found, run: RunRecord | None, progress: Progress
) -> tuple[LineageCheck, ...]:
    """Compare all that can be compared."""
    return (
        *_compare_run(found, run, progress),
        _compare_graph(graph, found, progress),
        _compare_content(graph, found, progress),
    )


def _compare_run(
    found: Found, run: RunRecord | None, progress: Progress
) -> tuple[LineageCheck, ...]:
    names = ("run", "model", "snapshot")
    if run is None:
        return tuple(_check(name, "unknown", "no run is recorded") for name in names)
    folder = Path(run.folder)
    if not folder.is_dir():
        where = "" if run.host == platform.node() else f"; it was written on {run.host}"
        return tuple(
            _check(name, "missing", f"there is no folder {run.folder} here{where}")
            for name in names
        )
    progress("comparing the run", 0, 1)
    files = Run(folder)
    return (
        _compare_file("run", files.info, run.sha256),
        _compare_file("model", files.model, run.model_sha256),
        _compare_snapshot(files.snapshot, str(found.get("snapshot"))),
    )


def _compare_file(name: str, path: Path, expected: str) -> LineageCheck:
    if not path.is_file():
        return _check(name, "missing", f"there is no {path}")
    with os_errors(path, "read"):
        digest = checksum(path)
    if digest != expected:
        return _check(name, "changed", f"{path} was trained again or changed: SHA-256 {digest}")
    return _check(name, "same", f"{path} has the recorded SHA-256")


def _compare_snapshot(folder: Path, expected: str) -> LineageCheck:
    try:
        digest = read_manifest(folder)["hash"]
    except KinfolioError as error:
        return _check("snapshot", "missing", str(error))
    if digest != expected:
        return _check("snapshot", "changed", f"{folder} was exported again: hash {digest}")
    return _check("snapshot", "same", f"{folder} has the recorded hash")


def _compare_graph(graph: Graph, found: Found, progress: Progress) -> LineageCheck:
    expected = found.get("graph_hash")
    if graph.mapping is not None:
        return _check("graph", "unknown", "a graph with a mapping has no hash, its snapshot has")
    if not isinstance(expected, str):
        return _check("graph", "unknown", "no hash of the graph is recorded")
    digest = graph_hash(graph, progress=progress)
    if digest != expected:
        return _check("graph", "changed", f"since the write-back; its hash is now {digest}")
    return _check("graph", "same", "unchanged since the write-back")


def _compare_content(graph: Graph, found: Found, progress: Progress) -> LineageCheck:
    name = str(found.get("name"))
    if found.get("state") == "writing":
        return _check(CONTENT, "unknown", "the write-back is not complete")
    reports = check_versions(graph, name, progress=progress)
    report = next(one for one in reports if one.state == found.get("state"))
    if not report.ok:
        faults = "; ".join(f"{one.name}: {one.detail}" for one in report.checks if not one.ok)
        cure = shell_command("versions", "check", name)
        return _check(CONTENT, "changed", f"{faults}; type: {cure}")
    uncompared = [
        one.detail
        for one in report.checks
        if one.name.startswith("hash of") and one.detail.startswith(("not compared", "written"))
    ]
    if uncompared:
        return _check(CONTENT, "unknown", "; ".join(uncompared))
    return _check(CONTENT, "same", f"slot {found['slot']} has what was written, by its hashes")


def _check(name: str, outcome: Outcome, detail: str) -> LineageCheck:
    return LineageCheck(name=name, outcome=outcome, detail=detail)
