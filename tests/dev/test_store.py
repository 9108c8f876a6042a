"""What a kill leaves, how much is kept, and the questions the page asks."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from otel_kit.dev.model import Distribution, Loss, Point, Span
from otel_kit.dev.store import monitoring, objects, queries
from otel_kit.dev.store.database import open_database
from otel_kit.dev.store.losses import MAX_REASONS, OTHER_REASONS
from otel_kit.dev.store.monitoring import MAX_GROUPS, MAX_NOTIFICATIONS
from otel_kit.dev.store.retention import Retention
from otel_kit.dev.store.series_reader import StoreReader
from otel_kit.dev.store.writer import Writer
from tests.dev.otlp import KEY, counts, log_lines, metrics, resource, spans
from tests.dev.process import running


def span(number: int, *, trace: int | None = None, parent: str = "", start: int = 1) -> Span:
    return Span(
        trace_id=f"{number if trace is None else trace:032x}",
        span_id=f"{number:016x}",
        parent_id=parent,
        service=f"s{number}",
        env="",
        version="",
        name="n",
        kind="server",
        operation="o",
        resource=f"r{number}",
        type="web",
        start_ns=start,
        duration_ns=10,
        error=number % 2,
        status_message="",
        attributes="{}",
        resource_attributes="{}",
        events="[]",
        links="[]",
    )


def point(metric: str, second: int, value: float, *tags: str) -> Point:
    return Point(metric, "count", tags, second * 10**9, value, None)


def test_what_was_answered_with_200_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "dev.sqlite"
    with running("--db", str(path)) as dev:
        dev.ask(
            "POST", "/v1/traces", spans("000000000000000000000000000000ab", "00000000000000ab"), headers=KEY
        )
        dev.ask("POST", "/v1/metrics", metrics([counts("kept", 3)]), headers=KEY)
        dev.ask("POST", "/v1/logs", log_lines([("line", "INFO", 9, "")], resource({})), headers=KEY)
        dev.part.kill()
    with running("--db", str(path)) as dev:
        assert [t["trace_id"] for t in dev.get("/dev/api/traces")] == ["000000000000000000000000000000ab"]
        assert [m["name"] for m in dev.get("/dev/api/metrics")] == ["kept"]
        assert [x["message"] for x in dev.get("/dev/api/logs")] == ["line"]
        assert dev.part.terminate() == 0
    # A clean end folds everything into the one file, so that it can be handed on.
    copy = shutil.copy(path, tmp_path / "copy.sqlite")
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM spans").fetchone() == (1,)


def test_the_oldest_rows_go_and_are_counted(tmp_path: Path) -> None:
    with open_database(tmp_path / "db") as database:
        writer = Writer(database, Retention(database, keep=100))
        for start in range(0, 250, 25):
            writer.store(spans=[span(n, start=n + 1) for n in range(start, start + 25)])
        points = [point("m", 1000 + n, float(n), "a:b") for n in range(250)]
        for start in range(0, 250, 25):
            writer.store(points=points[start : start + 25])
        connection = database.read()
        (kept,) = connection.execute("SELECT COUNT(*) FROM spans").fetchone()
        assert 75 <= kept <= 100
        traces = queries.traces(connection, limit=1000)
        assert next(t["service"] for t in traces) == "s249"
        assert len(traces) == kept
        (only,) = queries.series(connection, "m")
        assert only["points"][-1] == [1249, 249.0]
        assert 75 <= len(only["points"]) <= 101
        lost = {x["signal"]: x["count"] for x in queries.losses(connection)}
        assert lost == {"traces": 250 - kept, "metrics": 250 - len(only["points"])}


def test_what_belonged_to_evicted_rows_alone_goes_with_them(tmp_path: Path) -> None:
    with open_database(tmp_path / "db") as database:
        writer = Writer(database, Retention(database, keep=100))
        for start in range(0, 300, 25):
            numbers = range(start, start + 25)
            writer.store(
                spans=[span(n)._replace(resource_attributes=f'{{"n":{n}}}') for n in numbers],
                # All of one second, each a series and a metric of its own.
                points=[point(f"m{n}", 1000, 1.0, f"n:{n}") for n in numbers],
            )
        writer.store(spans=[span(0)], points=[point("m0", 1000, 1.0, "n:0")])
        connection = database.read()
        counts = {
            table: connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
            for table in ("spans", "traces", "resources", "services", "points", "series", "metrics")
        }
        assert all(75 <= count <= 101 for count in counts.values()), counts
        assert len(queries.trace(connection, f"{0:032x}")["spans"]) == 1  # type: ignore[index]
        assert [s["points"] for s in queries.series(connection, "m0")] == [[[1000, 1.0]]]
        assert [m["points"] for m in queries.metrics(connection)] == [1] * counts["metrics"]


def test_reasons_of_losses_are_counted_together_when_there_are_very_many(tmp_path: Path) -> None:
    with open_database(tmp_path / "db") as database:
        writer = Writer(database, Retention(database))
        for number in range(3 * MAX_REASONS):
            writer.store(losses=[Loss("traces", f"garbage {number}", 2)])
        writer.store(losses=[Loss("traces", "garbage 1", 1), Loss("logs", "x" * 10_000, 1)])
        found = {(x["signal"], x["reason"]): x["count"] for x in queries.losses(database.read())}
    assert len(found) == MAX_REASONS + 2
    assert found["traces", "garbage 1"] == 3
    assert found["traces", OTHER_REASONS] == 2 * 2 * MAX_REASONS
    assert sum(found.values()) == 2 * 3 * MAX_REASONS + 2
    assert found["logs", "x" * 500] == 1


def test_the_newest_notifications_are_kept_and_the_others_counted(tmp_path: Path) -> None:
    with open_database(tmp_path / "db") as database:
        with database.write() as connection:
            for number in range(MAX_NOTIFICATIONS + 5):
                monitoring.add_notification(connection, 1, number, {"n": number})
        kept = monitoring.notifications(database.read(), monitor_id=None, limit=2 * MAX_NOTIFICATIONS)
        (lost,) = queries.losses(database.read())
    assert (len(kept), kept[-1]["n"]) == (MAX_NOTIFICATIONS, 5)
    assert (lost["signal"], lost["count"]) == ("notifications", 5)


def test_of_very_many_groups_the_worst_are_shown(tmp_path: Path) -> None:
    with open_database(tmp_path / "db") as database:
        with database.write() as connection:
            number = objects.insert_monitor(connection)
            shown = {"id": number, "name": "n", "type": "t", "query": "q", "overall_state": "Alert"}
            objects.save_monitor(connection, shown)
            state = {"state": "OK", "value": 1.0, "since_ms": 1}
            many = {f"h:{n:04}": state for n in range(MAX_GROUPS * 2)}
            worse = {"h:y": {**state, "state": "Warn"}, "h:z": {**state, "state": "Alert"}}
            monitoring.save_groups(connection, number, {**many, **worse})
        (found,) = monitoring.monitors(database.read())
    assert (found["group_count"], len(found["groups"])) == (MAX_GROUPS * 2 + 2, MAX_GROUPS)
    assert [g["group"] for g in found["groups"][:3]] == ["h:z", "h:y", "h:0000"]


def test_points_that_replace_others_evict_nothing(tmp_path: Path) -> None:
    with open_database(tmp_path / "db") as database:
        writer = Writer(database, Retention(database, keep=100))
        for value in range(5):
            writer.store(points=[point("m", n, float(value)) for n in range(60)])
        (lost,) = queries.losses(database.read())
        assert (lost["count"], "overwritten" in lost["reason"]) == (240, True)


def test_the_same_again_is_no_loss_and_another_under_its_name_is(tmp_path: Path) -> None:
    found = Distribution(count=1.0, sum=6.0, min=1.0, max=3.0, buckets=((1.0, 2.0, 1.0),))
    other = Distribution(count=1.0, sum=6.0, min=1.0, max=3.0, buckets=((1.0, 3.0, 1.0),))
    one = Point("d", "distribution", (), 10**9, None, found)
    with open_database(tmp_path / "db") as database:
        writer = Writer(database, Retention(database))
        for _ in range(3):
            assert writer.store(spans=[span(1), span(2), span(1)], points=[point("c", 1, 5.0), one]) == []
        assert [t["spans"] for t in queries.traces(database.read())] == [1, 1]
        # The same value at another moment of the second is what a second writer sends.
        later = [point("c", 1, 5.0)._replace(time_ns=10**9 + 1), one._replace(distribution=other)]
        lost = writer.store(spans=[span(1)._replace(name="other"), span(3)], points=later)
    assert {(loss.signal, loss.reason, loss.count) for loss in lost} == {
        ("traces", "a span with the ids of another one", 1),
        ("metrics", "c: overwritten by a point of the same tags and second", 1),
        ("metrics", "d: overwritten by a point of the same tags and second", 1),
    }


def test_a_request_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with open_database(tmp_path / "db") as database:
        writer = Writer(database, Retention(database))
        broken = span(2)._replace(start_ns=2**70)
        with pytest.raises(OverflowError):
            writer.store(spans=[span(1), broken], points=[point("m", 1, 1.0)])
        assert queries.traces(database.read()) == []
        writer.store(spans=[span(1)], points=[point("m", 1, 1.0)])
        assert [t["spans"] for t in queries.traces(database.read())] == [1]
        assert [m["points"] for m in queries.metrics(database.read())] == [1]


def test_a_trace_is_named_by_its_root_however_its_spans_arrive(tmp_path: Path) -> None:
    with open_database(tmp_path / "db") as database:
        writer = Writer(database, Retention(database))
        root = f"{1:016x}"
        writer.store(spans=[span(2, trace=9, parent=root, start=5), span(4, trace=8, parent=root, start=50)])
        writer.store(spans=[span(1, trace=9, start=7), span(2, trace=9, parent=root, start=5)])
        found = {t["trace_id"][-1]: t for t in queries.traces(database.read())}
        assert (found["9"]["service"], found["9"]["resource"], found["9"]["spans"]) == ("s1", "r1", 2)
        assert (found["9"]["start_ns"], found["9"]["duration_ns"], found["9"]["errors"]) == (5, 12, 1)
        assert found["8"]["service"] == "s4"
        assert [t["trace_id"][-1] for t in queries.traces(database.read(), service="s1")] == ["9"]
        assert [t["trace_id"][-1] for t in queries.traces(database.read(), service="s2")] == ["9"]
        assert queries.traces(database.read(), service="s3") == []
        assert queries.losses(database.read()) == []


def test_series_are_read_back_as_they_were(tmp_path: Path) -> None:
    found = Distribution(count=3.0, sum=6.0, min=1.0, max=3.0, buckets=((1.0, 2.0, 2.0), (2.0, 3.0, 1.0)))
    with open_database(tmp_path / "db") as database:
        points = [
            Point("d", "distribution", ("a:b",), second * 10**9, None, found) for second in (10, 20, 30)
        ]
        Writer(database, Retention(database)).store(points=points)
        (series,) = StoreReader(database.read()).read("d", 15, 30)
        assert (series.first, series.last, series.type) == (10, 30, "distribution")
        assert list(series.points) == [(20, found)]
        (outside,) = StoreReader(database.read()).read("d", 100, 200)
        assert list(outside.points) == []
        assert StoreReader(database.read()).read("unknown", 0, 100) == []


def test_readers_cannot_write(tmp_path: Path) -> None:
    refused = pytest.raises(sqlite3.OperationalError, match="readonly")
    with open_database(tmp_path / "db") as database, refused:
        database.read().execute("DELETE FROM spans")
