"""The pytest plugin, as a service's author uses it: real pytest runs over real applications."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parts import free_port

Run = Callable[..., str]

APP = """
    import logging
    from fastapi import FastAPI
    from opentelemetry import metrics, trace
    import otel_kit
    otel_kit.init(service="shop")
    app = FastAPI()
    created = metrics.get_meter("shop").create_counter("orders.created")

    @app.get("/orders/{number}")
    def order(number: int) -> int:
        with trace.get_tracer("shop").start_as_current_span("load order") as span:
            span.set_attribute("order.number", number)
            logging.getLogger("shop").info("loaded %d", number)
        created.add(1, {"currency": "eur"})
        if number == 13:
            raise ValueError("unlucky")
        return number
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs pytest over these files; gives its output, and expects this exit code."""

    def run(*options: str, code: int = 0, env: dict[str, str] | None = None, **files: str) -> str:
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
            cwd=tmp_path,
            # Where it would send, if it did: nothing listens there, and the end would tell of losses.
            env={
                "PATH": "/usr/bin:/bin",
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}",
                **(env or {}),
            },
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "lost" not in done.stderr
        return done.stdout

    return run


SERVICE_TESTS = """
    import pytest
    from starlette.testclient import TestClient
    from app import app
    client = TestClient(app, raise_server_exceptions=False)

    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_order(telemetry, number):
        assert client.get(f"/orders/{number}").json() == number
        server, child = telemetry.span("GET /orders/{number}"), telemetry.span("load order")
        server.assert_root()
        server.assert_ok()
        server.assert_attributes({"http.route": "/orders/{number}", "error.type": None})
        assert (server.kind, child.kind, child.scope) == ("SERVER", "INTERNAL", "shop")
        child.assert_child_of(server)
        child.assert_attributes({"order.number": number})
        assert telemetry.children_of(server) == [child]
        assert telemetry.metric("orders.created").value({"currency": "eur"}) == 1
        assert telemetry.metric("orders.created").value({"currency": "usd"}) == 0
        assert telemetry.metric("http.server.request.duration").count() == 1
        log = telemetry.log(f"loaded {number}")
        log.assert_in(child)
        assert (log.severity, log.logger) == ("INFO", "shop")
        assert server.resource["service.name"] == "shop"

    def test_a_failure(telemetry):
        assert client.get("/orders/13").status_code == 500
        server = telemetry.span("GET /orders/{number}")
        server.assert_error(ValueError)
        server.assert_error("ValueError")
        telemetry.span("load order").assert_ok()

    def test_it_begins_empty(telemetry):
        assert telemetry.spans == telemetry.logs == []
        assert not [m for m in telemetry.metrics if m.name.startswith(("http", "orders")) and m.value()]

    def test_several_looks(telemetry):
        client.get("/orders/1")
        assert telemetry.metric("orders.created").value() == 1
        client.get("/orders/2")
        assert telemetry.metric("orders.created").value() == 2
        assert len(telemetry.spans) == 4
        telemetry.clear()
        assert telemetry.spans == []
