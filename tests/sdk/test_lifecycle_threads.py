"""Context crosses to other threads, without a word of the service, and does not stay in them."""

from __future__ import annotations

import sys

import pytest

from tests.parts import start
from tests.sdk.run import endpoint
from tests.sdk.sink import Seen, running_sink

CROSSES = {
    *("thread", "subclass", "timer", "nested", "assigned", "once"),
    *("submit", "keyword", "map", "again", "error", "done"),
    *("run_in_executor", "to_thread", "task", "call_soon", "copied"),
}
#: What asyncio and the service itself carry over.
ANYWAY = {"to_thread", "task", "call_soon", "copied"}


def run(*arguments: str) -> Seen:
    """What arrives of `tests/sdk/apps/threads.py`."""
    with running_sink() as sink:
        with start([sys.executable, "-m", "tests.sdk.apps.threads", *arguments], env=endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
            assert part.output().count("freed True") == 2
            assert "Traceback" not in part.output()
        return sink.seen


@pytest.mark.parametrize(("arguments", "crosses"), [((), CROSSES), (("off",), ANYWAY)])
def test_work_in_another_thread_is_a_child_of_who_asked_for_it(
    arguments: tuple[str, ...], crosses: set[str]
) -> None:
    seen = run(*arguments)
    parents = {span.span_id for span in seen.spans if span.name == "parent"}
    assert len(parents) == 6
    children = {span.name for span in seen.spans if span.parent_id in parents}
    assert children - {"freed", "process", "in process"} == crosses
    assert sum(span.name == "map" for span in seen.spans) == 3
    # Each log line in its own span, whatever the thread.
    spans = {(span.trace_id, span.span_id) for span in seen.spans if span.name != "parent"}
    assert {(log.trace_id, log.span_id) for log in seen.logs if log.scope == "threads"} == spans


def test_a_thread_of_a_pool_keeps_nothing_of_the_task_before() -> None:
    seen = run()
    roots = {span.name for span in seen.spans if not span.parent_id}
    assert roots == {"parent", "initializer", "outside", "alone", "freed", "in process"}
    in_process = [span.parent_id for span in seen.spans if span.name == "in process"]
    assert in_process == ["", ""]
    assert [bool(span.parent_id) for span in seen.spans if span.name == "process"] == [True]
