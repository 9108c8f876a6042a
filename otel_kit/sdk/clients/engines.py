"""Traces SQLAlchemy's engines that contrib's replacement of ``create_engine`` does not reach.

Those are all that a module has made before `init()`, or makes by a ``create_engine`` that it imported by name
before. Each is met at its first connection.
"""

from __future__ import annotations

import weakref
from typing import Any

from otel_kit.sdk.notes import fault

__all__ = ["trace_all_engines"]


def trace_all_engines() -> None:
    """Watch the connections of all engines."""
    from opentelemetry import metrics, trace
    from opentelemetry.instrumentation.sqlalchemy import __name__ as name
    from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    usage = metrics.get_meter(name).create_up_down_counter(
        "db.client.connections.usage",
        unit="connections",
        description="The number of connections that are currently in state described by the state attribute.",
    )
    met: weakref.WeakSet[Any] = weakref.WeakSet()

    def connected(connection: Any) -> None:
        engine = connection.engine
        if engine in met:
            return
        try:
            met.add(engine)
            # Whatever contrib traces is in this list of its own; there is no other way to ask.
            traced = EngineTracer._remove_event_listener_params
            if not any(target() is engine for target, _, _ in traced):
                tracer: Any = EngineTracer
                tracer(trace.get_tracer(name), engine, usage)
        except Exception:
            fault("SQLAlchemy engine")

    event.listen(Engine, "engine_connect", connected)
