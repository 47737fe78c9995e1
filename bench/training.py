"""Training compared with LightGCN: CPU seconds per epoch, and growth of time and memory.

    python bench/training.py --run runs/gowalla
    python bench/training.py --steps scale --sizes 100000,1000000,20000000

An epoch shows every training holding once. The alternatives are PyG's `LightGCN` on an `edge_index`
and the same model with torch's CSR product, each with the batch of the paper (2,048; He et al.,
SIGIR 2020) and with kinfolio's; width and threads are equal. `--until` trains kinfolio's
heads until they reach a Recall@20 on `test`, then the alternatives for up to `--factor` times as
long; it makes no choice.
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
from lightgcn import OTHERS, make_snapshot, step_of

from kinfolio.gnn.blend.link_models import CoOccurrence
from kinfolio.gnn.data import TrainingData, interactions_of, training_data
from kinfolio.gnn.model.svd_init import SvdInit
from kinfolio.gnn.ranking import Quality, ScoreBlock, dot_scores, per_user_metrics
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.head_trainer import HeadTrainer, score_heads
from kinfolio.gnn.training.heads import HeadSpec, TrainedHead
from kinfolio.gnn.training.inputs import TrainingInputs, training_inputs
from kinfolio.gnn.training.memory import retain_freed_memory
from kinfolio.records import Snapshot
from kinfolio.run import Run
from kinfolio.snapshot import read_snapshot

CPU = torch.device("cpu")
PAPER_BATCH = 2048
PAPER_RATE = 1e-3
PAPER_WIDTH = 64
TIMED_STEPS = 4


def train_head(inputs: TrainingInputs, config: TrainConfig, tau: float, steps: int) -> TrainedHead:
    """Return a head without texts after as many steps, without validation."""
    spec = HeadSpec(
        role="bench",
        tau=tau,
        has_text=False,
        dim=config.dim,
        cold=0.0,
        seed=0,
        steps=steps,
        stop_at=steps,
    )
    return HeadTrainer(inputs, spec, config).run_until(steps)


@retain_freed_memory()
def our_step(data: TrainingData, config: TrainConfig) -> float:
    """Return the CPU seconds of one step of a head, without the set-up."""
    inputs = training_inputs(data, None, config, config.dim)
    inputs.initial_ids(config.dim, 0)
    spent = []
    for steps in (2, 2 + 5 * TIMED_STEPS):
        started = time.process_time()
        train_head(inputs, config, 0.15, steps)
        spent.append(time.process_time() - started)
    return (spent[1] - spent[0]) / (5 * TIMED_STEPS)


def seconds_of(step: Callable[[], None]) -> float:
    """Return the CPU seconds of a step, without the first one."""
    step()
    started = time.process_time()
    for _ in range(TIMED_STEPS):
        step()
    return (time.process_time() - started) / TIMED_STEPS


def bench_epoch(snapshot: Snapshot, width: int) -> None:
    """Print the CPU seconds per epoch of all three."""
    data = training_data(snapshot, CPU)
    config = TrainConfig(dim=width)
    holdings, own_batch = len(data.user), config.batch_size(len(data.user))
    own_seconds = our_step(data, config) * holdings / own_batch
    print(f"{holdings:,} holdings, {width} wide, {torch.get_num_threads()} threads")
    print(f"kinfolio, a head, batch {own_batch:,}: {own_seconds:.1f} CPU s per epoch", flush=True)
    for name, model in OTHERS.items():
        for batch in (PAPER_BATCH, own_batch):
            step = step_of(data, batch, *model(data, width), PAPER_RATE)
            other = seconds_of(step) * holdings / batch
            print(
                f"{name}, batch {batch:,}: {other:.1f} CPU s per epoch, "
                f"{other / own_seconds:.1f} x",
                flush=True,
            )


@retain_freed_memory()
def bench_until(snapshot: Snapshot, target: float, factor: float) -> None:
    """Print the CPU seconds until a Recall@20 on `test`; the others get `factor` times as many."""
    data = training_data(snapshot, CPU, with_valid=True)
    test = interactions_of(snapshot, "test")
    config = TrainConfig(dim=128)

    def recall_of(score: ScoreBlock) -> float:
        return Quality.mean(
            per_user_metrics(score, data.interactions, test, max_users=10**9)
        ).recall

    for steps in (75, 100, 150, 200, 300, 400, 600):
        started = time.process_time()
        inputs = training_inputs(data, None, config, config.dim)
        head = train_head(inputs, config, 0.1, steps).head
        own_seconds = time.process_time() - started
        reached = recall_of(score_heads([head], data.matrix))
        print(f"kinfolio, a head, {steps} steps: {own_seconds:.0f} CPU s, recall@20 {reached:.4f}")
        if reached >= target:
            break
    batch = config.batch_size(len(data.user))
    for name, model in OTHERS.items():
        embed, parameters = model(data, PAPER_WIDTH)
        # The larger batch and rate, which get further in the same time.
        step = step_of(data, batch, embed, parameters, 5 * PAPER_RATE)
        spent, done, next_evaluation = 0.0, 0, 1.0
        while spent < factor * own_seconds:
            started = time.process_time()
            step()
            spent, done = spent + time.process_time() - started, done + 1
            if spent < next_evaluation * own_seconds and spent < factor * own_seconds:
                continue
            next_evaluation *= 1.5
            with torch.no_grad():
                rows = embed().numpy()
            reached = recall_of(dot_scores(*np.split(rows, [data.num_users])))
            epochs = done * batch / len(data.user)
            print(
                f"{name}, {epochs:.1f} epochs: {spent:.0f} CPU s ({spent / own_seconds:.1f} x), "
                f"recall@20 {reached:.4f}",
                flush=True,
            )
            if reached >= target:
                break


def bench_scale(sizes: list[int]) -> None:
    """Print time and memory of a head of 64 and of links, by the number of holdings."""
    rows = []
    for size in sizes:
        done = subprocess.run(
            [sys.executable, __file__, "--one-size", str(size)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        rows.append(json.loads(done.splitlines()[-1]))
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
    """Print start, step and links of random data, measured in this process."""
    import resource

    data = training_data(make_snapshot(size), CPU)
    config = TrainConfig(dim=64)
    started = time.process_time()
    SvdInit(data.interactions, config.dim)(config.dim, 0)
    start = time.process_time() - started
    step = our_step(data, config)
    started = time.process_time()
    links = CoOccurrence(data.interactions).ridge(0.0, (10.0,))
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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--run", type=Path, help="a run with a snapshot; default: random data")
    parser.add_argument("--holdings", type=int, default=1_000_000, help="of random data")
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
