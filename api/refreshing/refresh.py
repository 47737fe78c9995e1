"""The step `refresh`: export what changed, train, compare, write back; or say why not.

What changed is counted from the snapshot of the version that serves. The server's bookmark is read
before the graph is: a change that is committed later, during the training or the write-back too,
changes the bookmark, and the next refresh reads the graph again.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kinfolio.api.refreshing.folder import Found, RefreshFolder, State, is_run_of
from kinfolio.api.refreshing.looking import Looking
from kinfolio.api.refreshing.records import RefreshConfig, Refreshed
from kinfolio.cypher.graph import Graph
from kinfolio.errors import shell_command
from kinfolio.gnn.new_products.adding import NewProducts, add_new_products
from kinfolio.gnn.publishing.versions import activate, drop, found_versions, refuse_split
from kinfolio.gnn.version_state import active_of
from kinfolio.records import Check, Progress, no_progress
from kinfolio.snapshot import is_undamaged
from kinfolio.storage.manifest import read_manifest

if TYPE_CHECKING:
    from kinfolio.gnn.evaluation.gate import Gate

MAX_REMOVED = 0.5
"""Share of the holdings that may have disappeared: more looks like an accident."""
MIN_INDEX_RECALL = 0.9
"""Of the ten nearest products, unless the version that serves has less."""


def refresh(
    graph: Graph,
    config: RefreshConfig,
    *,
    home: Path,
    note: Callable[[str], None] = lambda _: None,
    progress: Progress = no_progress,
) -> Refreshed:
    """Bring the version that serves up to date with the graph, if enough of the graph changed.

    Raises:
        NotReady: another refresh is at work, or the run of the version that serves is not found.
        RunBroken: that run is damaged.
    """
    folder = RefreshFolder(home, graph)
    looking = Looking(graph=graph, config=config, folder=folder, note=note, progress=progress)
    work = _Refresh(looking, home / "cache" / "texts.sqlite")
    if config.is_dry:
        return work.plan()
    with folder.locked():
        return work.run()


class _Refresh:
    """One refresh; `run` needs the lock."""

    def __init__(self, looking: Looking, cache: Path) -> None:
        self._looking, self._cache = looking, cache
        self._graph, self._config, self._folder = looking.graph, looking.config, looking.folder
        self._progress = looking.progress
        self._started = time.perf_counter()
        self._added: tuple[NewProducts, ...] = ()

    def run(self) -> Refreshed:
        """Do what is due."""
        found, serving = self._versions()
        if serving is None:
            stored = self._stored(found)
            return self._answer(_unserved(stored), None) if stored else self._publish_first()
        state = self._folder.read_state()
        if not state.is_of(self._looking.token(), serving["name"]):
            self._folder.repair(serving)
            self._add_new_products()
            state = self._look(serving, state)
        if reason := self._why_not(state, found):
            return self._answer(reason, serving, state)
        if not self._has_snapshot(state):
            state = self._look(serving, state)
        return self._replace(serving, state)

    def plan(self) -> Refreshed:
        """Return what `run` would do; writes nothing."""
        found, serving = self._versions()
        if serving is None:
            first = "would export the graph, train and publish a first version"
            stored = self._stored(found)
            return self._answer(_unserved(stored) if stored else first, None)
        state = self._folder.read_state()
        if not state.is_of(self._looking.token(), serving["name"]):
            if self._looking.has_unnumbered():
                reason = "would number users or products that were added by hand, then compare"
                return self._answer(reason, serving)
            with tempfile.TemporaryDirectory(prefix="kinfolio-refresh-") as scratch:
                state = self._looking.compare(serving, Path(scratch) / "snapshot", state)
        reason = self._why_not(state, found)
        if not reason:
            reason = f"would train, and publish if the model is no worse: {_sentence(state)}"
        return self._answer(reason, serving, state)

    def _versions(self) -> tuple[list[Found], Found | None]:
        """Return all versions in the graph, and the one that serves."""
        found = found_versions(self._graph)
        for version in found:
            refuse_split(version)
        return found, active_of(found)

    def _add_new_products(self) -> None:
        """Give vectors to new products of which something is known; nothing is trained for it."""
        self._added = add_new_products(
            self._graph, self._cache, note=self._looking.note, progress=self._progress
        )

    def _look(self, serving: Found, before: State) -> State:
        """Read the graph into the next run, and store what changed."""
        run = self._folder.begin()
        state = self._looking.compare(serving, run.snapshot, before)
        if state.changes is not None and state.changes.is_same:
            self._folder.drop(run)
        self._folder.write_state(state)
        return state

    def _has_snapshot(self, state: State) -> bool:
        """Return whether the unfinished run holds the graph as it was read."""
        run = self._folder.unfinished()
        if run is None or not is_undamaged(run.snapshot):
            return False
        return read_manifest(run.snapshot)["hash"] == state.snapshot

    def _why_not(self, state: State, found: list[Found]) -> str:
        """Return why nothing is trained; "" if a training is due."""
        changes, refused = state.changes, state.refused
        assert changes is not None
        if changes.is_same:
            return f"nothing new since the training of version {state.version}"
        for version in self._stored(found):
            if version.get("snapshot") == state.snapshot:
                return (
                    f"nothing new since the training of version {version.get('name')}, which does "
                    "not serve: it awaits approval, or was rolled back"
                )
        if refused and (refused["snapshot"], refused["settings"]) == self._attempt(state):
            return f"nothing new since a model was refused: {refused['reason']}"
        if changes.share < self._config.at_least and not changes.unlisted:
            return f"below the threshold of {self._config.at_least:.2%}: {changes.sentence()}"
        return ""

    def _stored(self, found: list[Found]) -> list[Found]:
        """Return the whole versions that do not serve.

        Without one of the unfinished run: a refresh was killed just before its activation.
        """
        run = self._folder.unfinished()
        return [
            version
            for version in found
            if version.get("state") == "ready" and not (run and is_run_of(run, version))
        ]

    def _attempt(self, state: State) -> tuple[str, str]:
        """Return what the result of a training depends on, to recognise a repeated one."""
        config = self._config
        return state.snapshot, f"{config.search} {config.budget} {config.seed} {state.version}"

    def _replace(self, serving: Found, state: State) -> Refreshed:
        """Train, compare and publish."""
        changes = state.changes
        assert changes is not None
        removed = changes.holdings.removed / max(changes.holdings.total, 1)
        if removed > MAX_REMOVED:
            reason = (
                f"{removed:.0%} of the holdings have disappeared; if that is meant, export, train "
                "and write back by hand"
            )
            return self._refuse(reason, serving, state)
        from kinfolio.api.refreshing.training import train_again

        gate = train_again(
            self._folder.begin(),
            self._looking.run_of(serving),
            self._config,
            self._cache,
            self._progress,
        )
        if gate.failed:
            failed = "; ".join(f"{check.name} {check.detail}" for check in gate.failed)
            refused = self._refuse(f"the new model is worse: {failed}", serving, state)
            return _compared(refused, gate)
        return _compared(self._publish(_sentence(state), serving, state), gate)

    def _publish_first(self) -> Refreshed:
        """Train and publish a version where there is none."""
        from kinfolio.api.refreshing.training import train_first
        from kinfolio.loaders.exporting.export import export_to

        run = self._folder.begin()
        export_to(self._graph, run.snapshot, progress=self._progress)
        train_first(run, self._config, self._cache, self._progress)
        return self._publish("the first version")

    def _publish(
        self, reason: str, before: Found | None = None, state: State | None = None
    ) -> Refreshed:
        """Write the next run back, and look at the graph once more: who wrote meanwhile?

        `before` is the version that served, `state` what changed since.
        """
        from kinfolio.gnn.publishing.write_back import write_back
        from kinfolio.gnn.training.train import read_servable

        run = self._folder.begin()
        stored = write_back(self._graph, read_servable(run), progress=self._progress, run=run)
        index = _index_check(stored.index_recall_at_10, before)
        if before is not None and state is not None and not index.ok:
            if stored.state == "active":
                activate(self._graph, before["name"])
            drop(self._graph, stored.version)
            refused = self._refuse(f"{index.name} {index.detail}", before, state)
            return replace(refused, checks=(index,))
        self._folder.keep(run)
        self._add_new_products()
        found, serving = self._versions()
        if serving is not None and stored.state == "active":
            self._look(serving, State())
        else:
            approve = shell_command("versions", "approve", stored.version)
            reason = f"version {stored.version} awaits approval; type: {approve}"
        self._folder.prune(self._config.keep, found)
        answer = self._answer(reason, serving, None)
        is_published = stored.state == "active"
        return replace(answer, published=is_published, run=str(run.folder), checks=(index,))

    def _refuse(self, reason: str, serving: Found, state: State) -> Refreshed:
        """Keep the refused run, and remember not to train it again."""
        run = self._folder.set_aside(self._folder.begin())
        snapshot, settings = self._attempt(state)
        refused = {"snapshot": snapshot, "settings": settings, "reason": reason}
        self._folder.write_state(replace(state, refused=refused))
        answer = self._answer(reason, serving, state)
        return replace(answer, refused=True, run=str(run.folder))

    def _answer(self, reason: str, serving: Found | None, state: State | None = None) -> Refreshed:
        changes = state.changes if state else None
        return Refreshed(
            published=False,
            reason=reason,
            version=serving["name"] if serving else None,
            changes=asdict(changes) if changes else {},
            versions=self._added,
            seconds=round(time.perf_counter() - self._started, 3),
        )


def _unserved(found: list[Found]) -> str:
    names = ", ".join(str(version.get("name")) for version in found)
    return f"no version serves, and {names} is stored; kinfolio versions tells what can be done"


def _index_check(recall: float | None, before: Found | None) -> Check:
    """Return whether the vector index of a version finds enough of the nearest products."""
    least = min(MIN_INDEX_RECALL, float((before or {}).get("index_recall") or 0.0))
    if recall is None:
        return Check("index_recall@10", True, "not measured: there are no users")
    return Check("index_recall@10", recall >= least, f"{recall:.3f}; at least {least:.3f}")


def _compared(answer: Refreshed, gate: Gate) -> Refreshed:
    return replace(
        answer, before=gate.before, after=gate.after, checks=(*gate.checks, *answer.checks)
    )


def _sentence(state: State) -> str:
    assert state.changes is not None
    return state.changes.sentence()
