"""Items of sizes that no collector takes, among some that it does."""

from __future__ import annotations

import logging

from opentelemetry import metrics, trace

import otel_kit

MEGABYTES = 5_000_000


def main() -> None:
    """Ten small ones of each, around each large one."""
    tracer, log = trace.get_tracer("sizes"), logging.getLogger("sizes")
    counter = metrics.get_meter("sizes").create_counter("sizes.count")
    with tracer.start_as_current_span("many attributes") as span:
        span.set_attributes({f"key.{number}": number for number in range(10_000)})
    with tracer.start_as_current_span("many events") as span:
        for number in range(100_000):
            span.add_event("event", {"number": number})
    with tracer.start_as_current_span("large", attributes={"text": "x" * MEGABYTES}) as span:
        span.add_event("large", {"text": "x" * MEGABYTES})
        span.record_exception(ValueError("x" * MEGABYTES))
    tracer.start_span("n" * MEGABYTES).end()
    tracer.start_span(
        "links", links=[trace.Link(span.get_span_context(), {"n": n}) for n in range(20_000)]
    ).end()
    log.info("m" * MEGABYTES)
    log.info("extra", extra={f"key.{number}": "x" * 1000 for number in range(10_000)})
    log.info("arguments %s", ["x" * 1000] * 5000)
    for number in range(10):
        tracer.start_span(f"small {number}").end()
        log.info("small %d", number)
        counter.add(1, {"text": "x" * MEGABYTES} if number == 5 else {"number": number})
    for _ in range(3):
        otel_kit.force_flush(30)


if __name__ == "__main__":
    otel_kit.init(service="sizes", log_level="INFO")
    main()
