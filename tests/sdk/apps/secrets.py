"""Says what must not leave the process, in every place where telemetry has room for it."""

from __future__ import annotations

import logging

from opentelemetry import metrics, trace
from opentelemetry.trace import Link, SpanContext, StatusCode, TraceFlags

import otel_kit

SECRET = "password=hunter2"
URL = "https://ann:hunter2@example.org/x?token=hunter2&page=1"

if __name__ == "__main__":
    otel_kit.init(
        service="secrets",
        env="staging",
        version="1.2.3",
        resource_attributes={"owner.email": "hunter2@example.org", "api_key": "hunter2"},
    )
    tracer = trace.get_tracer("secrets")
    link = Link(SpanContext(1, 1, is_remote=True, trace_flags=TraceFlags(1)), {"token": "hunter2"})
    with tracer.start_as_current_span(f"GET {URL}", links=[link]) as span:
        span.set_attribute("url.full", URL)
        span.set_attribute("user.password", "hunter2")
        span.set_attribute("mails", ["hunter2@example.org", "x"])
        span.set_attribute("gen_ai.usage.input_tokens", 42)
        span.set_attribute("db.query.text", "SELECT 'hunter2'")
        span.add_event(SECRET, {"secret": "hunter2", "note": SECRET})
        span.set_status(StatusCode.ERROR, SECRET)
        log = logging.getLogger("shop")
        log.warning("with %s", SECRET, extra={"api_key": "hunter2", "nested": {"token": "hunter2", "n": 7}})
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            log.exception("failed")
            span.record_exception(error)
    metrics.get_meter("secrets").create_counter("uses").add(
        1, {"token": "hunter2", "mail": "hunter2@example.org"}
    )
