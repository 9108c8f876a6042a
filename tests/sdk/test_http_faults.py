"""Whatever fails around the recording of a request, the application answers as it would without it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest
from fastapi import BackgroundTasks, FastAPI
from opentelemetry import context, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from starlette.testclient import TestClient

from otel_kit.sdk.config.http import HttpSettings
from otel_kit.sdk.http.asgi import MARK, HttpTelemetry
from otel_kit.sdk.http.instrumentor import FastAPIInstrumentor
from otel_kit.sdk.http.instruments import instruments_of
from otel_kit.sdk.http.observer import Hooks
from tests.sdk.tracing_parts import Seen, provider

Message = MutableMapping[str, Any]


class Broken:
    """Fails in every way."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


class BrokenSpan(trace.NonRecordingSpan):
    """A span that records, and fails at it."""

    def __init__(self) -> None:
        super().__init__(trace.INVALID_SPAN_CONTEXT)

    def is_recording(self) -> bool:
        raise RuntimeError("span")

    def end(self, end_time: int | None = None) -> None:
        raise RuntimeError(f"span {end_time}")


class BrokenSpans(trace.NoOpTracer):
    """Makes them."""

    def start_span(self, *_: Any, **__: Any) -> trace.Span:
        return BrokenSpan()


async def fine(_: Any, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Any]) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
    await send({"type": "http.response.body", "body": b"fine"})


async def failing(scope: Any, receive: Any, send: Any) -> None:
    await fine(scope, receive, send)
    raise LookupError("application")


async def call(telemetry: HttpTelemetry, app: Any, **scope: Any) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    whole = {"type": "http", "method": "GET", "path": "/", "headers": [(b"a", b"b")], **scope}
    await telemetry(app, whole, receive, send)
    assert MARK not in whole
    return sent


def broken(*_: Any) -> None:
    raise RuntimeError("hook")


async def unawaited(*_: Any) -> None:
    """A hook that is a coroutine function by mistake."""


EVERYTHING = HttpSettings(request_headers=(".*",), response_headers=(".*",))
TELEMETRY: dict[str, Callable[[], HttpTelemetry]] = {
    "tracer": lambda: HttpTelemetry(HttpSettings(), tracer=Broken()),  # type: ignore[arg-type]
    "spans": lambda: HttpTelemetry(EVERYTHING, tracer=BrokenSpans()),
    "hooks": lambda: HttpTelemetry(
        EVERYTHING, hooks=Hooks(on_request=broken, on_receive=broken, on_send=broken, on_response=broken)
    ),
    "coroutines": lambda: HttpTelemetry(HttpSettings(), hooks=Hooks(on_request=unawaited, on_send=unawaited)),
    "filter": lambda: HttpTelemetry(HttpSettings(), excluded_urls=Broken()),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("what", TELEMETRY)
def test_the_application_answers_and_fails_as_it_would(what: str) -> None:
    telemetry = TELEMETRY[what]()
    before = context.get_current()

    sent = asyncio.run(call(telemetry, fine))
    assert [m["type"] for m in sent] == ["http.response.start", "http.response.body"]
    with pytest.raises(LookupError, match="application"):
        asyncio.run(call(telemetry, failing))
    assert context.get_current() == before


@pytest.mark.parametrize(
    "scope",
    [
        {"headers": [(b"host",)]},
        {"headers": 5},
        {"headers": [("host", "text")], "query_string": "text", "client": "text", "server": 5},
        {"path": None, "method": None, "scheme": 5, "http_version": 1.1},
        {"root_path": None, "path": 5},
    ],
)
def test_scopes_against_the_specification_reach_the_application_as_they_are(scope: dict[str, Any]) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append({key: scope.get(key) for key in scope if key in given})
        await fine(scope, receive, send)

    given = dict(scope)
    sent = asyncio.run(call(HttpTelemetry(EVERYTHING), app, **scope))
    assert (len(sent), seen) == (2, [given])


def test_a_span_does_not_wait_for_work_in_the_background() -> None:
    recorder = Seen()
    telemetry = HttpTelemetry(HttpSettings(), tracer=provider(recorder).get_tracer("test"))

    async def answers_and_works(scope: Any, receive: Any, send: Any) -> None:
        await fine(scope, receive, send)
        await asyncio.sleep(60)

    async def run() -> None:
        tasks = [asyncio.create_task(call(telemetry, answers_and_works)) for _ in range(2)]
        for _ in range(2000):
            if len(recorder.ended) == 2:
                break
            await asyncio.sleep(0.01)
        assert (len(recorder.ended), any(task.done() for task in tasks)) == (2, False)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())
    assert [dict(span.attributes or {}).get("error.type") for span in recorder.ended] == [None, None]


def test_active_requests_never_drift() -> None:
    """Answered, failed, cancelled, or thrown away while they wait."""
    reader = InMemoryMetricReader()
    recorder = Seen()
    telemetry = HttpTelemetry(
        HttpSettings(),
        tracer=provider(recorder).get_tracer("test"),
        instruments=instruments_of(MeterProvider([reader])),
    )
    values: list[float] = []

    def look() -> None:
        data = reader.get_metrics_data()
        assert data is not None
        for metric in data.resource_metrics[0].scope_metrics[0].metrics:
            if metric.name == "http.server.active_requests":
                values.extend(point.value for point in metric.data.data_points)  # type: ignore[union-attr]

    async def waiting(*_: Any) -> None:
        await asyncio.sleep(60)

    async def run() -> None:
        tasks = [asyncio.create_task(call(telemetry, waiting)) for _ in range(3)]
        await asyncio.sleep(0.01)
        look()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await call(telemetry, fine)
        with pytest.raises(LookupError):
            await call(telemetry, failing)
        look()

    asyncio.run(run())
    thrown = call(telemetry, waiting)
    with pytest.raises(RuntimeError):
        thrown.send(None)  # no event loop
    thrown.close()
    gc.collect()
    look()
    assert values == [3, 0, 0]
    assert len(recorder.ended) == 6


class BrokenTracers(trace.NoOpTracerProvider):
    """Gives one that makes broken spans."""

    def get_tracer(self, *_: Any, **__: Any) -> trace.Tracer:
        return BrokenSpans()


def test_a_background_task_runs_and_fails_as_it_would() -> None:
    ran: list[str] = []
    app = FastAPI()

    def fails() -> None:
        ran.append("failing")
        raise LookupError("task")

    @app.get("/")
    async def answer(tasks: BackgroundTasks) -> None:
        tasks.add_task(ran.append, "fine")
        tasks.add_task(fails)
        tasks.add_task(ran.append, "never")

    FastAPIInstrumentor.instrument_app(app, tracer_provider=BrokenTracers())
    with pytest.raises(LookupError, match="task"):
        TestClient(app).get("/")
    assert ran == ["fine", "failing"]
