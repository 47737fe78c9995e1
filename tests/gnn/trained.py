"""Small trained runs with informative texts, without a server or a real encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinfolio.gnn.text.encoder import WIDTH
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.train import train
from kinfolio.records import Snapshot
from kinfolio.run import Run
from kinfolio.snapshot import with_hash, write_snapshot

SMALL = TrainConfig(dim=8, steps=60, text="on", tau=0.3, batch=64, heads=1, cold=0.3)


class Words:
    """An encoder that counts hashed words; ignores the model name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), WIDTH), np.float32)
        for row, text in enumerate(texts):
            for word in text.split():
                vectors[row, sum(map(ord, word)) % WIDTH] += 1
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1)
        return vectors


def with_texts(snapshot: Snapshot) -> Snapshot:
    """Give each product a text that names its taste."""
    half = (snapshot.num_products - 1) // 2
    texts = tuple(
        f"{'even' if row < half else 'odd'} number{row}" for row in range(snapshot.num_products)
    )
    return with_hash(replace(snapshot, product_texts=texts))


def run_of(folder: Path, snapshot: Snapshot) -> Run:
    """A run with a snapshot and no model."""
    run = Run(folder)
    write_snapshot(snapshot, run.snapshot)
    return run


def trained(folder: Path, snapshot: Snapshot, config: TrainConfig = SMALL) -> Run:
    run = run_of(folder / "run", snapshot)
    train(run, config, cache=folder / "texts", load=Words)
    return run
