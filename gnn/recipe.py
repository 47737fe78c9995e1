"""The recipe of a version: all that computes a product without interactions as the model does.

It is stored in the model file and with the version in the graph, as the bytes of a safetensors
file. `docs/model.md` has the formulas.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.errors import RunBroken
from kinfolio.gnn.text.projection import TextProjection

_FORMAT = 1
_TEXT_ARRAYS = ("means", "mixed_mean", "text_mean", "axes")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recipe:
    """What a product that no one held in the training is computed from."""

    dim: int
    """Width of a block."""
    taus: tuple[float, ...]
    """Temperature of each head."""
    gates: NDArray[np.float32]
    """Shape (heads, kinds); weight of each kind of text. 0 kinds: the heads take no texts."""
    turns: NDArray[np.float32]
    """Shape (heads, dim, dim); from texts to inputs. 0 heads: the heads take no texts."""
    block: float | None
    """Weight of the text block for products without interactions; None: there is no such block."""
    reviewers: float
    """Weight of the sum of the reviewers' unit vectors."""
    bias: float
    """The popularity term of such a product."""
    texts: TextProjection | None
    """None: neither the heads nor a block take texts."""

    @property
    def num_blocks(self) -> int:
        """Number of blocks of a vector."""
        return len(self.taus) + (self.block is not None)

    @property
    def square(self) -> float:
        """Squared length of the vector and bias of a product without reviewers."""
        of_heads = sum(1 / tau**2 for tau in self.taus if len(self.turns))
        return of_heads + (self.block or 0.0) ** 2 + self.bias**2


def to_bytes(recipe: Recipe) -> bytes:
    """Return a recipe as the bytes of a safetensors file."""
    from safetensors.numpy import save

    arrays: dict[str, NDArray[Any]] = {"gates": recipe.gates, "turns": recipe.turns}
    header: dict[str, Any] = {
        "format": _FORMAT,
        "dim": recipe.dim,
        "taus": recipe.taus,
        "block": recipe.block,
        "reviewers": recipe.reviewers,
        "bias": recipe.bias,
    }
    if (texts := recipe.texts) is not None:
        arrays |= {name: getattr(texts, name) for name in _TEXT_ARRAYS}
        header |= {
            "encoder": texts.encoder,
            "weights": texts.weights,
            "most": texts.most,
            "kinds": texts.kinds,
        }
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return save(arrays, metadata={"recipe": json.dumps(header)})


def from_bytes(content: bytes) -> Recipe:
    """Read a recipe.

    Raises:
        RunBroken: it is damaged or of another version.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(content)
        size = int.from_bytes(content[:8], "little")
        header = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["recipe"])
        if header["format"] != _FORMAT:
            raise ValueError(f"format {header['format']}")
        texts = None
        if "encoder" in header:
            texts = TextProjection(
                encoder=header["encoder"],
                weights=header["weights"],
                most=header["most"],
                kinds=tuple(header["kinds"]),
                **{name: arrays[name] for name in _TEXT_ARRAYS},
            )
        return Recipe(
            dim=header["dim"],
            taus=tuple(header["taus"]),
            gates=arrays["gates"],
            turns=arrays["turns"],
            block=header["block"],
            reviewers=header["reviewers"],
            bias=header["bias"],
            texts=texts,
        )
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise RunBroken(
            f"the recipe for new products is damaged ({error}); type: kinfolio writeback"
        ) from error


def read_content(graph: Graph, version: Mapping[str, Any]) -> bytes | None:
    """Return the bytes of a version's recipe; None if missing, or not as they were written.

    `version` has the properties of the version's node.
    """
    rows = graph.read("version_recipe", version=version["name"], into=version["slot"])
    content = rows[0]["content"] if rows else None
    is_whole = isinstance(content, bytes) and (
        sha256(content).hexdigest() == version.get("hash_recipe")
    )
    return content if is_whole else None
