"""Records of structlog, loguru, servers, gRPC and warnings: each once on the console, and once by OTLP."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import pytest

from tests.parts import start
from tests.sdk.run import endpoint, lines
from tests.sdk.sink import LogSeen, Seen, running_sink

Line = dict[str, Any]


class Written:
    """What one application wrote: lines of JSON, other lines, and what arrived."""

    def __init__(self, app: str, *args: str) -> None:
        command = [sys.executable, "-m", app, *args]
        quiet = {"GRPC_VERBOSITY": "NONE"}  # lines of gRPC's own C code are nobody's records
        with running_sink() as sink, start(command, env={**endpoint(sink), **quiet}) as part:
            assert part.wait() == 0, part.output()
            self.lines = [one for one in lines(part) if one["logger.name"] != "otel_kit"]
            self.rest = [one for one in part.output().splitlines() if not one.startswith("{")]
            self.seen: Seen = sink.seen

    def line(self, message: str) -> Line:
        """The only line with this message."""
        found = [one for one in self.lines if one["message"] == message]
        assert len(found) == 1, (message, found)
        return found[0]

    def sent(self, body: str) -> LogSeen:
        """The only record with this body."""
        found = [one for one in self.seen.logs if one.body == body]
        assert len(found) == 1, (body, found)
        return found[0]

    def each_once(self) -> None:
        """What is on the console was sent, and nothing twice."""
        assert set(Counter(one["message"] for one in self.lines).values()) == {1}
        assert sorted(one["message"] for one in self.lines) == sorted(self.seen.bodies())
        assert all(one["otel_kit.otlp"] for one in self.lines)


@pytest.fixture(scope="module")
def by_structlog(tmp_path_factory: pytest.TempPathFactory) -> tuple[Written, str]:
    """The application, and what it wrote to its file."""
    file = tmp_path_factory.mktemp("structlog") / "app.log"
    return Written("tests.sdk.apps.log_structlog", str(file)), file.read_text()


@pytest.fixture(scope="module")
def by_loguru(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The application."""
    return Written("tests.sdk.apps.log_loguru", str(tmp_path_factory.mktemp("loguru") / "app.log"))


CONFIGURATIONS = ("console", "json", "bytes", "file", "raw file")
THROUGH_LOGGING = ("logging json", "logging kwargs", "logging formatter")


@pytest.mark.parametrize("name", [*CONFIGURATIONS, *THROUGH_LOGGING])
def test_structlog_says_the_same_however_it_is_configured(
    name: str, by_structlog: tuple[Written, str]
) -> None:
    written, _ = by_structlog
    placed, failed = written.line(f"{name}: placed"), written.line(f"{name}: failed")
    span = written.seen.spans[0]
    for one in (placed, failed):
        assert (one["trace_id"], one["span_id"]) == (span.trace_id, span.span_id)
        assert (one["service"], one["env"], one["version"], one["order"]) == ("logs", "test", "2", 7)
        assert one["logger.name"] == ("shop" if name in THROUGH_LOGGING else "__main__")
        assert one["code.file.path"].endswith("tests/sdk/apps/log_structlog.py")
        assert one["code.function.name"] == "write"
        assert not {"event", "level", "exception", "exc_info"} & set(one)
    assert (placed["status"], placed["user"], failed["status"]) == ("info", "u", "error")
    assert (failed["error.kind"], failed["error.message"]) == ("ValueError", "no room")
    assert "local variable" not in str(failed)
    sent = written.sent(f"{name}: failed")
    assert (sent.trace_id, sent.number, sent.attributes["order"]) == (span.trace_id, 17, 7)
    assert sent.attributes["exception.type"] == "ValueError"
    assert "local variable" not in str(sent)


