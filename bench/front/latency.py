"""Lists by HTTP and in this process, one caller, in turns."""

from __future__ import annotations

import time

import numpy as np
from front.process import ServerProcess
from measure import percentile, report

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.records import Connection

USERS = 25
ROUNDS = 12


def measure_latency(server: ServerProcess, connection: Connection) -> None:
    """Report p50 and p95 of both, and the difference of the medians."""
    users = server.users(USERS)
    http: list[float] = []
    python: list[float] = []
    notes: list[str] = []
    with Graph(connection) as graph, server.client() as client:
        for turn in range(ROUNDS):
            for user in users:
                started = time.perf_counter()
                answer = client.get(f"/users/{user}/recommendations")
                between = time.perf_counter()
                found = recommend(graph, user, warn=notes.append)
                ended = time.perf_counter()
                listed = [one["product"] for one in answer.raise_for_status().json()["products"]]
                assert listed == [one.product for one in found.products]
                if turn:  # the first round is the warm-up
                    http.append(between - started)
                    python.append(ended - between)
    difference = (np.median(http) - np.median(python)) * 1000
    report(
        f"list: HTTP p50 {percentile(http, 50)} ms, p95 {percentile(http, 95)}; Python p50 "
        f"{percentile(python, 50)} ms, p95 {percentile(python, 95)}; HTTP is {difference:+.1f} ms "
        f"({len(http)} calls each, {len(users)} users)"
    )
