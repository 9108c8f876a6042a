"""Errors that nobody catches, in real processes: one record each, and no secrets on the console."""

from __future__ import annotations

import signal
import sys
from typing import Any

import pytest

from tests.parts import start
from tests.sdk.run import endpoint, lines
from tests.sdk.sink import LogSeen, Seen, running_sink


class Crash:
    """What one job left behind."""

    def __init__(self, *ways: str, **env: str) -> None:
        with (
            running_sink() as sink,
            start(
                [sys.executable, "-m", "tests.sdk.apps.crashes", *ways], env={**endpoint(sink), **env}
            ) as part,
        ):
            self.code = part.wait()
            self.output = part.output()
            self.lines = [one for one in lines(part) if one["logger.name"] == "uncaught"]
            self.rest = "\n".join(one for one in self.output.splitlines() if not one.startswith("{"))
            self.seen: Seen = sink.seen
        self.records = [one for one in self.seen.logs if one.scope == "uncaught"]

    def sent(self) -> LogSeen:
        """The only record."""
        assert len(self.records) == 1, self.output
        return self.records[0]

    def line(self) -> dict[str, Any]:
        """The only line."""
        assert len(self.lines) == 1, self.output
        return self.lines[0]

    def without_secrets(self) -> None:
        """Neither on the console nor sent."""
        assert "hunter2" not in self.output
        assert "jane@" not in self.output
        assert "hunter2" not in str(self.seen)
        assert "jane@" not in str(self.seen)


def test_the_end_of_the_process_is_one_record_in_its_span() -> None:
    crash = Crash("span")
    assert crash.code == 1
    step, job = crash.seen.spans
    assert (step.name, step.status, job.name, job.status) == ("step", 2, "job", 2)
    assert [[name for name, _ in span.events] for span in (step, job)] == [["exception"], ["exception"]]
    sent, line = crash.sent(), crash.line()
    assert (sent.body, sent.severity, sent.number) == ("uncaught exception", "CRITICAL", 21)
    assert (sent.trace_id, sent.span_id) == (job.trace_id, job.span_id)
    assert sent.attributes["exception.type"] == "RuntimeError"
    assert sent.attributes["code.function.name"] == "fail"
    assert "in fail_in_span" in sent.attributes["exception.stacktrace"]
    assert (line["message"], line["status"], line["service"]) == ("uncaught exception", "critical", "job")
    assert (line["trace_id"], line["span_id"]) == (job.trace_id, job.span_id)
    assert line["error.kind"] == "RuntimeError"
    assert line["error.message"].startswith("no access: password=")
    assert line["otel_kit.otlp"] is True
    assert crash.rest == ""
    crash.without_secrets()


def test_without_a_span_there_is_none() -> None:
    crash = Crash("after another")
    assert (crash.code, crash.rest, len(crash.seen.spans)) == (1, "", 20)
    assert crash.sent().trace_id == ""
    assert "trace_id" not in crash.line()


@pytest.mark.parametrize("way", ["task", "pool"])
def test_the_span_of_an_error_from_another_thread(way: str) -> None:
    crash = Crash(way)
    assert (crash.code, crash.rest) == (1, "")
    assert crash.sent().span_id == next(s.span_id for s in crash.seen.spans if s.name == "job")


def test_a_thread_that_fails_is_a_record_and_the_process_goes_on() -> None:
    crash = Crash("thread")
    assert (crash.code, crash.rest) == (0, "")
    sent = crash.sent()
    assert (sent.severity, sent.attributes["thread.name"]) == ("ERROR", "worker")
    assert sent.span_id == next(s.span_id for s in crash.seen.spans if s.name == "job")
    assert (crash.line()["status"], crash.line()["thread.name"]) == ("error", "worker")
    crash.without_secrets()


def test_a_thread_in_the_span_of_who_started_it() -> None:
    crash = Crash("carried")
    assert (crash.code, crash.sent().span_id) == (0, crash.seen.spans[0].span_id)


