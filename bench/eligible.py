"""Hit rate and MRR where each event has its own list of candidates.

    python bench/eligible.py FOLDER --run RUN

FOLDER holds interactions.tsv.gz with columns user, product, event and split, and eligible.tsv.gz
with columns event and product. RUN was trained with --final on FOLDER.
kinfolio never recommends held products, so they rank last. HR@3 is the fraction of events with a
purchase among the three best candidates, MRR@3 the mean reciprocal rank of the first purchase, 0
below the third. The baselines are popularity, and popularity with held products last.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kinfolio.gnn.data import interactions_of
from kinfolio.gnn.evaluation.bootstrap import intervals
from kinfolio.gnn.evaluation.recommender import EmbeddingModel
from kinfolio.gnn.training.train import read_embeddings
from kinfolio.run import Run
from kinfolio.snapshot import read_snapshot

K = 3
_MOST_USERS = 1024
_LAST = -1e9


def main() -> None:
    """Measure one run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--run", type=Path, required=True)
    options = parser.parse_args()
    rows = pd.read_csv(options.folder / "interactions.tsv.gz", sep="\t", dtype=str)
    lists = pd.read_csv(options.folder / "eligible.tsv.gz", sep="\t", dtype=str)
    bought = rows[rows["split"] == "test"]
    lists = lists.merge(bought[["event", "user"]].drop_duplicates(), on="event")
    pairs = bought[["event", "product"]].assign(bought=True).drop_duplicates()
    lists = lists.merge(pairs, on=["event", "product"], how="left")
    training = rows[rows["split"] != "test"]

    run = Run(options.run)
    snapshot, embeddings = read_snapshot(run.need_snapshot()), read_embeddings(run)
    user = pd.Index(snapshot.user_ids).get_indexer(pd.Index(lists["user"]))
    product = pd.Index(snapshot.product_ids).get_indexer(pd.Index(lists["product"]))
    interactions = csr_array(
        interactions_of(snapshot, "train") + interactions_of(snapshot, "valid")
    )
    score = EmbeddingModel(embeddings).fit(interactions).score
    scores = np.full(len(lists), -np.inf)
    for first in range(0, snapshot.num_users, _MOST_USERS):
        users = np.arange(first, min(first + _MOST_USERS, snapshot.num_users))
        chosen = np.flatnonzero((user >= first) & (user < first + _MOST_USERS) & (product >= 0))
        block = score(users).cpu().numpy()
        block[interactions[users].nonzero()] = _LAST
        scores[chosen] = block[user[chosen] - first, product[chosen]]

    purchases = lists["product"].map(training["product"].value_counts())
    popularity = np.array(purchases.fillna(0), np.float64)
    by = {
        "kinfolio": _figures(lists, scores),
        "popularity": _figures(lists, popularity),
        "popularity, held last": _figures(lists, np.where(scores == _LAST, _LAST, popularity)),
    }
    is_warm = _first_of(lists)["user"].isin(training["user"]).to_numpy()
    groups = {"all": np.ones(len(is_warm), np.bool_), "warm": is_warm, "new": ~is_warm}
    for group, mask in groups.items():
        print(f"{group}: {mask.sum():,} events")
        for name, figures in by.items():
            hit, reciprocal = figures[mask].mean(axis=0)
            print(f"  {name:<22} HR@{K} {hit:.4f}  MRR@{K} {reciprocal:.4f}")
        for other in list(by)[1:]:
            found = intervals(by["kinfolio"][mask] - by[other][mask])
            for name, each in zip(("HR", "MRR"), found, strict=True):
                gain = f"{each.difference:+.4f} ({each.low:+.4f} to {each.high:+.4f})"
                print(f"  {name}@{K} minus {other}: {gain}")


def _first_of(lists: pd.DataFrame) -> pd.DataFrame:
    return lists.drop_duplicates("event").sort_values("event", kind="stable")


def _figures(lists: pd.DataFrame, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hit and reciprocal rank of each event: float64, shape (num_events, 2)."""
    ranked = lists.assign(score=scores).sort_values(
        ["event", "score", "product"], ascending=[True, False, True], kind="stable"
    )
    rank = ranked.groupby("event", sort=False).cumcount().to_numpy() + 1
    gained = np.where(ranked["bought"].notna() & (rank <= K), 1 / rank, 0.0)
    reciprocal = pd.Series(gained).groupby(ranked["event"].to_numpy()).max()
    return np.stack([reciprocal > 0, reciprocal], axis=1).astype(float)


if __name__ == "__main__":
    main()
