"""Metrics of Prometheus: requests and times by route, drift since the training; without ids."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from kinfolio.gnn.drift.records import VERDICTS
from kinfolio.web.paths import API

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from kinfolio.gnn.drift.monitor import DriftMonitor
    from kinfolio.gnn.drift.records import NewQuality

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""In seconds."""


class Metrics:
    """Middleware that counts requests; each server has a registry of its own."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        labels = ("method", "route", "status")
        self._requests = Counter(
            "kinfolio_requests", "Requests by route and status.", labels, registry=registry
        )
        self._seconds = Histogram(
            "kinfolio_request_seconds",
            "Seconds until the end of the response.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._open = Gauge("kinfolio_open_requests", "Requests in progress.", registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Measure one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        started = time.perf_counter()

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._open.inc()
        try:
            await self._app(scope, receive, send_counted)
        finally:
            self._open.dec()
            # Not the path, which has ids, and whose number is not limited.
            route = getattr(scope.get("route"), "path_format", "other")
            if scope["path"].startswith(f"{API}/") and not route.startswith((API, "other")):
                route = API + route  # a route knows its path without the prefix of its router
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._requests.labels(method, route, str(status)).inc()
            self._seconds.labels(method, route).observe(time.perf_counter() - started)


_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")


class DriftMetrics(Collector):
    """The last measurement of the drift; a scrape never waits for one, it only begins it."""

    def __init__(self, monitor: DriftMonitor) -> None:
        self._monitor = monitor

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges; none before the first measurement."""
        found = self._monitor.latest()
        if found.report is None or found.at is None:
            return
        report = found.report
        level = GaugeMetricFamily("kinfolio_drift_verdict", "0 steady, 1 moved, 2 train again.")
        level.add_metric([], VERDICTS.index(report.verdict))
        yield level
        at = GaugeMetricFamily("kinfolio_drift_measured_seconds", "Time of the measurement.")
        at.add_metric([], found.at.timestamp())
        yield at
        values = GaugeMetricFamily(
            "kinfolio_drift",
            "Distance from the training: a share, or a population stability index.",
            labels=("measure",),
        )
        for one in report.measures:
            if one.value is not None:
                values.add_metric([one.name], one.value)
        yield values
        if report.quality is not None:
            yield _recall(report.quality)


def _recall(quality: NewQuality) -> GaugeMetricFamily:
    recall = GaugeMetricFamily(
        "kinfolio_new_holdings_recall",
        "Recall@20 of new holdings in the lists before them.",
        labels=("of",),
    )
    for name, value in (
        ("lists", quality.recall.value),
        ("lists_low", quality.recall.low),
        ("lists_high", quality.recall.high),
        ("popularity", quality.popularity.value),
        ("training", quality.recall_at_training),
    ):
        if value is not None:
            recall.add_metric([name], value)
    return recall


def exposition(registry: CollectorRegistry) -> bytes:
    """Return the metrics in the text format of Prometheus."""
    return generate_latest(registry)
