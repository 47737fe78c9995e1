"""How far users, products, texts and the quality have moved since a version's training.

Needs only the graph: the version stores the distributions of its training. Nothing is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady, quoted
from kinfolio.gnn.drift.config import DriftConfig
from kinfolio.gnn.drift.distributions import Comparison
from kinfolio.gnn.drift.quality import measure_quality
from kinfolio.gnn.drift.reading import read_present
from kinfolio.gnn.drift.records import DriftReport, worst
from kinfolio.gnn.drift.texts import texts_measure
from kinfolio.gnn.recipe import Recipe, read_content
from kinfolio.gnn.recipe import from_bytes as recipe_from_bytes
from kinfolio.gnn.reference import Reference, reference_from_bytes
from kinfolio.gnn.text.encoder import Encoder, load_light_encoder
from kinfolio.gnn.version_state import active_of, check_version
from kinfolio.records import Progress, no_progress

_DEFAULTS = DriftConfig()


def drift(
    graph: Graph,
    cache: Path | None,
    config: DriftConfig = _DEFAULTS,
    *,
    min_people: int = 1,
    load: Callable[[str], Encoder] = load_light_encoder,
    progress: Progress = no_progress,
) -> DriftReport:
    """Return how far the graph has moved since the training of the active version.

    Args:
        graph: with an active version.
        cache: file of text vectors encoded before; None: texts are not measured.
        config: limits and samples.
        min_people: numbers about fewer people are withheld.
        load: returns the text encoder, which only new texts need.
        progress: called after every step.

    Raises:
        NotReady: no version is active, or it stores nothing of its training.
        RunBroken: what it stores is damaged.
        VersionDamaged: it cannot be served.
    """
    started = time.perf_counter()
    version = active_version(graph)
    reference = _reference(graph, version)
    notes: list[str] = []
    present = read_present(graph, version, progress, with_texts=cache is not None)
    comparison = Comparison(reference, present, config, min_people)
    measures = comparison.measures()
    if cache is not None:
        progress("comparing texts", 0, 0)
        texts = texts_measure(comparison, _recipe(graph, version), cache, notes.append, load)
        measures += [] if texts is None else [texts]
    quality = None
    if config.users:
        quality = measure_quality(graph, version, comparison, notes.append, progress)
    verdicts = [one.verdict for one in measures]
    return DriftReport(
        version=version["name"],
        written=str(version.get("created_at", "")),
        verdict=worst(verdicts + ([] if quality is None else [quality.verdict])),
        measures=tuple(measures),
        quality=quality,
        notes=tuple(notes),
        seconds=round(time.perf_counter() - started, 3),
    )


def active_version(graph: Graph) -> dict[str, Any]:  # Any: its properties
    """Return the properties of the active version.

    Raises:
        NotReady: none is active.
        VersionDamaged: it cannot be served.
    """
    version = active_of([row["version"] for row in graph.read("version_list")])
    if version is None:
        raise NotReady(
            "no version serves, so there is no training to compare with; type: kinfolio writeback"
        )
    check_version(version)
    return version


def _reference(graph: Graph, version: dict[str, Any]) -> Reference:
    rows = graph.read("drift_reference", version=version["name"], into=version["slot"])
    content = rows[0]["content"] if rows else None
    if not isinstance(content, bytes):
        raise NotReady(
            f"version {quoted(version['name'])} does not store the distributions of its training; "
            "type: kinfolio export, kinfolio train and kinfolio writeback"
        )
    return reference_from_bytes(content)


def _recipe(graph: Graph, version: dict[str, Any]) -> Recipe | None:
    """Return the recipe of a version; None if it has none that is whole."""
    content = read_content(graph, version)
    return None if content is None else recipe_from_bytes(content)
