"""Versions of the embeddings in the graph: list, activate, roll back, drop.

Every change of the active version locks the versions before it reads their states, so that of
several at once each sees the result of the one before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from kinfolio.cypher.graph import Graph, Reads
from kinfolio.errors import (
    BadConfig,
    NotFound,
    NotReady,
    if_interrupted,
    quoted,
    shell_command,
)
from kinfolio.gnn.publishing.slots import clear_slot, write_access
from kinfolio.gnn.version_state import SLOTS, active_of, check_version, problem_of
from kinfolio.records import Slot
from kinfolio.tabular import Tabular

Found = dict[str, Any]
"""Any: the properties of a version's node."""
State = Literal["writing", "ready", "active", "awaits approval"]
"""A version that awaits approval is ready, and has never served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version(Tabular):
    """One set of embeddings in the graph."""

    name: str
    slot: Slot
    state: State
    model: str = ""
    heads: int = 0
    dim: int = 0
    users: int = 0
    products: int = 0
    created_at: str = ""
    snapshot: str = ""
    metrics: str = "{}"
    index_recall: float | None = None
    """Of the 10 nearest by the vector index, compared with the exact ones; None: no index."""
    split: int = 0
    """Percentage of the users that the ready version serves; 0: the active one serves all."""
    written_by: str = ""
    """Who wrote it back; empty: by an older kinfolio."""
    approved_by: str = ""
    """Empty: nobody did."""
    approved_at: str = ""

    @property
    def serves(self) -> int:
        """Percentage of the users that this version serves."""
        return {"active": 100 - self.split, "ready": self.split}.get(self.state, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Tabular):
    """A split of the users between two versions."""

    percent: int
    """Percentage of the users that `other` serves; 0: none."""
    active: str
    other: str | None
    """None without a split."""


def list_versions(graph: Graph) -> tuple[Version, ...]:
    """Return all versions in the graph, newest first; at most one a slot."""
    return tuple(version_of(found) for found in found_versions(graph))


def found_versions(graph: Graph | Reads) -> list[Found]:
    """Return the properties of all versions, newest first, including a writer's own."""
    return [row["version"] for row in graph.read("version_list")]


def activate(graph: Graph, name: str) -> None:
    """Activate a ready version in place of the active one, in one transaction; a split ends.

    Raises:
        NotReady: there is no ready version of that name, or it awaits approval.
        VersionDamaged: it cannot be served.
    """

    def choose(found: list[Found]) -> Found:
        for version in found:
            if version["name"] == name and version["state"] in ("ready", "active"):
                refuse_unapproved(version)
                check_version(version)
                return version
        raise NotReady(f"version {quoted(name)} is not ready to serve; type: kinfolio versions")

    _switch(graph, choose)


def rollback(graph: Graph) -> Version:
    """Activate the other version for all users and return it; a split of the users ends.

    Raises:
        NotReady: there is no other version, or it awaits approval.
        VersionDamaged: it cannot be served.
    """
    chosen: list[str] = []

    def choose(found: list[Found]) -> Found:
        # After a lost answer the transaction may run again: it must not switch back.
        again = next((v for v in found if v.get("slot") in chosen), None)
        serving = active_of(found)
        others = [v for v in found if v is not serving and v.get("state") in ("ready", "active")]
        target = again or min(others, key=_defects, default=None)
        if target is None:
            raise NotReady(
                "there is no other version to go back to; `kinfolio versions` lists what there "
                "is, and the next `kinfolio writeback` keeps the one that serves now"
            )
        refuse_unapproved(target)
        check_version(target)
        chosen[:] = [target["slot"]]
        return target

    return version_of(_switch(graph, choose))


def split_users(graph: Graph, percent: int) -> Split:
    """Let the ready version serve a percentage of the users, chosen by `place_in_split`.

    The split ends with 0, and when a version is activated. While it is on, write-back and drop
    refuse the other version.

    Raises:
        BadConfig: the percentage is not between 0 and 99.
        NotReady: there are not one active and one ready version.
        VersionDamaged: one of them cannot be served.
    """
    if not 0 <= percent <= 99:
        raise BadConfig(
            f"the percentage is {percent}; give a whole number from 1 to 99, 0 to end the split, "
            "or type: kinfolio versions rollback to serve all users by the other version"
        )

    def work(tx: Reads) -> Split:
        tx.read("version_lock")
        found = found_versions(tx)
        active = [version for version in found if version.get("state") == "active"]
        ready = [version for version in found if version.get("state") == "ready"]
        if len(active) != 1 or (percent and len(ready) != 1):
            raise NotReady(
                f"a split needs one active and one ready version; there are {len(active)} and "
                f"{len(ready)}; type: kinfolio versions, or write another one back first"
            )
        if percent:
            refuse_unapproved(ready[0])
            for version in (*active, *ready):
                check_version(version)
        tx.read("version_split", percent=percent or None)
        other = str(ready[0]["name"]) if percent else None
        return Split(percent=percent, active=str(active[0]["name"]), other=other)

    return graph.write_in_one("version_split", work)


