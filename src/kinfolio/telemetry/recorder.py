"""The tracer of a command: times by step in memory, and spans to a collector."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinfolio.errors import NotReady
from kinfolio.telemetry.spans import current_tracer

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

_COLLECTOR = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
FLUSH_SECONDS = 5
"""Longest wait for the collector at the end of a command."""


def has_collector() -> bool:
    """Return whether the environment names a collector of OpenTelemetry."""
    return any(os.environ.get(name) for name in _COLLECTOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTime:
    """Time of one step: all spans of one name below the same steps."""

    step: str
    depth: int
    calls: int
    seconds: float


class Recorder:
    """The finished spans of one command."""

    def __init__(self) -> None:
        self.spans: tuple[ReadableSpan, ...] = ()

    def steps(self) -> tuple[StepTime, ...]:
        """Return the time of each step, nested ones below their step, in order of their start."""
        by_id = {one.context.span_id: one for one in self.spans if one.context}

        def path(one: ReadableSpan) -> tuple[str, ...]:
            parent = by_id.get(one.parent.span_id) if one.parent else None
            return (*(path(parent) if parent else ()), one.name)

        found: dict[tuple[str, ...], list[float]] = {}
        for one in sorted(self.spans, key=lambda one: one.start_time or 0):
            seconds = ((one.end_time or 0) - (one.start_time or 0)) / 1e9
            found.setdefault(path(one), []).append(seconds)
        # Below its step, each step stands where it first began.
        order = {steps: number for number, steps in enumerate(found)}
        nested = sorted(
            found,
            key=lambda steps: [order[steps[: end + 1]] for end in range(len(steps))],
        )
        return tuple(
            StepTime(
                step=steps[-1],
                depth=len(steps) - 1,
                calls=len(found[steps]),
                seconds=round(sum(found[steps]), 4),
            )
            for steps in nested
        )


@contextmanager
def recording(recorder: Recorder, command: str) -> Iterator[None]:
    """Trace a block, from the start of the process on; at its end the recorder has the spans.

    Raises:
        NotReady: the environment names a collector, and `kinfolio[otel]` is not installed.
    """
    import psutil
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": "kinfolio"}))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    if has_collector():
        provider.add_span_processor(_to_collector())
    tracer = provider.get_tracer("kinfolio")
    started = int(psutil.Process().create_time() * 1e9)
    token = current_tracer.set(tracer)
    try:
        with tracer.start_as_current_span(command, start_time=started, record_exception=False):
            tracer.start_span("start of Python and imports", start_time=started).end()
            yield
    finally:
        current_tracer.reset(token)
        recorder.spans = memory.get_finished_spans()
        provider.shutdown()


def _to_collector() -> SpanProcessor:
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise NotReady(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and the exporter is not installed; "
            "type: pip install 'kinfolio[otel]', or unset it"
        ) from error
    # Without a handler a collector that does not answer would print a traceback.
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
    return BatchSpanProcessor(OTLPSpanExporter(timeout=FLUSH_SECONDS))
