"""Loggers that write too much: what is kept, and that the rest is told."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Sequence

import pytest
from opentelemetry.metrics import CallbackOptions
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

from otel_kit.sdk.config.arguments import Arguments
from otel_kit.sdk.config.logs import LogLimit, LogSettings
from otel_kit.sdk.config.settings import resolve
from otel_kit.sdk.logs.limits import Limits
from tests.parts import start
from tests.sdk.run import endpoint, lines
from tests.sdk.sink import running_sink


def settings(**environ: str) -> tuple[LogSettings, tuple[str, ...]]:
    found = resolve(Arguments(service="s"), {"DD_ENV": "e", "DD_VERSION": "1", **environ}, host="h")
    return found.logs, found.problems


def record(name: str, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord(name, level, __file__, 1, "message", None, None)


def limits(*rules: LogLimit) -> tuple[Limits, list[logging.LogRecord]]:
    told: list[logging.LogRecord] = []
    return Limits(rules, told.append), told


def kept(made: Limits, records: Sequence[logging.LogRecord]) -> int:
    return sum(made.allows(one) for one in records)


def test_the_grammar() -> None:
    found, problems = settings(
        OTEL_KIT_LOG_LIMITS="noisy.lib=10/s, other=30/m ,uvicorn.access=0.1,*=.5,x=0,y=1"
    )
    assert found.limits == (
        LogLimit(logger="noisy.lib", per_second=10),
        LogLimit(logger="other", per_second=0.5),
        LogLimit(logger="uvicorn.access", share=0.1),
        LogLimit(logger="", share=0.5),
        LogLimit(logger="x", share=0),
        LogLimit(logger="y", share=1),
    )
    assert not problems


@pytest.mark.parametrize(
    "wrong", ["lib", "lib=", "lib=2", "lib=-1", "lib=1/h", "=1/s", "lib=nan", "lib=1e3/s"]
)
def test_a_wrong_limit_is_one_problem(wrong: str) -> None:
    found, problems = settings(OTEL_KIT_LOG_LIMITS=f"{wrong},good=1/s")
    assert found.limits == (LogLimit(logger="good", per_second=1),)
    assert len(problems) == 1
    assert "10/s" in problems[0]


def test_the_names_of_google_need_a_project() -> None:
    found, problems = settings(OTEL_KIT_LOG_FORMAT="google")
    assert (found.line, found.project) == ("google", None)
    assert "GOOGLE_CLOUD_PROJECT" in problems[0]
    found, problems = settings(OTEL_KIT_LOG_FORMAT="google", GCP_PROJECT="p")
    assert (found.project, problems) == ("p", ())


def test_the_longest_name_counts() -> None:
    made, _ = limits(
        LogLimit(logger="", share=0),
        LogLimit(logger="lib", share=1),
        LogLimit(logger="lib.noisy", share=0),
    )
    assert [
        made.allows(record(name)) for name in ("lib", "lib.a", "lib.noisy", "lib.noisy.a", "library", "root")
    ] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]


def test_without_a_limit_all_are_kept() -> None:
    made, told = limits(LogLimit(logger="lib", share=0))
    assert kept(made, [record("other")] * 100) == 100
    made.report()
    assert told == []


def test_a_share_keeps_traces_whole_and_all_errors() -> None:
    made, _ = limits(LogLimit(logger="lib", share=0.3))
    traces = 0
    for number in range(300):
        trace_id = number * (1 << 56) // 300 + (1 << 100)
        with use_span(NonRecordingSpan(SpanContext(trace_id, 1, is_remote=False, trace_flags=TraceFlags(0)))):
            some = kept(made, [record("lib")] * 5)
            assert kept(made, [record("lib", logging.ERROR)] * 5) == 5
        assert some in (0, 5)
        traces += some == 5
    assert traces == 90
    assert 0 < kept(made, [record("lib")] * 1000) < 1000  # outside of traces by chance


def test_a_rate_counts_errors_apart() -> None:
    made, told = limits(LogLimit(logger="lib", per_second=5))
    assert 5 <= kept(made, [record("lib")] * 100) < 100
    assert 5 <= kept(made, [record("lib", logging.ERROR)] * 100) < 100
    made.report()
    assert told[0].name == "lib"
    count = told[0].__dict__["otel_kit.left_out"]
    assert 0 < count <= 190
    assert told[0].getMessage() == f"{count} records of logger lib were left out"
    made.report()
    assert len(told) == 1
    assert [(o.value, o.attributes) for o in made.observe(CallbackOptions())] == [
        (count, {"logger.name": "lib"})
    ]


def test_none_is_lost_between_threads() -> None:
    made, told = limits(LogLimit(logger="lib", per_second=3))
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(kept(made, [record("lib")] * 500))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made.report()
    assert sum(found) + told[0].__dict__["otel_kit.left_out"] == 2000


CODE = """
import logging, otel_kit
otel_kit.init(service="s", log_level="INFO")
for number in range(100):
    logging.getLogger("lib.noisy").info("chatter %d", number)
    logging.getLogger("app").info("work %d", number)
"""


def test_a_process_tells_at_its_end() -> None:
    with running_sink() as sink:
        env = {**endpoint(sink), "OTEL_KIT_LOG_LIMITS": "lib=0"}
        with start([sys.executable, "-c", CODE], env=env) as part:
            assert part.wait() == 0, part.output()
            said = [one["message"] for one in lines(part) if one["logger.name"] != "otel_kit"]
    assert said == [*(f"work {number}" for number in range(100)), "100 records of logger lib were left out"]
    assert sink.seen.bodies() == said
    assert sink.seen.total("otel_kit.log.left_out", logger__name="lib") == 100
