"""The model file (safetensors) of a run: embeddings, and the parameters of the heads.

What is read is checked: the checksum in `run.json`, types and shapes, and that all numbers are
finite.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.errors import RunBroken, shell_command
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.os_errors import refusal
from kinfolio.run import Run
from kinfolio.storage.document import checksum, unless_replaced
from kinfolio.storage.run_info import RunInfo

_STORED_NAMES = {"user_fingerprints": "user_counted", "global_user": "general"}
"""Names in the file, where they differ from those of the fields."""
HELD_BACK = "held_back"
"""Array of the keys of held-back interactions; see `kinfolio.gnn.data.pair_keys`."""
_SINGLE = {"heads": int, "dim": int, "tie_weight": float, "model": str, "metrics": str}
_SHAPES = {
    "user_gids": ("int64", "users"),
    "product_gids": ("int64", "products"),
    "user_fingerprints": ("int64", "users"),
    "user_vectors": ("float32", "users", "width"),
    "product_vectors": ("float32", "products", "width"),
    "bias": ("float32", "products"),
    "global_user": ("float32", "width"),
    "user_own": ("float32", "users", "width"),
    "user_messages": ("float32", "users", "width"),
    "product_messages": ("float32", "products", "width"),
    "link_offsets": ("int64", "offsets"),
    "link_products": ("int32", "links"),
    "link_weights": ("float32", "links"),
    "recipe": ("uint8", "recipe"),
    "reference": ("uint8", "reference"),
}
"""Type and shape of each array of `Embeddings`."""


def read_model(run: Run) -> tuple[RunInfo, Embeddings]:
    """Return `run.json` and the embeddings of a finished training, checked against each other.

    Raises:
        NotReady: the run was not trained.
        RunBroken: training was interrupted, or a file is damaged or of another run.
    """
    return unless_replaced(lambda: _read_verified(run), run.info)


def _read_verified(run: Run) -> tuple[RunInfo, Embeddings]:
    info, cure = run.need_info(), f"type: {shell_command('train', '--run', run.folder)}"
    expected = info.get("checksums", {}).get(run.model.name)
    if expected is not None and checksum(run.model) != expected:
        raise RunBroken(
            f"{run.model} is damaged and cannot be read as a model (its checksum is not the one in "
            f"{run.info.name}: it was changed, or is of another run); {cure}"
        )
    embeddings = load_embeddings(run.model)
    if embeddings.snapshot != info["data"]["snapshot"]:
        raise RunBroken(f"{run.model} is of another run than {run.info.name}; {cure}")
    return info, embeddings


def read_validated(run: Run) -> tuple[Embeddings, NDArray[np.int64]]:
    """Return the model before the last fit, and the keys of the interactions it held back.

    Raises:
        RunBroken: a file is damaged.
    """
    info, cure = run.need_info(), f"type: {shell_command('train', '--run', run.folder)}"
    expected = info.get("checksums", {}).get(run.validated.name)
    if not run.validated.is_file() or checksum(run.validated) != expected:
        raise RunBroken(f"{run.validated} is missing or damaged; {cure}")
    from safetensors import safe_open

    with safe_open(run.validated, framework="numpy") as file:
        held_back: NDArray[np.int64] = file.get_tensor(HELD_BACK)
    return load_embeddings(run.validated), held_back


def load_embeddings(path: Path) -> Embeddings:
    """Read the embeddings of a model file.

    Raises:
        RunBroken: the file is damaged or of another version.
    """
    from safetensors import SafetensorError, safe_open

    values: dict[str, Any] = {}  # of any type, until it is checked
    try:
        with safe_open(path, framework="numpy") as file:
            header, arrays = file.metadata() or {}, set(file.keys())
            for item in fields(Embeddings):
                name = _STORED_NAMES.get(item.name, item.name)
                if name in header:
                    value = json.loads(header[name])
                    values[item.name] = tuple(value) if isinstance(value, list) else value
                elif name in arrays or not _has_default(item):
                    # An older model has the default of a newer field.
                    values[item.name] = file.get_tensor(name)
        if fault := _fault(values):
            raise ValueError(fault)
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        if found := refusal(error, path):
            raise found from error
        raise RunBroken(
            f"{path} is damaged and cannot be read as a model ({error}); "
            f"type: {shell_command('train', '--run', path.parent)}"
        ) from error
    return Embeddings(**values)


def save_embeddings(
    embeddings: Embeddings,
    path: Path,
    *,
    parameters: Mapping[str, NDArray[np.generic]] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a model file.

    Args:
        embeddings: what the graph will store.
        path: of the file.
        parameters: further arrays, such as the parameters of the heads.
        metadata: further entries of the header.
    """
    from safetensors.numpy import save_file

    arrays: dict[str, NDArray[np.generic]] = {}
    header: dict[str, str] = {}
    for item in fields(Embeddings):
        name, value = _STORED_NAMES.get(item.name, item.name), getattr(embeddings, item.name)
        if isinstance(value, np.ndarray):
            arrays[name] = np.ascontiguousarray(value)
        else:
            header[name] = json.dumps(value)
    save_file(arrays | dict(parameters or {}), path, metadata=header | dict(metadata or {}))


def _has_default(item: Field[Any]) -> bool:
    return not (item.default is MISSING and item.default_factory is MISSING)


def _fault(values: dict[str, Any]) -> str:
    """Return what is wrong with the fields of embeddings; "" if nothing is."""
    empty = np.zeros(0, np.uint8)
    values = {"cut": 0, "recipe": empty, "reference": empty, **values}
    for name, kind in (_SINGLE | {"snapshot": str, "cut": int}).items():
        if type(values[name]) is not kind:
            return f"{name} is no {kind.__name__}"
    for name in ("user_ids", "product_ids"):
        if type(values[name]) is not tuple or any(type(one) is not str for one in values[name]):
            return f"{name} are no texts"
    sizes = {
        "users": len(values["user_ids"]),
        "products": len(values["product_ids"]),
        "width": values["heads"] * values["dim"],
        "offsets": len(values["product_ids"]) + 1,
        "links": np.size(values["link_products"]),
        "recipe": np.size(values["recipe"]),
        "reference": np.size(values["reference"]),
    }
    for name, (number, *shape) in _SHAPES.items():
        found, expected = values[name], tuple(sizes[size] for size in shape)
        if not isinstance(found, np.ndarray):
            return f"{name} is no array"
        if (found.dtype, found.shape) != (number, expected):
            return f"{name} is {found.dtype} of shape {found.shape}, not {number} of {expected}"
        if not np.isfinite(found).all():
            return f"{name} has numbers that are not finite"
    offsets, links = values["link_offsets"], values["link_products"]
    if offsets[0] != 0 or offsets[-1] != len(links) or (np.diff(offsets) < 0).any():
        return "link_offsets do not fit the links"
    if len(links) and not 0 <= links.min() <= links.max() < sizes["products"]:
        return "link_products are out of range"
    return ""
