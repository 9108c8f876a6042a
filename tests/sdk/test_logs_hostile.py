"""Whatever is logged, and from wherever: no error, no hang, no line that is no JSON, nothing lost."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from tests.parts import start
from tests.sdk.run import endpoint, lines
from tests.sdk.sink import Seen, running_sink

APP = (sys.executable, "-m", "tests.sdk.apps.log_hostile")


def written(what: str) -> tuple[list[dict[str, Any]], list[str], Seen]:
    """JSON lines of the service, other lines, and what arrived."""
    with running_sink() as sink, start([*APP, what], env=endpoint(sink)) as part:
        assert part.wait() == 0, part.output()
        own = [one for one in lines(part) if one["logger.name"] != "otel_kit"]
        return own, [text for text in part.output().splitlines() if not text.startswith("{")], sink.seen


@pytest.fixture(scope="module")
def contents() -> tuple[list[dict[str, Any]], list[str], Seen]:
    return written("contents")


def test_each_is_written_and_sent(contents: tuple[list[dict[str, Any]], list[str], Seen]) -> None:
    said, rest, seen = contents
    told = Counter(one["message"][:100] for one in said)
    assert told["nested text"] == told["said by the text"] == told["endless loop"] == 1
    for message in (
        "odd",
        "made",
        "time nan",
        "time -5.5",
        "time 1e+30",
        "level",
        "mute",
        "none",
        "stack",
        "at exit",
    ):
        assert told[message] == 1, (message, told)
    bodies = Counter(str(body)[:100] for body in seen.bodies())
    assert bodies.pop("without stdout") == 2
    # What is logged when the interpreter goes comes too late to be sent.
    assert bodies == told - Counter({"collected": 1})
    # One line tells that stdout is closed; None means that nobody wants one.
    assert rest == ["otel-kit: log records cannot be written: ValueError"]


def test_odd_fields(contents: tuple[list[dict[str, Any]], list[str], Seen]) -> None:
    said, _, seen = contents
    odd = next(one for one in said if one["message"] == "odd")
    assert odd["mute"] == "<Mute without a text>"
    assert odd["5"] == "no text as a key"
    assert (odd["infinite"], odd["colour"], odd["liar"]) == ("-inf", "red", "said")
    assert "left out" in odd["big"]
    assert len(odd["big"]) < 300_000
    assert "left out" in odd["many"][-1]
    assert len(odd["many"]) < 10_000
    assert odd["\ud800"] == "\udfff"
    sent = next(log for log in seen.logs if log.body == "odd").attributes
    assert (sent["colour"], sent["liar"], sent["5"]) == ("red", "said", "no text as a key")
    assert sent["?"] == "?"
    mute = next(one for one in said if one["message"] == "mute")
    assert mute["error.message"] == "<MuteError without a text>"
    assert "in <module>" in next(one for one in said if one["message"] == "stack")["code.stacktrace"]


def test_amid_other_records() -> None:
    said, rest, seen = written("places")
    assert rest == []
    counted = next(one for one in said if one["message"] == "counted")
    told = Counter(one["message"] for one in said)
    assert told["main"] == counted["main"]
    assert told["handled"] == counted["handled"] > 0
    assert told["collected"] in (counted["collected"], counted["collected"] + 1)  # or with the interpreter
    sent, marked = Counter(seen.bodies()), Counter(one["message"] for one in said if "otel_kit.otlp" in one)
    assert (sent["main"], sent["handled"]) == (told["main"], told["handled"])
    # What is collected in a thread that exports is not sent, and its line does not say so either.
    assert 0 <= marked["collected"] - sent["collected"] <= told["collected"] - counted["collected"]


def test_threads_and_a_child() -> None:
    said, rest, seen = written("threads")
    assert rest == []
    expected = {
        f"{name} {number}" for name in ("child", *(f"thread {n}" for n in range(4))) for number in range(200)
    }
    for told in (Counter(one["message"] for one in said), Counter(seen.bodies())):
        assert {message for message in told if message.startswith(("thread", "child"))} == expected
        assert all(told[message] == 1 for message in expected)
    resources = {
        log.resource["service.instance.id"] for log in seen.logs if str(log.body).startswith("child")
    }
    others = {log.resource["service.instance.id"] for log in seen.logs if str(log.body).startswith("thread")}
    assert len(resources) == len(others) == 1
    assert resources != others


LED_BACK = """
import logging, sys, otel_kit
class Proxy:
    encoding, busy = "utf-8", False
    def __init__(self, logger): setattr(self, NAME, logger)
    def write(self, text):
        if text.strip() and not (GUARDED and self.busy):
            self.busy = True
            getattr(self, NAME).info(text.strip())
            self.busy = False
    def flush(self): pass
otel_kit.init(service="s")
sys.stdout = Proxy(logging.getLogger("printed"))
print("printed first")
logging.getLogger("app").info("one", extra={"order": 7})
logging.getLogger("app").info("two")
print("printed last")
"""


@pytest.mark.parametrize("proxy", ["NAME, GUARDED = 'logger', True", "NAME, GUARDED = 'anything', False"])
def test_a_stdout_that_leads_back_to_logging(proxy: str) -> None:
    with running_sink() as sink, start([sys.executable, "-c", proxy + LED_BACK], env=endpoint(sink)) as part:
        assert part.wait() == 0, part.output()
        own = [one for one in lines(part) if one["logger.name"] != "otel_kit"]
    told = ["printed first", "one", "two", "printed last"]
    assert [one["message"] for one in own] == told
    assert Counter(sink.seen.bodies()) == Counter(told)


def test_a_pipe_that_nobody_reads_any_more() -> None:
    code = (
        "import logging, os, sys, otel_kit\n"
        "otel_kit.init(service='s', logs='both', log_level='INFO', endpoint='http://127.0.0.1:9')\n"
        "sys.stdin.read()\n"
        "for n in range(50): logging.getLogger('app').info('line %d', n)\n"
        "sys.stderr.write('done\\n'); sys.stderr.flush(); os._exit(0)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    process.stdin.close()
    said = process.stderr.read().splitlines()
    assert process.wait(timeout=60) == 0
    assert said == ["otel-kit: log records cannot be written: BrokenPipeError", "done"]
    process.stderr.close()
