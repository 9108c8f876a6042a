"""Traces each of SQLAlchemy's engines, and each statement once.

contrib's replacement of ``create_engine`` does not reach the engines that were made before `init()`, or are
made by a ``create_engine`` that was imported by name before: each is met at its first connection. Where the
driver beneath is instrumented as well, it would record the same statements again.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.context import attach, detach, set_value

from otel_kit.sdk.notes import fault
from otel_kit.sdk.patching import replace

__all__ = ["name_by_operation", "quiet_drivers", "trace_all_engines"]

#: Key by which contrib's instrumentors alone are silent: log records are still sent.
_SUPPRESS: Final = "suppress_instrumentation"
_WORD: Final = re.compile(r"\w+")


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


def quiet_drivers() -> None:
    """Let the drivers beneath SQLAlchemy record nothing of what it records itself."""
    from sqlalchemy.engine.default import DefaultDialect

    for name in ("connect", "do_execute", "do_executemany", "do_execute_no_params"):
        replace(DefaultDialect, name, _quiet)


def name_by_operation() -> None:
    """Name spans by the operation alone: the name of a database may be the path of a file."""
    from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer

    replace(EngineTracer, "_operation_name", _operation)


def _operation(original: Callable[..., str]) -> Callable[..., str]:
    def operation(tracer: Any, _: str, statement: Any) -> str:
        found = original(tracer, "", statement)
        word = _WORD.match(found)
        return word[0] if word else found

    return operation


def _quiet(original: Callable[..., Any]) -> Callable[..., Any]:
    def execute(*args: Any, **kwargs: Any) -> Any:
        token = attach(set_value(_SUPPRESS, True))
        try:
            return original(*args, **kwargs)
        finally:
            detach(token)

    return execute
