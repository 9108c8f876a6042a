"""OpenTelemetry's API for logs beside our own way, and exports that do not feed themselves."""

from __future__ import annotations

import contextlib
import sys

import pytest

from tests.parts import start
from tests.sdk.run import endpoint, lines
from tests.sdk.sink import Sink, running_sink

APP = (sys.executable, "-m", "tests.sdk.apps.log_api")


def test_records_of_the_api_and_processors_of_the_service() -> None:
    with running_sink() as sink, start([*APP, "api"], env=endpoint(sink)) as part:
        assert part.wait() == 0, part.output()
        said, output = lines(part), part.output()
    before, event, after, last = (
        next(log for log in sink.seen.logs if text in str(log.body))
        for text in ("before", "'a'", "after", "by the API")
    )
    assert "added" not in before.attributes
    span = sink.seen.spans[0]
    assert (event.body, event.number, event.scope) == ({"a": [1, b"\x00"]}, 14, "api")
    assert (event.trace_id, event.span_id) == (span.trace_id, span.span_id)
    # Once the service has processors, records of logging pass through them as well.
    assert (after.body, after.severity, after.scope) == ("after 1", "ERROR", "app")
    assert after.attributes["added"] == last.attributes["added"] == "yes"
    assert (after.attributes["order"], after.attributes["exception.type"]) == (7, "ValueError")
    assert after.attributes["code.function.name"] == "api"
    assert "hunter2" not in output + str(after)
    assert len(sink.seen.logs) == 4
    # One that fails is told, once, and the others go on.
    assert ["fault in a log record processor" in one["message"] for one in said].count(True) == 1


def test_handlers_of_the_sdk_send_nothing_twice() -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.sdk.apps.log_handlers"]
    with running_sink() as sink, start(command, env=endpoint(sink)) as part:
        assert part.wait() == 0, part.output()
        said = [one["message"] for one in lines(part) if one["logger.name"] != "otel_kit"]
    assert said == ["an early handler", "two handlers", "no other handler", "elsewhere as well"]
    assert sorted(map(str, sink.seen.bodies())) == sorted(said)


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_exports_do_not_feed_themselves(protocol: str) -> None:
    with contextlib.ExitStack() as stack:
        sink = Sink() if protocol == "grpc" else stack.enter_context(running_sink())
        if protocol == "grpc":
            stack.callback(sink.serve_grpc().stop, None)
        env = {
            **endpoint(sink),
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        }
        part = stack.enter_context(start([*APP, "debug"], env=env))
        assert part.wait() == 0, part.output()
    assert sink.seen.bodies() == [f"work {number}" for number in range(20)]
