"""A small trained run, made without a server."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.train import train
from kinfolio.records import NO_TIME, Edges, Reviews, Snapshot
from kinfolio.run import Run
from kinfolio.snapshot import with_hash, write_snapshot

NUM_USERS, NUM_PRODUCTS, HELD = 60, 30, 5
OPTIONS = ("--steps", "60", "--dim", "8", "--tau", "0.3", "--heads", "1", "--batch", "64")
TRAIN = (*OPTIONS, "--text", "off", "--edge-dropout", "0", "--run", "run")
"""Options that train as `make_run` does."""


def make_run(folder: Path, seed: int = 0) -> Run:
    """Write a snapshot and train on it."""
    run = Run(folder)
    write_snapshot(make_snapshot(seed), run.snapshot)
    config = TrainConfig(steps=60, dim=8, tau=0.3, heads=1, batch=64, text="off", edge_dropout=0.0)
    train(run, config, cache=folder / "texts.sqlite")
    return run


def make_snapshot(seed: int = 0) -> Snapshot:
    """Return a random graph; every sixth holding is held out."""
    rng = np.random.default_rng(seed)
    source = np.repeat(np.arange(NUM_USERS), HELD)
    target = np.concatenate(
        [np.sort(rng.choice(NUM_PRODUCTS, HELD, replace=False)) for _ in range(NUM_USERS)]
    )
    split = np.arange(len(source)) % 6 % 5 // 4 + np.arange(len(source)) % 6 // 5 * 2
    nothing = np.zeros(0, np.int32)
    return with_hash(
        Snapshot(
            user_ids=tuple(f"u{row}" for row in range(NUM_USERS)),
            product_ids=tuple(f"p{row}" for row in range(NUM_PRODUCTS)),
            user_gids=np.arange(NUM_USERS),
            product_gids=np.arange(NUM_PRODUCTS),
            product_names=tuple(f"Product {row}" for row in range(NUM_PRODUCTS)),
            product_texts=tuple(f"Product {row}. Fund" for row in range(NUM_PRODUCTS)),
            holdings=_edges(source, target, split),
            ties=_edges(nothing, nothing, nothing),
            reviews=Reviews(
                user=nothing,
                product=nothing,
                at=np.zeros(0, np.int64),
                text=(),
                describes_user=np.zeros(0, np.bool_),
                describes_product=np.zeros(0, np.bool_),
            ),
            cut=NO_TIME,
            hash="",
        )
    )


def _edges(
    source: NDArray[np.integer], target: NDArray[np.integer], split: NDArray[np.integer]
) -> Edges:
    return Edges(
        source=source.astype(np.int32),
        target=target.astype(np.int32),
        split=split.astype(np.int8),
        at=np.full(len(source), NO_TIME),
        rating=np.full(len(source), np.nan, np.float32),
    )
