"""Training beside LightGCN: CPU seconds an epoch, and how time and memory grow with the data.

    python bench/training.py --run runs/gowalla
    python bench/training.py --steps scale --sizes 100000,1000000,20000000

An epoch is as many steps as show every training holding once. Beside kinfolio's head stand PyG's
own `LightGCN` on an `edge_index`, as its users write it, and the same model with a product by
torch's CSR matrix. Each is timed with the batch it is usually given (2,048 is that of the paper,
He et al., SIGIR 2020) and with kinfolio's, all with the same width, layers and threads, in CPU
seconds of this process. What grows with the data is told of a step, since a training has as many
steps whatever the data. `--until` trains kinfolio's heads until they reach a Recall@20 on `test`
and says what that took, then the others for `--factor` times as long, or until they are there,
too; no choice is made by it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch_geometric.nn import LightGCN

from kinfolio.gnn.blend.links import CommonHolders
from kinfolio.gnn.data import TrainingData, held_in, training_data
from kinfolio.gnn.model.svd_init import SvdStart
from kinfolio.gnn.ranking import Quality, ScoreBlock, dot_scores, figures_of
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.head_trainer import fit_head, score_with
from kinfolio.gnn.training.memory import kept_memory
from kinfolio.records import NO_TIME, Edges, Reviews, Snapshot
from kinfolio.run import Run
from kinfolio.snapshot import read_snapshot

CPU = torch.device("cpu")
USUAL_BATCH = 2048
USUAL_RATE = 1e-3
USUAL_WIDTH = 64
LAYERS = 3
TIMED_STEPS = 4


@kept_memory()
def our_step(data: TrainingData, config: TrainConfig) -> float:
    """CPU seconds of one step of a head, without what is done once."""
    start = SvdStart(data.held, config.dim)
    start(config.dim, 0)
    spent = []
    for steps in (2, 2 + 5 * TIMED_STEPS):
        started = time.process_time()
        fit_head(data, None, config, start=start, tau=0.15, seed=0, steps=steps, stop_at=steps)
        spent.append(time.process_time() - started)
    return (spent[1] - spent[0]) / (5 * TIMED_STEPS)


Embed = Callable[[], Tensor]
"""Vectors of all nodes, users first."""


def pyg_model(data: TrainingData, width: int) -> tuple[Embed, list[torch.nn.Parameter]]:
    """PyG's LightGCN."""
    user = torch.from_numpy(data.user.astype(np.int64))
    product = torch.from_numpy(data.product.astype(np.int64)) + data.num_users
    edges = torch.stack([torch.cat([user, product]), torch.cat([product, user])])
    model = LightGCN(data.num_users + data.num_products, width, LAYERS)
    return lambda: model.get_embedding(edges), list(model.parameters())


def csr_model(data: TrainingData, width: int) -> tuple[Embed, list[torch.nn.Parameter]]:
    """LightGCN by torch's product of a CSR matrix."""
    table = torch.nn.Parameter(torch.randn(data.num_users + data.num_products, width) * 0.1)

    def embed() -> Tensor:
        layer, total = table, table / (LAYERS + 1)
        for _ in range(LAYERS):
            layer = data.matrix @ layer
            total = total + layer / (LAYERS + 1)
        return total

    return embed, [table]


OTHERS = {"PyG LightGCN": pyg_model, "LightGCN by CSR": csr_model}


