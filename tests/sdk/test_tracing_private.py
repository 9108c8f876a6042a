"""The private names of OpenTelemetry that our tracing rests on: an update without one of them fails here.

At run time it costs the speed only, see `otel_kit.sdk.tracing.pipeline`.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import pytest
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import SpanContext, TraceFlags, TraceState

from tests.sdk.run import endpoint
from tests.sdk.sink import running_sink
from tests.sdk.test_init import python


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("opentelemetry.context", ["_RUNTIME_CONTEXT", "_SUPPRESS_INSTRUMENTATION_KEY"]),
        ("opentelemetry.context.contextvars_context", ["ContextVarsRuntimeContext"]),
        ("opentelemetry.trace.propagation", ["_SPAN_KEY"]),
        ("opentelemetry.trace.span", ["DEFAULT_TRACE_STATE"]),
        ("opentelemetry.sdk.trace._tracer_metrics", ["NoOpTracerMetrics"]),
        ("opentelemetry.sdk.util", ["BoundedList"]),
        ("opentelemetry.attributes", ["BoundedAttributes"]),
    ],
)
def test_modules_have_them(module: str, names: list[str]) -> None:
    assert [name for name in names if not hasattr(import_module(module), name)] == []


def test_the_context_is_kept_in_one_variable() -> None:
    from opentelemetry.context import _RUNTIME_CONTEXT

    assert hasattr(_RUNTIME_CONTEXT, "_current_context")


def test_a_span_context_is_this_tuple() -> None:
    state = TraceState()
    made = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1), trace_state=state)
    assert tuple(made) == (1, 2, False, 1, state, True)
    assert type(made).__mro__[1] is tuple


def test_instances_of_the_sdk_have_them() -> None:
    provider = sdk.TracerProvider(resource=Resource({}), shutdown_on_exit=False)
    tracer = provider.get_tracer("t")
    span = tracer.start_span("s")
    meters = MeterProvider(shutdown_on_exit=False)
    parents = [
        f"_{origin}_parent_{how}" for origin in ("remote", "local") for how in ("sampled", "not_sampled")
    ]
    attributes: Any = getattr(span, "_attributes", None)
    wanted: list[tuple[object, list[str]]] = [
        (provider, ["_active_span_processor", "_update_resource"]),
        (provider._active_span_processor, ["_span_processors", "_on_ending"]),
        (tracer, ["_span_limits", "_tracer_metrics", "_tracer_config", "_instrumentation_scope"]),
        (
            span,
            ["_name", "_context", "_parent", "_kind", "_resource", "_status", "_span_processor", "_limits"],
        ),
        (span, ["_instrumentation_info", "_instrumentation_scope", "_events", "_links", "_start_time"]),
        (
            span,
            ["_end_time", "_record_end_metrics", "_record_exception", "_set_status_on_exception", "_lock"],
        ),
        (span, ["_new_links", "_add_event", "_add_link", "_readable_span"]),
        (attributes, ["_dict", "_lock", "_immutable", "_set_items", "maxlen", "max_value_len", "dropped"]),
        (meters, ["_update_resource"]),
        (ParentBased(ALWAYS_ON), ["_root", *parents]),
        (ALWAYS_ON, ["_decision"]),
    ]
    assert [n for owner, names in wanted for n in names if not hasattr(owner, n)] == []
    assert hasattr(tracer._tracer_config, "is_enabled")  # type: ignore[attr-defined]


def test_the_methods_that_ours_replace_take_the_same() -> None:
    from otel_kit.sdk.tracing.provider import TracerProvider
    from otel_kit.sdk.tracing.span import Span
    from otel_kit.sdk.tracing.tracer import Tracer

    for ours, theirs, names in (
        (Tracer, sdk.Tracer, ("start_span", "start_as_current_span")),
        (
            Span,
            sdk.Span,
            (
                *("set_attribute", "set_attributes", "add_event", "add_link", "set_status", "end", "start"),
                *("update_name", "record_exception", "_add_event", "_add_link"),
            ),
        ),
    ):
        for name in names:
            mine, given = (list(inspect.signature(getattr(c, name)).parameters) for c in (ours, theirs))
            assert mine == given or "args" in given, name
    mine, given = (list(inspect.signature(c).parameters) for c in (TracerProvider, sdk.TracerProvider))
    assert [name for name in given if name not in mine] == ["meter_provider", "_tracer_configurator"]


def test_where_one_is_gone_the_sdks_own_spans_are_used() -> None:
    with running_sink() as sink:
        out = python(
            """
            import logging, opentelemetry.sdk.trace
            from opentelemetry.sdk import util
            del util.BoundedList
            import otel_kit
            assert otel_kit.init(service="s", logs="stdout").enabled
            from opentelemetry import trace
            from opentelemetry.sdk.trace import Tracer
            assert type(trace.get_tracer("t")) is Tracer
            with trace.get_tracer("t").start_as_current_span("s", attributes={"password": "hunter2"}):
                pass
            """,
            OTEL_KIT_SHUTDOWN_TIMEOUT="3",
            **endpoint(sink),
        )
        (span,) = sink.seen.spans
    assert out.count("do not fit this release of the OpenTelemetry SDK") == 1
    assert span.name == "s"
    assert "hunter2" not in str(span.attributes)
