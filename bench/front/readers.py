"""Concurrent readers of lists and explanations beside trainings."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock, Thread

from front.process import ServerProcess
from measure import percentile, report

LISTS = 0.75
"""Share of the calls; the others ask for an explanation of the list's first product."""


def measure_readers(server: ServerProcess, readers: int, seconds: int, run: Path) -> None:
    """Report errors, times and the server's CPU time of an answer."""
    users = server.users(100)
    times: dict[str, list[float]] = {"list": [], "explanation": []}
    errors: Counter[str] = Counter()
    lock = Lock()
    end = time.monotonic() + seconds

    def read(seed: int) -> None:
        rng = random.Random(seed)
        with server.client() as client:
            while time.monotonic() < end:
                path = f"/users/{rng.choice(users)}/recommendations"
                kind, product = "list", ""
                if rng.random() > LISTS:
                    kind = "explanation"
                    product = client.get(path, params={"k": 1}).json()["products"][0]["product"]
                started = time.perf_counter()
                answer = client.get(f"{path}/{product}" if product else path)
                taken = time.perf_counter() - started
                with lock:
                    times[kind].append(taken)
                    if answer.status_code != 200:
                        errors[f"{answer.status_code}: {answer.text[:200]}"] += 1

    before = server.cpu_seconds()
    with trainings(run) as started, ThreadPoolExecutor(readers) as pool:
        list(pool.map(read, range(readers)))
    answers = sum(map(len, times.values()))
    cpu = (server.cpu_seconds() - before) / answers * 1000
    for kind, found in times.items():
        report(
            f"{kind}: {len(found):,} answers, p50 {percentile(found, 50)} ms, p99 "
            f"{percentile(found, 99)} ms"
        )
    report(
        f"{readers} readers, {seconds} s: {sum(errors.values())} errors, server CPU {cpu:.1f} ms "
        f"an answer; trainings: {len(started)}, one after the other, all the time"
    )
    for text, number in errors.most_common(5):
        report(f"{number} x {text}")


@contextmanager
def trainings(run: Path) -> Iterator[list[float]]:
    """Train on a copy of a run's snapshot again and again; yield the times of the starts."""
    stop = Event()
    started: list[float] = []

    def train(folder: str) -> None:
        while not stop.is_set():
            started.append(time.monotonic())
            copy = Path(folder) / f"run{len(started)}"
            shutil.copytree(run / "snapshot", copy / "snapshot")
            training = subprocess.Popen(
                [sys.executable, "-m", "kinfolio.cli", "train", "--run", str(copy)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            while training.poll() is None and not stop.wait(0.2):
                pass
            training.terminate()
            training.wait(60)

    with tempfile.TemporaryDirectory() as folder:
        thread = Thread(target=train, args=(folder,))
        thread.start()
        try:
            yield started
        finally:
            stop.set()
            thread.join()
