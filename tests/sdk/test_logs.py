"""Each record once on stdout as JSON and once by OTLP, whatever configures logging before or after."""

from __future__ import annotations

import io
import logging
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from otel_kit.sdk.logs.console import writes_to_console
from tests.parts import start
from tests.sdk.run import endpoint, lines
from tests.sdk.sink import LogSeen, Seen, running_sink

Line = dict[str, Any]


@pytest.fixture(scope="module")
def written() -> tuple[list[Line], Seen, str]:
    """JSON lines, what arrived, and the whole output of `tests/sdk/apps/logs.py`."""
    command = [sys.executable, "-m", "tests.sdk.apps.logs"]
    with running_sink() as sink, start(command, env=endpoint(sink)) as part:
        assert part.wait() == 0, part.output()
        return lines(part), sink.seen, part.output()


def line(written: tuple[list[Line], Seen, str], message: str) -> Line:
    """The only line with this message."""
    found = [one for one in written[0] if one["message"] == message]
    assert len(found) == 1, found
    return found[0]


def record(written: tuple[list[Line], Seen, str], body: str) -> LogSeen:
    """The only OTLP record with this body."""
    found = [one for one in written[1].logs if one.body == body]
    assert len(found) == 1, found
    return found[0]


def test_each_record_once(written: tuple[list[Line], Seen, str]) -> None:
    own = [one for one in written[0] if one["logger.name"] != "otel_kit"]
    told = Counter(one["message"] for one in own)
    assert set(told.values()) == {1}
    assert {message.replace("\udce4", "?") for message in told} == set(written[1].bodies())
    assert len(written[1].logs) == len(own)
    assert {
        "after basicConfig",
        "a name that only begins like ours",
        "after basicConfig by force",
        "after dictConfig",
        "from uvicorn",
        '1.2.3.4:5 - "GET / HTTP/1.1" 200',
    } <= set(told)
    assert "for a file only" not in told
    assert "too much detail" not in told
    # Nothing beside: no second line as plain text, no complaint of logging.
    assert [one for one in written[2].splitlines() if not one.startswith("{")] == ["a plain line stays plain"]


def test_reserved_names_of_datadog(written: tuple[list[Line], Seen, str]) -> None:
    found = line(written, "extra")
    assert found.pop("timestamp").endswith("Z")
    assert found.pop("code.file.path").endswith("tests/sdk/apps/logs.py")
    assert found.pop("code.line.number") > 0
    assert found == {
        "status": "warn",
        "message": "extra",
        "logger.name": "shop.orders",
        "code.function.name": "records",
        "otel_kit.otlp": True,
        "service": "logs",
        "env": "test",
        "version": "2",
        "order": 7,
        "extra.service": "other",
        "list": [1, {"a": None}],
        "odd": "<Odd without a text>",
    }
    assert [line(written, m)["status"] for m in ("between", "failed", "the end")] == [
        "warn",
        "error",
        "critical",
    ]


def test_hard_records_are_written_nevertheless(written: tuple[list[Line], Seen, str]) -> None:
    assert line(written, "wrong %d %d (1,)")
    assert line(written, "{'a': 'mapping'}")
    assert line(written, "<Odd without a text>")
    assert line(written, "%d <arguments without a text>")
    assert line(written, "not a number")["value"] == "nan"
    assert str(line(written, "circle")["circle"]).startswith("[[[")
    assert any("surrogate" in message["message"] and "ä" in message["message"] for message in written[0])


def test_exceptions(written: tuple[list[Line], Seen, str]) -> None:
    found, sent = line(written, "failed"), record(written, "failed")
    assert found["error.kind"] == sent.attributes["exception.type"] == "__main__.CustomError"
    assert found["error.message"] == sent.attributes["exception.message"] == "as it should read"
    assert found["error.stack"] == sent.attributes["exception.stacktrace"]
    assert "raise CustomError" in found["error.stack"]


def test_otlp_records(written: tuple[list[Line], Seen, str]) -> None:
    sent = record(written, "extra")
    assert (sent.severity, sent.number, sent.scope) == ("WARN", 13, "shop.orders")
    assert sent.attributes["order"] == 7
    assert sent.attributes["list"] == [1, {"a": None}]
    assert sent.attributes["code.function.name"] == "records"
    assert sent.attributes["code.file.path"].endswith("logs.py")
    assert record(written, "the end").severity == "CRITICAL"


