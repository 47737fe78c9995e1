"""A second person approves a version, which serves from then on if it awaited that.

Names are those that people give, or of tokens of the server: the record says who, it does not
prove it. The checks before the switch are at least those of a write-back: all that is stored is
compared with the hash of what was written, and lists are computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph, Reads
from kinfolio.environment import approval_is_required
from kinfolio.errors import BadConfig, NotFound, NotReady, VersionDamaged, quoted
from kinfolio.gnn.publishing.trial import TRIED_USERS, try_lists
from kinfolio.gnn.publishing.version_check import check_versions
from kinfolio.gnn.publishing.versions import Found, State, awaits_approval, found_versions
from kinfolio.gnn.version_state import check_version
from kinfolio.records import Progress, no_progress
from kinfolio.tabular import Tabular


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved(Tabular):
    """A version after its approval."""

    version: str
    state: State
    written_by: str
    """Empty: by an older kinfolio, which did not record it."""
    approved_by: str
    approved_at: str
    """ISO 8601, UTC."""


def approve(graph: Graph, name: str, by: str, *, progress: Progress = no_progress) -> Approved:
    """Record who approved a version; one that awaited it is checked and serves from then on.

    Any other version stays as it is, ready or active. Where approval is required, by
    `KINFOLIO_APPROVAL` now or at the write-back, the writer may not approve. The same approval
    again changes nothing.

    Raises:
        NotFound: there is no version of that name.
        NotReady: it is being written, or fails the trial.
        BadConfig: `by` wrote it, or somebody else approved it.
        VersionDamaged: it is not what was written.
    """
    found = _named(found_versions(graph), name, by)
    if awaits_approval(found):
        _check(graph, found, progress)
    at = datetime.now(UTC).isoformat(timespec="milliseconds")

    def work(tx: Reads) -> Approved:
        tx.read("version_lock")
        now = _named(found_versions(tx), name, by)
        if now.get("created_at") != found.get("created_at"):
            raise NotReady(
                f"version {quoted(name)} was replaced meanwhile; type: kinfolio versions"
            )
        where = {"version": name, "into": now["slot"]}
        is_waiting = awaits_approval(now)
        if not now.get("approved_by"):
            tx.read("version_approve", by=by, at=at, **where)
        if is_waiting:
            check_version(now)
            tx.read("version_activate", **where)
        return Approved(
            version=name,
            state="active" if is_waiting else now["state"],
            written_by=now.get("written_by") or "",
            approved_by=by,
            approved_at=now.get("approved_at") or at,
        )

    return graph.write_in_one("version_approve", work)


def _named(versions: list[Found], name: str, by: str) -> Found:
    """Return the version of a name, which `by` may approve."""
    found = next((one for one in versions if one.get("name") == name), None)
    if found is None:
        raise NotFound(f"there is no version {quoted(name)} in the graph; type: kinfolio versions")
    if found.get("state") not in ("ready", "active"):
        raise NotReady(
            f"version {quoted(name)} is {found.get('state')} and cannot be approved; "
            "wait for the write-back, or type: kinfolio writeback"
        )
    before, writer = found.get("approved_by"), found.get("written_by")
    if before and not _is_same(before, by):
        raise BadConfig(
            f"version {quoted(name)} was approved by {quoted(before)} at "
            f"{found.get('approved_at')} already; type: kinfolio lineage"
        )
    is_required = awaits_approval(found) or approval_is_required()
    if is_required and writer and _is_same(writer, by):
        raise BadConfig(
            f"{quoted(by)} wrote version {quoted(name)} and cannot approve it; somebody else was "
            "expected: sign in as that person, or give --by NAME"
        )
    return found


def _is_same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _check(graph: Graph, found: Found, progress: Progress) -> None:
    """Compare all that is stored with what was written, and compute lists of some users."""
    name, slot = found["name"], found["slot"]
    check_version(found)
    (report,) = check_versions(graph, name, progress=progress)
    if not report.ok:
        faults = "; ".join(f"{one.name}: {one.detail}" for one in report.checks if not one.ok)
        raise VersionDamaged(
            f"version {quoted(name)} was not activated, and the version before still serves: "
            f"{faults}; type: kinfolio writeback"
        )

    def rows_of(products: Sequence[str]) -> NDArray[np.float32]:
        rows = graph.read("version_vectors", slot=slot, products=list(products))
        vector_of = {row["product"]: row["vector"] for row in rows}
        return np.array([vector_of[one] for one in products], np.float32)

    progress("trying the version", 0, 1)
    users = [row["id"] for row in graph.read("version_sample_ids", slot=slot, size=TRIED_USERS)]
    try_lists(graph, name, users, None if found.get("unsummed") else rows_of)
    progress("trying the version", 1, 1)