"""


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_all_three_signals_of_a_service(run: Run, options: tuple[str, ...]) -> None:
    assert "6 passed" in run(*options, app=APP, test_service=SERVICE_TESTS)


def test_assertions_say_what_was_found(run: Run) -> None:
    out = run(
        code=1,
        test_it="""
            import logging, pytest
            from opentelemetry import metrics, trace
            tracer = trace.get_tracer("t")

            @pytest.fixture
            def made(telemetry):
                with tracer.start_as_current_span("parent", attributes={"a": 1}):
                    logging.getLogger("x").warning("hello")
                    tracer.start_span("child").end()
                metrics.get_meter("t").create_counter("orders").add(1)
                with pytest.raises(KeyError), tracer.start_as_current_span("bad"):
                    raise KeyError("k")
                return telemetry

            def test_1(made): made.span("nope")
            def test_2(made): made.span("parent").assert_attributes(a=2)
            def test_3(made): made.span("parent").assert_child_of(made.span("child"))
            def test_4(made): made.span("child").assert_root()
            def test_5(made): made.span("bad").assert_ok()
            def test_6(made): made.span("parent").assert_error()
            def test_7(made): made.span("bad").assert_error("ValueError")
            def test_8(made): made.metric("nope")
            def test_9(made): made.log("hello").assert_in(made.span("child"))
        """,
    )
    for told in (
        "no span 'nope' was recorded; there are: bad (INTERNAL), child (INTERNAL), parent (INTERNAL)",
        "span 'parent': a is 1, not 2",
        "span 'parent' is no child of 'child'",
        "span 'child' is no root: its parent is",
        "span 'bad' has failed: KeyError",
        "span 'parent' has the status UNSET, not ERROR",
        "span 'bad' has recorded ['KeyError'], not ValueError once",
        "no metric 'nope' was recorded; there are: orders\n",
        "log record 'hello' belongs to span",
    ):
        assert told in out
    assert "9 failed" in out
    # The line of the test, and what was found; nothing of how that was found.
    assert out.count("\nE  ") == 9
    assert "otel_kit/" not in out


def test_kinds_in_any_case(run: Run) -> None:
    out = run(
        test_it="""
            import otel_kit, pytest

            @pytest.mark.parametrize("kind", ["client", "CLIENT"])
            def test_kinds(telemetry, kind):
                @otel_kit.instrument(name="call", kind=kind)
                def call():
                    pass

                call()
                assert telemetry.span("call", kind="client") == telemetry.span("call", kind="CLIENT")
                with pytest.raises(AssertionError):
                    telemetry.span("call", kind="server")
        """,
    )
    assert "2 passed" in out


def test_open_spans_fail_the_test_that_leaves_them(run: Run) -> None:
    out = run(
        code=1,
        test_it="""
            import pytest
            from opentelemetry import trace
            tracer = trace.get_tracer("t")
            kept = []

            def test_leaks(telemetry):
                kept.append(tracer.start_span("forgotten"))

            def test_the_next_one_is_not_to_blame(telemetry):
                tracer.start_span("fine").end()
                assert telemetry.open_spans == []

            @pytest.mark.allow_open_spans
            def test_allowed(telemetry):
                kept.append(tracer.start_span("wanted"))
                assert telemetry.open_spans == ["wanted"]
        """,
    )
    assert "spans were started and never ended: forgotten" in out
    assert "3 passed, 1 error" in out
    assert "otel_kit/" not in out


def test_ids_and_times_are_the_same_each_time(run: Run) -> None:
    text = """
        import pytest
        from opentelemetry import trace
        tracer = trace.get_tracer("t")

        def tree(telemetry):
            with tracer.start_as_current_span("a"):
                tracer.start_span("b").end()
            return [(s.name, s.trace_id, s.span_id, s.parent_id, s.start, s.end) for s in telemetry.spans]

        found = {}
        @pytest.mark.parametrize("turn", [1, 2])
        @pytest.mark.deterministic_telemetry(seed=7)
        def test_same(telemetry, turn):
            found[turn] = tree(telemetry)
            assert [s[4:] for s in found[turn]] == [
                (1_700_000_000_000_000_000, 1_700_000_000_003_000_000),
                (1_700_000_000_001_000_000, 1_700_000_000_002_000_000),
            ]
            assert len(set(map(str, found.values()))) == 1
            print("IDS", found[turn][0][1])

        def test_by_chance_again(telemetry):
            other = tree(telemetry)
            assert other[0][1] != found[2][0][1] and other[0][4] > 1_700_000_000_004_000_000
    """
    first, second = (run("-s", test_it=text) for _ in range(2))
    ids = [line.partition("IDS ")[2] for line in (first + second).splitlines() if "IDS " in line]
    assert len(ids) == 4
    assert len(set(ids)) == 1


def test_init_may_come_late_or_never_and_the_service_may_shut_down(run: Run) -> None:
    out = run(
        test_it="""
            import otel_kit
            from opentelemetry import trace

            def test_never(telemetry):
                trace.get_tracer("t").start_span("s").end()
                assert telemetry.span("s")

            def test_after(telemetry):
                assert otel_kit.init(service="s").enabled
                otel_kit.shutdown()

            def test_it_goes_on(telemetry):
                trace.get_tracer("t").start_span("s").end()
                assert telemetry.span("s")

            def test_pytest_still_hears_log_records(telemetry, caplog):
                import logging
                logging.getLogger("x").warning("hello")
                assert caplog.messages == ["hello"] and telemetry.log("hello").severity in ("WARN", "WARNING")
        """
    )
    assert "4 passed" in out


def test_wider_fixtures_see_all_of_their_tests(run: Run) -> None:
    out = run(
        test_it="""
        import otel_kit.testing, pytest, unittest
        from opentelemetry import metrics, trace

        tracer, counter = trace.get_tracer("t"), metrics.get_meter("t").create_counter("done")

        @pytest.fixture(scope="module")
        def whole():
            with otel_kit.testing.record() as recording:
                yield recording
                assert [span.name for span in recording.spans] == ["one", "two", "three"]
                assert recording.metric("done").value() == 3

        def do(name):
            tracer.start_span(name).end()
            counter.add(1)

        def test_one(whole, telemetry):
            do("one")
            assert telemetry.span("one") == whole.span("one")

        def test_two(telemetry, whole):
            do("two")
            assert [span.name for span in telemetry.spans] == ["two"]
            assert telemetry.metric("done").value() == 1
            telemetry.clear()
            assert [span.name for span in whole.spans] == ["one", "two"]

        class Case(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def seen(self, telemetry):
                self.telemetry = telemetry

            def test_three(self):
                do("three")
                self.telemetry.span("three").assert_root()
        """
    )
    assert "3 passed" in out


def test_each_kind_of_instrument(run: Run) -> None:
    run(
        test_it="""
            from opentelemetry import metrics
            meter = metrics.get_meter("m")
            level, temperature = meter.create_up_down_counter("level"), meter.create_gauge("temperature")
            size, done = meter.create_histogram("size", "By"), meter.create_counter("done")

            def test(telemetry):
                for number in (1, 2, 4):
                    level.add(number); temperature.set(number)
                    size.record(number); done.add(number, {"n": number})
                    assert telemetry.metrics  # each look is a collection
                level.add(-3)
                value = {m.name: m.value() for m in telemetry.metrics if m.scope == "m"}
                assert value == {"level": 4, "temperature": 4, "size": 7, "done": 7}
                size_now = telemetry.metric("size")
                assert (size_now.count(), size_now.unit, size_now.kind) == (3, "By", "histogram")
                assert telemetry.metric("done").value({"n": 2}) == 2
        """
    )


def test_records_of_a_service_that_writes_lines(run: Run) -> None:
    run(
        test_it="""
            import logging, otel_kit
            otel_kit.init(service="s", logs="stdout")

            def test(telemetry, capfd):
                logging.getLogger("x").info("hello")
                assert telemetry.log("hello").severity == "INFO"
                assert '"message": "hello"' in capfd.readouterr().out
        """
    )


def test_what_stands_in_the_way_is_named(run: Run) -> None:
    test = "def test(telemetry): pass"
    out = run(code=1, env={"OTEL_SDK_DISABLED": "true"}, test_it=test)
    assert "nothing can be recorded: OTEL_SDK_DISABLED is true" in out
    conftest = """
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        trace.set_tracer_provider(TracerProvider())
    """
    out = run(code=1, conftest=conftest, test_it=test)
    assert "was already set by other code" in out


def test_a_run_that_asks_for_nothing_pays_nothing(run: Run) -> None:
    """Loading the plugin loads neither OpenTelemetry nor what the library is made of."""
    test = """
        import sys

        def test_what_is_loaded():
            ours = {name for name in sys.modules if name.startswith(("otel_kit.", "opentelemetry"))}
            assert ours <= {"otel_kit.errors", "otel_kit.testing", "otel_kit.sdk", "otel_kit.sdk.decorated",
                            "otel_kit.sdk.decorator", "otel_kit.sdk.handle", "otel_kit.sdk.notes",
                            "otel_kit.sdk.under_test"}
    """
    run(test_lean=test)


def test_the_hooks_of_pytest_for_uncaught_errors_stay(run: Run) -> None:
    test = """
        import sys
        import threading
        import otel_kit

        def hooks():
            return sys.excepthook, sys.unraisablehook, threading.excepthook

        def test_them():
            before = hooks()
            assert otel_kit.init(service="shop").enabled
            assert hooks() == before
    """
    run(test_hooks=test)