def test_structlog_in_any_order(by_structlog: tuple[Written, str]) -> None:
    written, file = by_structlog
    written.each_once()
    assert written.rest == []
    assert written.line("made before init")["code.function.name"] == "main"
    assert written.line("from a coroutine")["code.function.name"] == "later"
    assert written.line("plain logging")["order"] == 7
    assert "too much detail" not in str(written.lines)  # the level that init was told holds
    assert "for a test only" not in str(written.lines)
    assert file.count("placed") == 2  # files of the service stay
    assert file.count("failed") == 2


def test_structlog_finds_the_caller_and_the_message(by_structlog: tuple[Written, str]) -> None:
    written, _ = by_structlog
    failed = written.line("failed in a coroutine")
    assert (failed["error.kind"], failed["error.message"]) == ("ValueError", "no room")
    assert failed["func_name"] == failed["code.function.name"] == "later_failed"
    assert failed["filename"] == "log_structlog.py"
    assert written.line("renamed")["event"] == "placed"
    assert written.line("for logging alone")["order"] == 7


def test_loguru_with_sinks_that_come_and_go(by_loguru: Written) -> None:
    by_loguru.each_once()
    assert [one["message"] for one in by_loguru.lines] == [
        "by the default sink 1",
        "failed",
        "a file alone",
        "password ***",
        "two sinks",
        "configured",
        "intercepted",
        "apart from the root",
        "not from logging",
        "led on 2 False",
        "led on 2 True",
        "led on 1 False",
    ]
    # Of a filter that fails loguru tells itself; nothing else is on the console.
    assert by_loguru.rest[0].startswith("--- Logging error in Loguru")
    assert by_loguru.rest[-1].startswith("--- End of logging error")


def test_what_a_record_of_loguru_says(by_loguru: Written) -> None:
    span = by_loguru.seen.spans[0]
    failed, sent = by_loguru.line("failed"), by_loguru.sent("failed")
    assert (failed["trace_id"], failed["span_id"]) == (span.trace_id, span.span_id)
    assert (sent.trace_id, sent.severity, sent.scope) == (span.trace_id, "ERROR", "__main__")
    assert (failed["status"], failed["order"], failed["code.function.name"]) == ("error", 7, "sinks")
    assert (failed["error.kind"], failed["error.message"]) == ("ValueError", "no room")
    assert "local variable" not in str(failed) + str(sent)
    assert by_loguru.line("configured")["team"] == "a"


def test_between_loguru_and_logging(by_loguru: Written) -> None:
    intercepted = by_loguru.line("intercepted")
    assert (intercepted["logger.name"], intercepted["order"]) == ("plain", 7)
    assert by_loguru.line("apart from the root")["logger.name"] == "apart"
    for message in ("led on 2 False", "led on 2 True", "led on 1 False"):
        led_on = by_loguru.line(message)
        assert (led_on["team"], led_on["code.function.name"]) == ("a", "both_ways")


def test_warnings_servers_and_grpc() -> None:
    written = Written("tests.sdk.apps.log_sources", "both")
    written.each_once()
    assert written.rest == []
    warning = next(one for one in written.lines if one["logger.name"] == "py.warnings")
    assert "FutureWarning: an old way" in warning["message"]
    assert warning["code.file.path"].endswith("log_sources.py")
    assert warning["code.function.name"] == "main"
    assert warning["trace_id"] == written.seen.spans[0].trace_id
    assert written.line("nobody listens")["logger.name"] == "apart"
    assert "below the last resort" not in str(written.lines)
    assert written.line("GET / 200")["logger.name"] == "hypercorn.access"
    assert any(one["logger.name"] == "hypercorn.error" for one in written.lines)
    crash = next(one for one in written.lines if one["logger.name"] == "grpc._server")
    assert crash["error.message"] == "no room"
    assert crash["status"] == "error"


def test_without_a_console_the_last_resort_stays() -> None:
    written = Written("tests.sdk.apps.log_sources", "otlp")
    assert written.sent("nobody listens").severity == "WARN"
    assert "nobody listens" in written.rest
    assert written.lines == []
