"""A graph of six tastes, whose model is learned in a second, as files and as a served version."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.train import read_embeddings, train
from kinfolio.loaders import export, load
from kinfolio.run import Run

USERS, PRODUCTS, TASTES = 240, 120, 6
CONFIG = TrainConfig(
    dim=8,
    heads=1,
    steps=100,
    tau=0.3,
    batch=128,
    text="off",
    cold=0.0,
    edge_dropout=0.0,
    device="cpu",
)


def rows(*, has_valid: bool = True) -> Iterator[str]:
    """Each user holds nine products of a taste, one of them in `valid`."""
    rng = random.Random(0)
    for user in range(USERS):
        # The first products of a taste are held more often.
        order = sorted(taste_of(user), key=lambda product: int(product[1:]) * rng.random())
        for place, product in enumerate(rng.sample(order[:9], 9)):
            split = "valid" if has_valid and place == 0 else "train" if has_valid else ""
            yield f"u{user:03}\t{product}\t{split}"


def taste_of(user: int) -> list[str]:
    """Return the products of the taste of a user."""
    return [f"p{number:03}" for number in range(user % TASTES, PRODUCTS, TASTES)]


def write_files(folder: Path, lines: list[str]) -> Path:
    """Write the interactions; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(["user\tproduct\tsplit", *lines]) + "\n"
    (folder / "interactions.tsv").write_text(text, "utf-8")
    return folder


def serve(graph: Graph, folder: Path, *, has_valid: bool = True, name: str = "one") -> Run:
    """Load the files, train and write back; returns the run."""
    load(graph, write_files(folder / "files", list(rows(has_valid=has_valid))))
    run = Run(folder / "run")
    export(graph, run.snapshot)
    train(run, CONFIG, cache=folder / "texts")
    write_back(graph, read_embeddings(run), name=name)
    return run
