"""What a version keeps about its origin: loads, graph, run, encoder, and who wrote it.

The properties are read by `kinfolio.gnn.publishing.lineage`. Hashes are SHA-256 in hexadecimal
digits, that of the graph is the one of `kinfolio db hash`.
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.graph_hash import graph_hash
from kinfolio.environment import approval_is_required
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.recipe import from_bytes
from kinfolio.records import Progress
from kinfolio.run import Run
from kinfolio.storage.document import checksum

Facts = dict[str, Any]
"""Any: properties of a version's node; None: not stored."""


def version_facts(
    graph: Graph, embeddings: Embeddings, run: Run | None, by: str, progress: Progress
) -> Facts:
    """Return the properties of a new version that say where it comes from.

    `run`: the run of the embeddings, None if they are of none; `by`: who writes the version.
    """
    return {
        "written_by": by,
        "awaits_approval": approval_is_required() or None,
        "kinfolio": version("kinfolio"),
        # A graph with other names has properties that no statement can name.
        "graph_hash": None if graph.mapping else graph_hash(graph, progress=progress),
        **_loads(graph),
        **(_of_run(run) if run is not None else {}),
        **_encoder(embeddings),
    }


def _loads(graph: Graph) -> Facts:
    """Return the loads since the last one that replaced everything; a mapped graph has none."""
    if graph.mapping is not None:
        return {}
    history = [row["load"] for row in graph.read("load_history")]
    first = max((place for place, one in enumerate(history) if one["replaces"]), default=0)
    history = history[first:]
    if not history:
        return {}
    changed = graph.read("load_history_changed", since=history[-1]["ended"])[0]["nodes"]
    return {"loads": json.dumps(history), "changed_since_load": changed}


def _of_run(run: Run) -> Facts:
    info = run.need_info()
    sums = info.get("checksums", {})
    return {
        "run": str(run.folder.absolute()),
        "run_host": platform.node(),
        "run_hash": checksum(run.info),
        "model_hash": sums.get(run.model.name) or checksum(run.model),
        "config": json.dumps(info["config"]),
        "trained_with": json.dumps(info["versions"]),
    }


def _encoder(embeddings: Embeddings) -> Facts:
    """Return name and hash of the encoder whose vectors the model takes, if it takes texts."""
    if not len(embeddings.recipe):
        return {}
    texts = from_bytes(embeddings.recipe.tobytes()).texts
    if texts is None:
        return {"encoder": ""}
    return {"encoder": texts.encoder, "encoder_hash": texts.weights or None}
