"""POST /v1/traces, /v1/metrics and /v1/logs."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from otel_kit.dev.errors import Refusal
from otel_kit.dev.intake.decode import JSON, PROTOBUF, ContentType
from otel_kit.dev.intake.limits import LIMITS
from otel_kit.dev.intake.receive import (
    Answer,
    Received,
    answer,
    check_headers,
    error_answer,
    receive,
)
from otel_kit.dev.model import Loss, Signal
from otel_kit.dev.store.writer import Writer
from otel_kit.dev.web.body import read_body

__all__ = ["otlp_routes"]


def otlp_routes(writer: Writer) -> list[Route]:
    """One route a signal; a 200 is sent after the data is stored."""
    return [_route(writer, signal) for signal in LIMITS]


def _route(writer: Writer, signal: Signal) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            found = await _take(writer, signal, request)
        except Refusal as refusal:
            await run_in_threadpool(_count_refusal, writer, signal, refusal)
            found = error_answer(refusal.status, refusal.message, _kind(request))
        except sqlite3.OperationalError as error:
            # A full disk passes: 503 is what makes an OTLP sender keep the data and try again.
            found = error_answer(503, f"the data cannot be stored now: {error}", _kind(request))
        except ClientDisconnect:
            return Response(status_code=400)
        return Response(found.body, status_code=found.status, media_type=found.content_type)

    return Route(f"/v1/{signal}", endpoint, methods=["POST"])


def _kind(request: Request) -> ContentType:
    return JSON if request.headers.get("content-type", "").startswith(JSON) else PROTOBUF


async def _take(writer: Writer, signal: Signal, request: Request) -> Answer:
    kind = check_headers(request.headers)
    body = await read_body(request, LIMITS[signal].wire)
    found = await run_in_threadpool(_store, writer, signal, body, request.headers)
    return answer(signal, found, kind)


def _store(writer: Writer, signal: Signal, body: bytes, headers: Mapping[str, str]) -> Received:
    received = receive(signal, body, headers, now_ns=time.time_ns())
    writer.store(spans=received.spans, logs=received.logs, points=received.points, losses=received.losses)
    return received


def _count_refusal(writer: Writer, signal: Signal, refusal: Refusal) -> None:
    writer.store(losses=[Loss(signal, f"a request refused with {refusal.status}: {refusal.message}", 1)])
