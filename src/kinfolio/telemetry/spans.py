"""Spans around steps and statements. Without a tracer they cost nothing and import nothing.

The command line sets a tracer for `--trace` and `OTEL_*` variables; a program that uses the Python
API sets up OpenTelemetry itself. Attributes never contain ids, names or texts of the graph.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

current_tracer: ContextVar[Tracer | None] = ContextVar("kinfolio_tracer", default=None)
"""Tracer of a command; None: that of the program, if it set up OpenTelemetry."""


@contextmanager
def span(name: str, **attributes: str) -> Iterator[None]:
    """Record the time of a block; no-op without a tracer."""
    tracer = current_tracer.get()
    if tracer is None and "opentelemetry.sdk.trace" not in sys.modules:
        yield
        return
    from opentelemetry import trace

    tracer = tracer or trace.get_tracer("kinfolio")
    # The text of an exception may contain an id: the span receives its type only.
    with tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as opened:
        try:
            yield
        except BaseException as error:
            opened.set_attribute("error.type", type(error).__name__)
            opened.set_status(trace.StatusCode.ERROR)
            raise