def step_of(
    data: TrainingData, batch: int, embed: Embed, parameters: list[torch.nn.Parameter], rate: float
) -> Callable[[], None]:
    """A step of Bayesian personalised ranking with Adam, as the paper has it."""
    rng = np.random.default_rng(0)
    optimizer = torch.optim.Adam(parameters, lr=rate)

    def step() -> None:
        chosen = rng.integers(0, len(data.user), batch)
        rows = embed()
        ahead = rows[torch.from_numpy(data.user[chosen].astype(np.int64))]
        right = rows[torch.from_numpy(data.product[chosen].astype(np.int64)) + data.num_users]
        wrong = rows[torch.from_numpy(rng.integers(0, data.num_products, batch)) + data.num_users]
        loss = -torch.nn.functional.logsigmoid((ahead * (right - wrong)).sum(dim=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def seconds_of(step: Callable[[], None]) -> float:
    """CPU seconds of a step, without the first."""
    step()
    started = time.process_time()
    for _ in range(TIMED_STEPS):
        step()
    return (time.process_time() - started) / TIMED_STEPS


def bench_epoch(snapshot: Snapshot, width: int) -> None:
    """CPU seconds an epoch of all three."""
    data = training_data(snapshot, CPU)
    config = TrainConfig(dim=width)
    holdings, ours = len(data.user), config.batch_size(len(data.user))
    mine = our_step(data, config) * holdings / ours
    print(f"{holdings:,} holdings, {width} wide, {torch.get_num_threads()} threads")
    print(f"kinfolio, a head, batch {ours:,}: {mine:.1f} CPU s an epoch", flush=True)
    for name, model in OTHERS.items():
        for batch in (USUAL_BATCH, ours):
            step = step_of(data, batch, *model(data, width), USUAL_RATE)
            other = seconds_of(step) * holdings / batch
            print(
                f"{name}, batch {batch:,}: {other:.1f} CPU s an epoch, {other / mine:.1f} x",
                flush=True,
            )


@kept_memory()
def bench_until(snapshot: Snapshot, wanted: float, factor: float) -> None:
    """CPU seconds until a Recall@20 on `test` is reached; the others get `factor` times as many."""
    data = training_data(snapshot, CPU, with_valid=True)
    test = held_in(snapshot, "test")
    config = TrainConfig(dim=128)

    def recall_of(score: ScoreBlock) -> float:
        return Quality.of(figures_of(score, data.held, test, most=10**9)).recall

    for steps in (75, 100, 150, 200, 300, 400, 600):
        started = time.process_time()
        start = SvdStart(data.held, config.dim)
        head = fit_head(
            data, None, config, start=start, tau=0.1, seed=0, steps=steps, stop_at=steps
        ).head
        ours = time.process_time() - started
        reached = recall_of(score_with([head], data.matrix))
        print(f"kinfolio, a head, {steps} steps: {ours:.0f} CPU s, recall@20 {reached:.4f}")
        if reached >= wanted:
            break
    batch = config.batch_size(len(data.user))
    for name, model in OTHERS.items():
        embed, parameters = model(data, USUAL_WIDTH)
        # The larger batch and rate, which get further in the same time.
        step = step_of(data, batch, embed, parameters, 5 * USUAL_RATE)
        spent, done, next_look = 0.0, 0, 1.0
        while spent < factor * ours:
            started = time.process_time()
            step()
            spent, done = spent + time.process_time() - started, done + 1
            if spent < next_look * ours and spent < factor * ours:
                continue
            next_look *= 1.5
            with torch.no_grad():
                rows = embed().numpy()
            reached = recall_of(dot_scores(*np.split(rows, [data.num_users])))
            epochs = done * batch / len(data.user)
            print(
                f"{name}, {epochs:.1f} epochs: {spent:.0f} CPU s ({spent / ours:.1f} x), "
                f"recall@20 {reached:.4f}",
                flush=True,
            )
            if reached >= wanted:
                break


def bench_scale(sizes: list[int]) -> None:
    """Time and memory of a head of 64 and of links, by the number of holdings."""
    rows = []
    for size in sizes:
        told = subprocess.run(
            [sys.executable, __file__, "--one-size", str(size)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        rows.append(json.loads(told.splitlines()[-1]))
        print(
            f"{size:,} holdings, {rows[-1]['users']:,} users, {rows[-1]['products']:,} products: "
            f"start {rows[-1]['start']:.1f}, a step {rows[-1]['step']:.3f}, "
            f"links {rows[-1]['links']:.1f} CPU s, "
            f"peak {rows[-1]['peak_mb']:,.0f} MB",
            flush=True,
        )
    for what in ("start", "step", "links", "peak_mb"):
        slope = np.polyfit(np.log(sizes), np.log([row[what] for row in rows]), 1)[0]
        print(f"{what} grows with the power {slope:.2f} of the holdings")


def one_size(size: int) -> None:
    """Start, step and links of made-up data, measured in this process."""
    import resource

    data = training_data(make_snapshot(size), CPU)
    config = TrainConfig(dim=64)
    started = time.process_time()
    SvdStart(data.held, config.dim)(config.dim, 0)
    start = time.process_time() - started
    step = our_step(data, config)
    started = time.process_time()
    links = CommonHolders(data.held).ridge(0.0, (10.0,))
    spent = time.process_time() - started
    assert links[10.0].nnz
    print(
        json.dumps(
            {
                "users": data.num_users,
                "products": data.num_products,
                "start": start,
                "step": step,
                "links": spent,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def make_snapshot(size: int) -> Snapshot:
    """Some 30 holdings a user, products of very different popularity in clusters."""
    rng = np.random.default_rng(0)
    users, products = size // 30, max(1000, size // 100)
    cluster = rng.integers(0, 50, users)
    user = np.repeat(np.arange(users), rng.poisson(33, users) + 1)
    rank = (products / 50 * rng.random(len(user)) ** 2.5).astype(np.int64)
    own = np.where(rng.random(len(user)) < 0.8, cluster[user], rng.integers(0, 50, len(user)))
    keys = np.unique(user * products + np.minimum(rank * 50 + own, products - 1))
    keys = np.sort(rng.permutation(keys)[:size])
    count = len(keys)
    nothing = np.zeros(0, np.int32)
    edges = Edges(
        source=(keys // products).astype(np.int32),
        target=(keys % products).astype(np.int32),
        split=np.zeros(count, np.int8),
        at=np.full(count, NO_TIME),
        rating=np.full(count, np.nan, np.float32),
    )
    none = Edges(
        source=nothing,
        target=nothing,
        split=nothing.astype(np.int8),
        at=nothing.astype(np.int64),
        rating=nothing.astype(np.float32),
    )
    return Snapshot(
        user_ids=tuple(map(str, range(users))),
        product_ids=tuple(map(str, range(products))),
        user_gids=np.arange(users),
        product_gids=np.arange(products),
        product_names=("",) * products,
        product_texts=("",) * products,
        holdings=edges,
        ties=none,
        reviews=Reviews(
            user=nothing,
            product=nothing,
            at=nothing.astype(np.int64),
            text=(),
            describes_user=nothing.astype(bool),
            describes_product=nothing.astype(bool),
        ),
        cut=NO_TIME,
        hash=f"made up, {size}",
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--run", type=Path, help="a run with a snapshot; without: made-up data")
    parser.add_argument("--holdings", type=int, default=1_000_000, help="of made-up data")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--until", type=float, help="a Recall@20 on test to reach, for --run")
    parser.add_argument("--factor", type=float, default=10, help="time of the others, for --until")
    parser.add_argument("--sizes", default="100000,300000,1000000,3000000")
    parser.add_argument("--steps", default="epoch", help="some of: epoch, scale")
    parser.add_argument("--one-size", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_flush_denormal(True)
    if options.one_size:
        one_size(options.one_size)
        return
    steps = options.steps.split(",")
    if "epoch" in steps:
        snapshot = (
            read_snapshot(Run(options.run).need_snapshot())
            if options.run
            else make_snapshot(options.holdings)
        )
        bench_epoch(snapshot, options.width)
        if options.until:
            bench_until(snapshot, options.until, options.factor)
    if "scale" in steps:
        bench_scale([int(size) for size in options.sizes.split(",")])


if __name__ == "__main__":
    main()
