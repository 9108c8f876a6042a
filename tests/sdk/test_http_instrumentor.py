"""Our instrumentor is contrib's, but for the engine: without `init()`, with providers of the service."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import Any

import fastapi
import pytest
from fastapi import FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor as Theirs
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from otel_kit.sdk.http.active import Active
from otel_kit.sdk.http.instrumentor import FastAPIInstrumentor
from otel_kit.sdk.http.request import Request


class Telemetry:
    """Providers of the SDK, and what they got."""

    def __init__(self) -> None:
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers, self.meters = TracerProvider(), MeterProvider([self.reader])
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))

    @property
    def options(self) -> dict[str, Any]:
        """For ``instrument_app``."""
        return {"tracer_provider": self.tracers, "meter_provider": self.meters}

    def names(self) -> list[str]:
        """Of the spans."""
        return [span.name for span in self.exporter.get_finished_spans()]

    def metrics(self) -> dict[str, list[Any]]:
        """The data points by the name of the metric."""
        found: dict[str, list[Any]] = {}
        data = self.reader.get_metrics_data()
        for resource in () if data is None else data.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    found.setdefault(metric.name, []).extend(metric.data.data_points)
        return found


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    telemetry = Telemetry()
    yield telemetry
    telemetry.meters.shutdown()
    telemetry.tracers.shutdown()


def application(kind: type[FastAPI] = FastAPI) -> FastAPI:
    app = kind()
    app.add_api_route("/things/{thing}", lambda thing: thing)
    return app


def test_it_is_one_of_its_own(telemetry: Telemetry) -> None:
    instrumentor = FastAPIInstrumentor()
    assert isinstance(instrumentor, Theirs)
    assert type(Theirs()) is Theirs
    assert FastAPIInstrumentor() is instrumentor
    original = fastapi.FastAPI
    instrumentor.instrument(**telemetry.options)
    try:
        assert (instrumentor.is_instrumented_by_opentelemetry, issubclass(fastapi.FastAPI, original)) == (
            True,
            True,
        )
        app = application(fastapi.FastAPI)
        TestClient(app).get("/things/1")
    finally:
        instrumentor.uninstrument()
    assert fastapi.FastAPI is original
    TestClient(app).get("/things/2")
    assert telemetry.names() == ["GET /things/{thing}"]


def test_an_application_is_instrumented_once_until_it_is_no_more(telemetry: Telemetry) -> None:
    app = application()
    for _ in range(2):
        FastAPIInstrumentor.instrument_app(app, **telemetry.options)
    TestClient(app).get("/things/1")
    points = telemetry.metrics()
    assert [p.count for p in points["http.server.request.duration"]] == [1]
    assert [p.value for p in points["http.server.active_requests"]] == [0]
    FastAPIInstrumentor.uninstrument_app(app)
    TestClient(app).get("/things/1")
    FastAPIInstrumentor.instrument_app(app, **telemetry.options)
    TestClient(app).get("/things/1")
    assert telemetry.names() == ["GET /things/{thing}"] * 2


def test_other_applications_are_left_to_what_records_them(telemetry: Telemetry) -> None:
    """Also one that was instrumented before."""
    native = {"tracer_provider": telemetry.tracers, "metrics": False, "logs": False, "operation_spans": False}
    app = FastAPI(telemetry=native)  # type: ignore[arg-type]
    app.add_api_route("/things/{thing}", lambda thing: thing)
    client = TestClient(app)
    client.get("/things/1")
    FastAPIInstrumentor.instrument_app(app, **telemetry.options)
    client.get("/things/1")
    FastAPIInstrumentor.uninstrument_app(app)
    client.get("/things/1")
    scopes = [span.instrumentation_scope for span in telemetry.exporter.get_finished_spans()]
    assert [scope and scope.name for scope in scopes] == ["fastapi", "otel_kit.http", "fastapi"]


def test_two_applications_of_one_provider_count_together(telemetry: Telemetry) -> None:
    apps = [application() for _ in range(2)]
    for app in apps:
        FastAPIInstrumentor.instrument_app(app, **telemetry.options)
        TestClient(app).get("/things/1")
    (point,) = telemetry.metrics()["http.server.request.duration"]
    assert point.count == 2
    assert len(telemetry.metrics()["http.server.active_requests"]) == 1


def test_nothing_is_left_of_a_request_that_waits_for_the_garbage_collector(telemetry: Telemetry) -> None:
    app = application()
    FastAPIInstrumentor.instrument_app(app, **telemetry.options)
    client = TestClient(app)
    client.get("/things/1")
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            client.get("/things/1")
        alive = [one for one in gc.get_objects() if isinstance(one, Request)]
    finally:
        gc.enable()
    assert len(alive) <= 1  # that of the client's last one, perhaps


def test_a_child_process_does_not_count_the_requests_of_its_parent(telemetry: Telemetry) -> None:
    meter = telemetry.meters.get_meter("test")
    requests = Active(meter, "http.server.active_requests", unit="", description="").of({"a": "b"})
    requests.append(None)
    child = os.fork()
    if child == 0:
        os._exit(len(requests))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert [p.value for p in telemetry.metrics()["http.server.active_requests"]] == [1]
