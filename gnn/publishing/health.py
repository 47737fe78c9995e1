"""Checks of the graph for `doctor`: schema, versions, slots, unserved products, stored lists.

`mend` repairs what needs no data from outside: it deletes only leftovers that nothing serves.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.schema import CONSTRAINTS, OWN_CONSTRAINTS, create_schema
from kinfolio.errors import NotReady, RunBroken, quoted, shell_command
from kinfolio.gnn.drift.config import DriftConfig
from kinfolio.gnn.drift.drift import drift
from kinfolio.gnn.publishing.slot_index import rebuild_index
from kinfolio.gnn.publishing.slots import clear_orphans
from kinfolio.gnn.publishing.version_check import VersionReport, check_versions
from kinfolio.gnn.publishing.versions import Found, awaits_approval, found_versions, settle
from kinfolio.gnn.serving.stored_lists import count_old_lists, remove_old_lists
from kinfolio.gnn.version_state import SLOTS, active_of, is_split, problem_of
from kinfolio.records import Check, Slot

FIX = "type: kinfolio doctor --fix"
OLD_DAYS = 90
"""A version that was written longer ago is called old."""
MAX_QUICK_HOLDINGS = 500_000
"""Above this number of holdings, drift is measured by its own command only."""


def check_graph(graph: Graph, *, is_deep: bool = False) -> list[Check]:
    """Check the graph; nothing is written."""
    found = found_versions(graph)
    return [
        *_schema(graph),
        _versions(found),
        *_active(graph, found, is_deep),
        *_split(graph, found, is_deep),
        _orphans(graph, found),
        _lists(graph),
    ]


def mend(graph: Graph) -> list[str]:
    """Repair what can be repaired safely; return what was done, in sentences."""
    done = []
    if any(not check.ok for check in _schema(graph)):
        create_schema(graph)
        done.append("constraints and indexes were created")
    if deactivated := settle(graph):
        done.append(f"{', '.join(deactivated)} no longer serves beside the active version")
    removed = graph.write("version_delete_unknown", version=None)[0]["versions"]
    if removed:
        done.append(f"the nodes of versions in no slot were removed: {', '.join(removed)}")
    found = found_versions(graph)
    for slot in _orphaned(graph, found):
        clear_orphans(graph, slot)
        done.append(f"slot {slot}, which belonged to no version, was cleared")
    for version in found:
        if version.get("state") in ("ready", "active") and problem_of(version) is None:
            width = version["heads"] * version["dim"] + 2
            if rebuild_index(graph, version["slot"], width, version["products"]):
                done.append(f"the index of version {version['name']} was built again")
    if number := remove_old_lists(graph):
        done.append(f"{number:,} relationships of lists that nothing reads were removed")
    return done


def _schema(graph: Graph) -> Iterator[Check]:
    counts = graph.read("export_counts")[0]
    if not counts["users"] and not counts["products"]:
        yield Check("schema", True, "the graph is empty; type: kinfolio load FOLDER")
        return
    present = {row["name"] for row in graph.read("map_constraints")}
    needed = CONSTRAINTS if graph.mapping is None else OWN_CONSTRAINTS
    missing = [name.removeprefix("schema_") for name in needed]
    missing = [name for name in missing if name not in present]
    if missing:
        yield Check("schema", False, f"missing: {', '.join(missing)}", FIX)
    else:
        yield Check("schema", True, f"{len(needed)} constraints and indexes")


def _versions(found: list[Found]) -> Check:
    if not found:
        return Check("versions", True, "none yet; type: kinfolio writeback")
    active = [str(version.get("name")) for version in found if version.get("state") == "active"]
    if len(active) > 1:
        return Check("versions", False, f"several are active: {', '.join(active)}", FIX)
    for version in found:
        if version.get("state") != "active" and version.get("slot") not in SLOTS:
            detail = f"{version.get('name')} is in slot {version.get('slot')!r}"
            return Check("versions", False, detail, FIX)
    pending = [version for version in found if awaits_approval(version)]
    if not active and pending:
        cure = f"type: {shell_command('versions', 'approve', pending[0].get('name'))}"
        return Check("versions", False, f"none is active; {_told(pending[0])}", cure)
    if not active and any(version.get("state") != "writing" for version in found):
        return Check("versions", False, "none is active", "type: kinfolio versions rollback")
    names = ", ".join(map(_told, found))
    return Check("versions", True, names)


def _told(version: Found) -> str:
    if awaits_approval(version):
        return f"{version.get('name')} (awaits approval)"
    split = version.get("split") if version.get("state") == "ready" else None
    part = "" if split is None else f", serves {split} % of the users"
    return f"{version.get('name')} ({version.get('state')}{part})"


def _active(graph: Graph, found: list[Found], is_deep: bool) -> Iterator[Check]:
    active = active_of(found)
    if active is None:
        return
    report = _report(graph, active, is_deep)
    yield from _faults(report, "version", is_deep)
    if problem_of(active) is not None:
        return
    if report.ok:
        summary = "; ".join(check.detail for check in report.checks if check.name in _SUMMARY)
        yield Check("active version", True, f"{report.version}: {summary}")
    yield _age(active)
    yield _drift(graph)
    unserved = graph.read("version_unserved", slot=active["slot"])[0]
    if unserved["products"]:
        detail = (
            f"{unserved['products']:,} products have no vector yet, like "
            f"{quoted(unserved['example'])}; kinfolio refresh --new-only gives one to those of "
            "which a text, a category, a name or reviews are known"
        )
    else:
        detail = "every product has a vector"
    yield Check("unserved products", True, detail)


_SUMMARY = ("contents", "index")


def _split(graph: Graph, found: list[Found], is_deep: bool) -> Iterator[Check]:
    """Check the other version of a split of the users."""
    for version in found:
        if version.get("state") == "ready" and is_split(version):
            report = _report(graph, version, is_deep)
            yield from _faults(report, f"split {report.version}:", is_deep)
            if report.ok:
                detail = f"{report.version} serves {version['split']} % of the users"
                yield Check("split", True, detail)


def _report(graph: Graph, version: Found, is_deep: bool) -> VersionReport:
    reports = check_versions(graph, version.get("name"), is_deep=is_deep)
    return next(report for report in reports if report.state == version.get("state"))


def _faults(report: VersionReport, name: str, is_deep: bool) -> Iterator[Check]:
    for check in report.checks:
        if is_deep or not check.ok:
            yield Check(f"{name} {check.name}", check.ok, check.detail, check.cure)


def _age(active: Found) -> Check:
    try:
        written = datetime.fromisoformat(str(active.get("created_at")))
        days = (datetime.now(UTC) - written).days
    except (TypeError, ValueError):
        return Check("age", True, "unknown")
    old = "; new holdings are folded in, train again to learn from them" if days > OLD_DAYS else ""
    return Check("age", True, f"written {written:%Y-%m-%d}, {days} days ago{old}")


def _drift(graph: Graph) -> Check:
    """Measure the distributions; texts and the quality, which take longer, are left out."""
    holdings = graph.read("export_counts")[0]["holdings"]
    if holdings > MAX_QUICK_HOLDINGS:
        return Check("drift", True, f"{holdings:,} holdings; kinfolio drift measures them")
    try:
        report = drift(graph, None, DriftConfig(users=0))
    except (NotReady, RunBroken) as error:
        return Check("drift", True, f"not measured: {error}")
    moved = ", ".join(report.moved)
    if report.verdict == "retrain":
        return Check("drift", False, f"far from the training: {moved}", "type: kinfolio refresh")
    return Check("drift", True, f"moved since the training: {moved}" if moved else report.verdict)


def _orphaned(graph: Graph, found: list[Found]) -> list[Slot]:
    owned = {version.get("slot") for version in found}
    slots: tuple[Slot, ...] = ("a", "b")
    return [
        slot
        for slot in slots
        if slot not in owned and graph.read("version_orphans", slot=slot)[0]["nodes"]
    ]


def _orphans(graph: Graph, found: list[Found]) -> Check:
    orphaned = _orphaned(graph, found)
    if orphaned:
        detail = f"vectors in slot {' and '.join(orphaned)} belong to no version"
        return Check("slots", False, detail, f"{FIX} to remove them")
    return Check("slots", True, "every vector belongs to a version")


def _lists(graph: Graph) -> Check:
    if number := count_old_lists(graph):
        detail = f"{number:,} relationships of lists that were replaced or cut off"
        return Check("stored lists", False, detail, f"{FIX} to remove them")
    return Check("stored lists", True, "no leftovers")
