"""Metrics of Prometheus: requests and their times by route, without ids."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from kinfolio.web.paths import API

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


def exposition(registry: CollectorRegistry) -> bytes:
    """Return the metrics in the text format of Prometheus."""
    return generate_latest(registry)
