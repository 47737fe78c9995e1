"""What changed in the graph since the training of the version that serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kinfolio.api.refreshing.changes import count_changes, new_products_with_holders
from kinfolio.api.refreshing.folder import Found, RefreshFolder, State, is_run_of
from kinfolio.api.refreshing.records import RefreshConfig
from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady, quoted, shell_command
from kinfolio.records import Progress
from kinfolio.run import Run
from kinfolio.storage.manifest import MANIFEST, read_manifest

_GIDS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """Reads the graph, and compares it with the snapshot of the version that serves."""

    graph: Graph
    config: RefreshConfig
    folder: RefreshFolder
    note: Callable[[str], None]
    progress: Progress

    def token(self) -> tuple[str, ...]:
        """Return the server's bookmark of the last change."""
        return tuple(sorted(self.graph.bookmark()))

    def has_unnumbered(self) -> bool:
        """Return whether users or products were added by hand, which an export numbers."""
        counts = self.graph.read("export_counts")[0]
        ends = self.graph.read("export_gid_counts")[0]
        return any(counts[name] > ends[name] for name in ("users", "products"))

    def run_of(self, version: Found) -> Run:
        """Return the run that a version was written back from.

        Raises:
            NotReady: it is in none of the folders, or its snapshot was replaced.
        """
        given = self.config.run or Path("runs/default")
        name = quoted(version["name"])
        for run in (*self.folder.runs(), Run(given)):
            if is_run_of(run, version):
                if read_manifest(run.need_snapshot())["hash"] == version["snapshot"]:
                    return run
                raise NotReady(
                    f"{run.folder} holds another snapshot than the one that version {name} was "
                    f"trained on; type: {shell_command('train', '--run', run.folder)}, then "
                    f"{shell_command('writeback', '--run', run.folder)}"
                )
        raise NotReady(
            f"the run of version {name}, which serves, was not found in {given}; name its folder: "
            f"{shell_command('refresh', '--run', 'FOLDER')}"
        )

    def compare(self, version: Found, snapshot: Path, before: State) -> State:
        """Export the graph to a snapshot folder and count what changed.

        Args:
            version: the one that serves.
            snapshot: an interrupted refresh may have left a part of the changes there.
            before: the state so far.
        """
        from kinfolio.loaders.exporting.export import export_to

        old = self.run_of(version).snapshot
        # Before anything is read: what is committed from now on is found by the next refresh.
        token = self.token()
        since = snapshot if (snapshot / MANIFEST).is_file() else old
        exported = export_to(self.graph, snapshot, since=since, progress=self.progress)
        for sentence in exported.notes:
            self.note(sentence)
        changes = count_changes(
            old,
            snapshot,
            is_same=exported.hash == version["snapshot"],
            unlisted=self._unlisted(version, old, snapshot),
        )
        return State(
            token=() if exported.consistency == "moving" else token,
            version=version["name"],
            snapshot=exported.hash,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            changes=changes,
            refused=before.refused,
        )

    def _unlisted(self, version: Found, old: Path, new: Path) -> int:
        """Return the number of new products with holders that the version cannot list."""
        held = new_products_with_holders(old, new)
        # In a dry run those with a text have no vector yet.
        gids = sorted(gid for gid, text in held.items() if not (self.config.is_dry and text))
        listed = 0
        for first in range(0, len(gids), _GIDS_AT_ONCE):
            some = gids[first : first + _GIDS_AT_ONCE]
            rows = self.graph.read("new_products_stored", slot=version["slot"], gids=some)
            listed += len(rows)
        return len(gids) - listed