def test_correlation(written: tuple[list[Line], Seen, str]) -> None:
    span = written[1].spans[0]
    found, sent = line(written, "within"), record(written, "within")
    assert (found["trace_id"], found["span_id"]) == (span.trace_id, span.span_id)
    assert (sent.trace_id, sent.span_id) == (span.trace_id, span.span_id)
    assert "trace_id" not in line(written, "extra")


PASSWORD, ORDER = "password hunter2", "an error"
ORDERS = {
    "nothing": ["info", PASSWORD, ORDER],
    "filter": ["password ***", ORDER],
    "warning before": [PASSWORD, ORDER],
    "file after": ["debug", "info", PASSWORD, ORDER],
    "level after": [ORDER],
    "disabling": ["info", PASSWORD, ORDER],
    "by hand": ["info", PASSWORD, ORDER],
    "of its own": ["info", PASSWORD, ORDER],
    "cleared": ["info", PASSWORD, ORDER],
    "cleared for a file": ["info", PASSWORD, ORDER],
    "queued": ["info", PASSWORD, ORDER],
    "intercepted": ["info", ORDER],
}


@pytest.mark.parametrize("case", ORDERS)
def test_levels_and_filters_of_the_service_hold(case: str, tmp_path: Path) -> None:
    file = tmp_path / "app.log"
    command = [sys.executable, "-m", "tests.sdk.apps.logging_order", case, str(file)]
    with running_sink() as sink, start(command, env=endpoint(sink)) as part:
        assert part.wait() == 0, part.output()
        said = lines(part)
        raw = [text for text in part.output().splitlines() if not text.startswith("{")]
    assert [one["message"] for one in said if one["logger.name"] == "shop"] == ORDERS[case]
    assert sink.seen.bodies() == ORDERS[case]
    assert raw == []  # no line twice, as text beside JSON
    if case == "disabling":
        assert "flushed" in said[-1]["message"]  # what it says itself is not silenced
    if case == "file after":
        assert [line.rpartition(":")[2] for line in file.read_text().splitlines()][:3] == [
            "debug",
            "info",
            PASSWORD,
        ]


FORMATTED = """
import logging, sys, otel_kit
class Loud(logging.Formatter):
    def format(self, record):
        text = super().format(record)
        record.message = record.message.upper()
        return text
handler = logging.StreamHandler()
logging.basicConfig(level="INFO", handlers=[handler])
otel_kit.init(service="formatted", logs="otlp")
for formatter in (logging.Formatter("%(asctime)s %(message)s"), Loud("%(message)s"), None):
    handler.setFormatter(formatter)
    logging.info("to %s by %s", "them", [1])
    logging.info("wrong %d", "x")
    logging.info("100 % plain", extra={"message2": 1})
"""


def test_messages_are_those_of_the_service_whatever_formats_its_lines() -> None:
    with running_sink() as sink, start([sys.executable, "-c", FORMATTED], env=endpoint(sink)) as part:
        assert part.wait() == 0, part.output()
    told = Counter(one.body for one in sink.seen.logs if one.scope == "root")
    assert told == {"to them by [1]": 3, "wrong %d ('x',)": 3, "100 % plain": 3}


class Odd(logging.StreamHandler[Any]):
    """A handler whose stream is not to be had."""

    @property
    def stream(self) -> Any:
        raise RuntimeError("no stream yet")

    @stream.setter
    def stream(self, value: Any) -> None:
        pass


class Coloured(logging.Handler):
    """One in the manner of rich, which writes through an object of its own."""

    def __init__(self, file: Any) -> None:
        super().__init__()
        self.console = SimpleNamespace(file=file)


def test_what_counts_as_a_handler_for_the_console(tmp_path: Path) -> None:
    shown: tuple[logging.Handler, ...] = (
        logging.StreamHandler(),
        logging.StreamHandler(sys.stdout),
        logging.StreamHandler(sys.__stdout__),
        logging.FileHandler("/dev/stdout", delay=True),
        Coloured(sys.stderr),
    )
    assert all(map(writes_to_console, shown))
    others: tuple[logging.Handler, ...] = (
        logging.StreamHandler(io.StringIO()),
        logging.FileHandler(tmp_path / "app.log", delay=True),
        logging.NullHandler(),
        Coloured(io.StringIO()),
        Odd(),
    )
    assert not any(map(writes_to_console, others))