@pytest.mark.parametrize(("way", "codes"), [("process", "[1, 5, 0]"), ("fork", "[1]")])
def test_children_that_fail(way: str, codes: str) -> None:
    crash = Crash(way)
    assert (crash.code, crash.rest) == (0, f"exit codes {codes}")
    sent = crash.sent()
    assert sent.severity == "CRITICAL"
    assert sent.attributes.get("process.name") == ("child" if way == "process" else None)
    assert sent.span_id == next(s.span_id for s in crash.seen.spans if s.name == "job")
    crash.line()
    crash.without_secrets()


def test_children_that_call_init_themselves() -> None:
    crash = Crash("before init", "late")
    # Later versions of Python write a line before they ask for the traceback.
    line_before = "" if sys.version_info < (3, 13) else "Process child:\n"
    assert (crash.code, crash.rest) == (0, f"{line_before}exit codes [1, 5, 0]")
    sent, line = crash.sent(), crash.line()
    assert (sent.severity, sent.attributes["process.name"]) == ("CRITICAL", "child")
    assert sent.span_id == line["span_id"] == next(s.span_id for s in crash.seen.spans if s.name == "job")
    assert line["error.kind"] == "RuntimeError"
    # What else the children have to do at their end is done.
    assert crash.output.count('"message": "finished"') == 3
    crash.without_secrets()


def test_what_python_ignores_is_a_record_as_well() -> None:
    crash = Crash("ignored")
    assert [(one.body, one.severity) for one in crash.records] == [("ignored exception", "ERROR")] * 2
    assert [one["message"] for one in crash.lines] == ["ignored exception"] * 2
    assert "Fragile.__del__" in crash.records[0].attributes["ignored.in"]
    assert "hunter2" not in str(crash.seen) + str(crash.lines)
    # Long after the flush: Python prints it, as it does without us.
    assert (crash.code, crash.rest.count("Exception ignored"), crash.rest.count("Traceback")) == (0, 1, 1)


def test_hooks_of_the_service_run_as_well() -> None:
    crash = Crash("own hooks", "thread", "plain")
    # Its hook gets to see the exit of a thread, too.
    assert (crash.code, crash.rest) == (1, "own hook\nown hook\nown hook")
    assert [one.severity for one in crash.records] == ["ERROR", "CRITICAL"]
    assert [one["status"] for one in crash.lines] == ["error", "critical"]
    crash.without_secrets()


def test_where_lines_do_not_go_to_the_console_python_prints() -> None:
    crash = Crash("thread", "process", "plain", OTEL_KIT_LOGS="otlp")
    assert (crash.code, crash.lines, len(crash.records)) == (1, [], 3)
    assert "Exception in thread worker:\nTraceback" in crash.rest
    assert "Process child:\nTraceback" in crash.rest
    assert crash.rest.count("RuntimeError: no access") == 3
    assert "hunter2" not in str(crash.seen)


@pytest.mark.parametrize("way", ["closed", "prompt"])
def test_nobody_misses_an_error_that_has_no_line(way: str) -> None:
    crash = Crash(way)
    assert (crash.code, crash.lines) == (1, [])
    assert "RuntimeError: no access" in crash.rest
    assert len(crash.records) == (way == "closed")


def test_an_interrupt_and_an_exit_are_no_errors() -> None:
    interrupted = Crash("interrupted")
    assert (interrupted.code, interrupted.records, interrupted.lines) == (-signal.SIGINT, [], [])
    assert interrupted.rest.endswith("KeyboardInterrupt")
    left = Crash("exit")
    assert (left.code, left.records, left.output) == (3, [], "")


@pytest.mark.parametrize(
    ("env", "ways"),
    [
        ({"OTEL_KIT_DISABLED": "true"}, ()),
        ({"OTEL_KIT_LOGS": "none"}, ()),
        ({}, ("before init",)),
    ],
)
def test_where_there_are_no_records_python_prints(env: dict[str, str], ways: tuple[str, ...]) -> None:
    crash = Crash(*ways, "plain", **env)
    assert (crash.code, crash.lines, crash.records) == (1, [], [])
    assert crash.rest.startswith("Traceback")