def settle(graph: Graph) -> tuple[str, ...]:
    """Leave one of several active versions active; return the names of the others.

    The one that serves remains, unless it is damaged and another is not.
    """
    deactivated: list[str] = []

    def choose(found: list[Found]) -> Found | None:
        active = [v for v in found if v.get("state") == "active"]
        if len(active) < 2:
            return None
        target = min(active, key=lambda v: problem_of(v) is not None)
        deactivated[:] = [str(v["name"]) for v in active if v is not target]
        return target

    _switch(graph, choose)
    return tuple(deactivated)


def _switch(graph: Graph, choose: Callable[[list[Found]], Found | None]) -> Found:
    """Activate the version that `choose` returns of the locked ones; none: change nothing."""

    def work(tx: Reads) -> Found:
        tx.read("version_lock")
        target = choose(found_versions(tx))
        if target is None:
            return {}
        tx.read("version_activate", version=target["name"], into=target.get("slot"))
        return {**target, "state": "active"}

    return graph.write_in_one("version_activate", work)


def drop(graph: Graph, name: str) -> Version:
    """Remove a version: its vectors, index, stored lists and node.

    Raises:
        NotFound: there is no version of that name.
        BadConfig: it is the active one.
        NotReady: it is being written.
    """
    versions = found_versions(graph)
    found = [version for version in versions if version["name"] == name]
    if not found:
        names = ", ".join(quoted(other["name"]) for other in versions) or "none at all"
        raise NotFound(f"there is no version {quoted(name)} in the graph; there is {names}")
    # Two of one name are damage; the one that does not serve is meant.
    dropped = min(found, key=lambda version: version.get("state") == "active")
    version = version_of(dropped)
    if version.state == "active":
        raise BadConfig(
            f"version {quoted(name)} serves now and cannot be dropped; "
            "type: kinfolio versions rollback, or write another back first"
        )
    refuse_split(dropped)
    if version.slot not in SLOTS:
        graph.write("version_delete_unknown", version=name)
        return version
    again = shell_command("versions", "drop", name)
    with (
        if_interrupted(
            f"a part of version {quoted(name)} may be removed; the active version is unchanged; "
            f"to remove the rest, type: {again}"
        ),
        write_access(graph, version.slot, dropped, asdict(version) | {"split": None}) as writer,
    ):
        if len(found) == 1:
            graph.schema("version_forget_lists", version=name)
        clear_slot(graph, writer)
    return version


def _defects(found: Found) -> tuple[bool, bool]:
    """Return a key by which versions that could serve come first."""
    return awaits_approval(found), problem_of(found) is not None


def refuse_unapproved(found: Found) -> None:
    """Check that a version does not await approval.

    Raises:
        NotReady: it does.
    """
    if awaits_approval(found):
        name = found.get("name")
        raise NotReady(
            f"version {quoted(name)} awaits approval; somebody else than its writer, "
            f"{quoted(found.get('written_by'))}, types: "
            f"{shell_command('versions', 'approve', name)}"
        )


def awaits_approval(found: Found) -> bool:
    """Return whether a ready version may not serve before somebody approves it."""
    return found.get("state") == "ready" and found.get("awaits_approval") is not None


def refuse_split(found: Found | None) -> None:
    """Check that a version does not serve a part of the users.

    Raises:
        NotReady: it does.
    """
    if found is not None and found.get("split") is not None:
        raise NotReady(
            f"version {quoted(found.get('name'))} serves {found['split']} % of the users and "
            "cannot be replaced or dropped; type: kinfolio versions split 0 to end the split"
        )


def version_of(found: Found) -> Version:
    """Return the record of a version, as far as its properties are sound."""
    # A damaged version is listed, too.
    values: dict[str, Any] = {"name": "", "slot": "", "state": ""}
    for item in fields(Version):
        value = found.get(item.name)
        if item.type == "int":
            values[item.name] = value if isinstance(value, int) else 0
        elif item.name == "index_recall":
            values[item.name] = value if isinstance(value, float) else None
        elif value is not None:
            values[item.name] = str(value)
    if awaits_approval(found):
        values["state"] = "awaits approval"
    return Version(**values)
