"""Sets up the peer that BENCH_PEER names in this process, as its documentation says, at its defaults."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = [
    "PEER",
    "fastapi_options",
    "flush",
    "flush_spans",
    "instrument_fastapi",
    "interceptors",
    "leave",
    "plain_logging",
    "set_up",
    "span_maker",
]

PEER: Final = os.environ["BENCH_PEER"]
_DDTRACE: Final = PEER.startswith("ddtrace")
#: Both send by OpenTelemetry's SDK.
_SDK: Final = PEER in ("opentelemetry", "fastapi")


def plain_logging() -> None:
    """What each service has, with telemetry or without: a formatted line on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)


def set_up() -> None:
    """Start the peer, before FastAPI or gRPC is imported; SIGUSR1 flushes it from now on."""
    signal.signal(signal.SIGUSR1, lambda *_: flush())
    if _SDK:
        _set_up_sdk()
    elif _DDTRACE:
        import ddtrace.auto  # noqa: F401

        if PEER == "ddtrace-full":  # its providers are set when these are imported
            import opentelemetry._logs
            import opentelemetry.metrics  # noqa: F401
    elif PEER == "logfire":
        import logfire

        logfire.configure(send_to_logfire=False, console=False, inspect_arguments=False)
        logging.getLogger().addHandler(logfire.LogfireLoggingHandler())
    elif PEER.startswith("otel-kit"):
        import otel_kit

        otel_kit.init()


def _set_up_sdk() -> None:
    from opentelemetry import _logs, metrics, trace
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.logging import LoggingInstrumentor
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    tracers = TracerProvider()
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(tracers)
    metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())]))
    loggers = LoggerProvider()
    loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    _logs.set_logger_provider(loggers)
    LoggingInstrumentor().instrument()


def fastapi_options() -> dict[str, Any]:
    """Arguments of FastAPI()."""
    return {"telemetry": {"operation_spans": False}} if PEER == "fastapi" else {}


def instrument_fastapi(app: Any) -> None:
    """For the peers that want to be told of the app."""
    if PEER == "opentelemetry":
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

        FastAPIInstrumentor.instrument_app(app)
    elif PEER == "logfire":
        import logfire

        logfire.instrument_fastapi(app)


def interceptors() -> list[Any]:
    """Interceptors of a grpc.aio server."""
    if PEER not in ("opentelemetry", "logfire"):
        return []
    from opentelemetry.instrumentation.grpc import aio_server_interceptor

    return [aio_server_interceptor()]  # type: ignore[no-untyped-call]


def span_maker() -> Callable[[str, Mapping[str, Any]], None]:
    """A function that makes and ends one span with attributes, by the peer's own API."""
    if _DDTRACE:
        from ddtrace.trace import tracer

        def make_tagged(name: str, attributes: Mapping[str, Any]) -> None:
            span = tracer.start_span(name)
            for key, value in attributes.items():
                span.set_tag(key, value)
            span.finish()

        return make_tagged
    from opentelemetry import trace

    start_span = trace.get_tracer("bench").start_span

    def make(name: str, attributes: Mapping[str, Any]) -> None:
        start_span(name, attributes=attributes).end()

    return make


def flush() -> None:
    """Deliver all that was recorded."""
    flush_spans()
    if PEER in ("none", "ddtrace"):
        return
    from opentelemetry import _logs, metrics

    _flush(metrics.get_meter_provider(), _logs.get_logger_provider())


def flush_spans() -> None:
    """Deliver the spans alone."""
    if _DDTRACE:
        from ddtrace.trace import tracer

        tracer.flush()
    if PEER in ("none", "ddtrace"):
        return
    from opentelemetry import trace

    _flush(trace.get_tracer_provider())


def _flush(*providers: Any) -> None:
    for provider in providers:
        if hasattr(provider, "force_flush"):
            provider.force_flush()


def leave(result: Any) -> None:
    """Print what was measured and end the process at once: the end is measured elsewhere."""
    sys.stdout.write(f"RESULT {json.dumps(result)}\n")
    sys.stdout.flush()
    os._exit(0)
