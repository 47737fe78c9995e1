"""Where a version comes from, in one record."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotFound, quoted
from kinfolio.gnn.publishing.lineage.checks import compare
from kinfolio.gnn.publishing.lineage.records import (
    EncoderRecord,
    Lineage,
    Load,
    RunRecord,
    SourceFile,
    Sources,
)
from kinfolio.gnn.publishing.versions import Found, found_versions, version_of
from kinfolio.records import Progress, no_progress

_NOT_LOADED = "the graph was not loaded by kinfolio"
_NOT_RECORDED = "no load is recorded"


def lineage(
    graph: Graph, name: str, *, is_checked: bool = True, progress: Progress = no_progress
) -> Lineage:
    """Return where a version comes from.

    `is_checked` also compares with the run, the graph and the slot, which are read in full.

    Raises:
        NotFound: there is no version of that name.
    """
    found = next((one for one in found_versions(graph) if one.get("name") == name), None)
    if found is None:
        raise NotFound(f"there is no version {quoted(name)} in the graph; type: kinfolio versions")
    texts = graph.read("version_lineage", version=name)[0]
    version = version_of(found)
    run = _run(found, texts)
    checks = compare(graph, found, run, progress) if is_checked else ()
    return Lineage(
        version=name,
        slot=version.slot,
        state=version.state,
        created_at=version.created_at,
        kinfolio=_text(found, "kinfolio"),
        written_by=version.written_by or None,
        approved_by=version.approved_by or None,
        approved_at=version.approved_at or None,
        sources=_sources(graph, found, texts["loads"]),
        graph_hash=_text(found, "graph_hash"),
        snapshot=version.snapshot,
        run=run,
        encoder=_encoder(found),
        metrics=_object(found.get("metrics")),
        content={part: _text(found, f"hash_{part}") for part in ("products", "users", "recipe")},
        checks=checks,
    )


def _sources(graph: Graph, found: Found, text: Any) -> Sources:
    # Any: a property of the version.
    try:
        loads = tuple(map(_load, json.loads(text))) if isinstance(text, str) else ()
    except (ValueError, KeyError, TypeError):  # changed in the graph by hand
        loads = ()
    changed = found.get("changed_since_load")
    if loads:
        files = sum(len(one.files) for one in loads)
        summary = f"{files} files in {len(loads)} loads"
        if loads[0].number > 1 and not loads[0].replaces:
            summary += f"; {loads[0].number - 1:,} earlier ones are no longer recorded"
    else:
        summary = _NOT_LOADED if graph.mapping is not None else _NOT_RECORDED
    return Sources(
        summary=summary,
        loads=loads,
        changed_since=changed if loads and isinstance(changed, int) else None,
    )


def _load(row: dict[str, Any]) -> Load:
    files = zip(
        *(row[name] for name in ("files", "tables", "sha256", "rows", "rejected")), strict=True
    )
    return Load(
        number=row["number"],
        at=datetime.fromtimestamp(row["ended"] / 1000, UTC).isoformat(timespec="milliseconds"),
        options=row["options"],
        replaces=row["replaces"],
        files=tuple(
            SourceFile(name=name, table=table, sha256=digest, rows=rows, rejected=rejected)
            for name, table, digest, rows, rejected in files
        ),
    )


def _run(found: Found, texts: dict[str, Any]) -> RunRecord | None:
    folder = _text(found, "run")
    if folder is None:
        return None
    return RunRecord(
        folder=folder,
        host=_text(found, "run_host") or "",
        sha256=_text(found, "run_hash") or "",
        model_sha256=_text(found, "model_hash") or "",
        config=_object(texts["config"]),
        packages=_object(texts["trained_with"]),
    )


def _encoder(found: Found) -> EncoderRecord | None:
    name = _text(found, "encoder")
    if name is None:
        return None
    return EncoderRecord(name=name, sha256=_text(found, "encoder_hash"))


def _text(found: Found, name: str) -> str | None:
    value = found.get(name)
    return value if isinstance(value, str) else None


def _object(text: Any) -> dict[str, Any]:
    # Any: a property of the version, and JSON values.
    try:
        value = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
