"""Products loaded after the write-back, against the same products present at the training.

    python bench/refreshing/new_products.py ../shared/data/lastfm_cold --home /tmp/new --steps 300

Trains twice with the same settings: without the products that only `test` has, which are then
loaded beside the served version, and with them. Prints recall of the unseen products by both, and
the seconds until the loaded products have vectors. Works in a home of its own, whose graph is
deleted.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.cypher.schema import create_schema
from kinfolio.cypher.server.server import Server
from kinfolio.gnn.data import interactions_of
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.evaluation.metrics import groups_of
from kinfolio.gnn.evaluation.recommender import EmbeddingModel, link_matrix
from kinfolio.gnn.new_products.adding import add_new_products
from kinfolio.gnn.publishing.version_check import check_versions
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.ranking import recall_and_ndcg
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.train import read_embeddings, train
from kinfolio.loaders import export, load
from kinfolio.records import Connection, Slot, Snapshot
from kinfolio.run import Run
from kinfolio.snapshot import read_snapshot

TABLES = ("interactions", "products", "reviews", "ties")
GROUPS = ("unseen", "unseen_among_all", "seen")
K = 20


def rows_of(folder: Path, table: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a table; none without the file."""
    file = folder / f"{table}.tsv.gz"
    if file.is_file():
        with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def only_in_test(folder: Path) -> set[str]:
    """Return the products that have interactions in `test` and nowhere else."""
    splits: dict[str, set[str]] = {}
    for row in rows_of(folder, "interactions"):
        splits.setdefault(row["product"], set()).add(row["split"])
    return {product for product, found in splits.items() if found == {"test"}}


def write_without(folder: Path, out: Path, products: set[str]) -> None:
    """Copy a folder without some products."""
    out.mkdir(parents=True)
    for table in TABLES:
        rows = [row for row in rows_of(folder, table) if row.get("product") not in products]
        if rows:
            with (out / f"{table}.tsv").open("w", encoding="utf-8", newline="") as file:
                file.write("\t".join(rows[0]) + "\n")
                file.writelines("\t".join(row.values()) + "\n" for row in rows)


def empty(connection: Connection) -> None:
    """Delete the graph and its vector indexes."""
    with open_driver(connection) as driver, driver.session() as session:
        session.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS").consume()
        for row in session.run("SHOW VECTOR INDEXES YIELD name").data():
            session.run(f"DROP INDEX {row['name']}").consume()


def served(graph: Graph, trained: Embeddings, snapshot: Snapshot) -> Embeddings:
    """Return the active version as it is in the graph, in the order of a snapshot with more."""
    slot = check_slot(graph)
    stored: dict[int, list[float]] = {}
    after = -1
    while page := graph.read("version_products_page", slot=slot, after=after, size=5_000):
        stored |= {row["gid"]: row["vector"] for row in page}
        after = page[-1]["gid"]
    rows = np.array([stored[int(gid)] for gid in snapshot.product_gids], np.float32)
    users = np.zeros((snapshot.num_users, trained.user_vectors.shape[1]), np.float32)
    place = {user: row for row, user in enumerate(snapshot.user_ids)}
    for row, user in enumerate(trained.user_ids):
        users[place[user]] = trained.user_vectors[row]
    column = {product: row for row, product in enumerate(snapshot.product_ids)}
    move = np.array([column[product] for product in trained.product_ids])
    links = link_matrix(trained).tocoo()
    size = snapshot.num_products
    moved = (links.data, (move[links.coords[0]], move[links.coords[1]]))
    matrix = type(link_matrix(trained))(moved, shape=(size, size))
    return replace(
        trained,
        product_ids=snapshot.product_ids,
        product_vectors=rows[:, :-2],
        bias=rows[:, -2],
        user_ids=snapshot.user_ids,
        user_vectors=users,
        link_offsets=matrix.indptr.astype(np.int64),
        link_products=matrix.indices.astype(np.int32),
        link_weights=matrix.data.astype(np.float32),
    )


def check_slot(graph: Graph) -> Slot:
    """Return the slot of the active version, all of whose checks must hold."""
    for report in check_versions(graph):
        assert report.ok, report.checks
    active = (row["version"] for row in graph.read("version_list"))
    return next("a" if one["slot"] == "a" else "b" for one in active if one["state"] == "active")


def quality(embeddings: Embeddings, snapshot: Snapshot) -> dict[str, tuple[float, float, int]]:
    """Return recall and NDCG of each group, and its number of users."""
    interactions = interactions_of(snapshot, "train")
    model = EmbeddingModel(embeddings).fit(interactions)
    groups = groups_of(interactions, interactions_of(snapshot, "test"))
    found = {}
    for name in GROUPS:
        group = groups[name]
        scores = model.score(group.users).numpy().copy()
        scores[interactions[group.users].nonzero()] = -np.inf
        if group.candidates is not None:
            scores[:, ~group.candidates] = -np.inf
        best = torch.from_numpy(scores).topk(K, dim=1).indices.numpy()
        targets = group.held_out[group.users].toarray() > 0
        recall, ndcg = recall_and_ndcg(
            np.take_along_axis(targets, best, axis=1), targets.sum(axis=1).astype(np.int64)
        )
        found[name] = float(recall.mean()), float(ndcg.mean()), len(group.users)
    return found


def main() -> None:
    """Train twice and print one line of JSON a step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--reviews", type=int, default=8)
    parser.add_argument("--tau", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    config = TrainConfig(
        dim=64,
        heads=1,
        steps=options.steps,
        tau=options.tau,
        text="on",
        cold=0.3,
        edge_dropout=0.0,
        reviews=options.reviews,
        seed=options.seed,
        device="cpu",
    )
    work = options.home / "work"
    shutil.rmtree(work, ignore_errors=True)
    cache = options.home / "cache" / "texts.sqlite"
    products = only_in_test(options.folder)
    write_without(options.folder, work / "before", products)
    connection = Server(options.home).start(print)
    empty(connection)
    before, after = Run(work / "run_before"), Run(work / "run_after")
    with Graph(connection) as graph:
        create_schema(graph)
        load(graph, work / "before")
        export(graph, before.snapshot)
        train(before, config, cache=cache)
        write_back(graph, read_embeddings(before), name="before")
        load(graph, options.folder)
        started = time.perf_counter()
        found = add_new_products(graph, cache)
        print(
            json.dumps(
                {
                    "new": len(products),
                    "added": found[0].added,
                    "seconds": round(time.perf_counter() - started, 1),
                }
            )
        )
        export(graph, after.snapshot)
        snapshot = read_snapshot(after.snapshot)
        later = served(graph, read_embeddings(before), snapshot)
    train(after, config, cache=cache)
    for name, one in (("loaded later", later), ("present", read_embeddings(after))):
        print(json.dumps({"products": name, **quality(one, snapshot)}), flush=True)


if __name__ == "__main__":
    main()
