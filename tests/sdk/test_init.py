"""`init` itself: light to import, idempotent, harmless; each check in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from tests.parts import ROOT, start
from tests.sdk.sink import running_sink

SHUTDOWN = {"OTEL_KIT_SHUTDOWN_TIMEOUT": "0"}


def python(code: str, **env: str) -> str:
    """The output of a short program, which must end well."""
    with start([sys.executable, "-c", textwrap.dedent(code)], env={**SHUTDOWN, **env}) as part:
        assert part.wait() == 0, part.output()
        return part.output()


def test_importing_is_light() -> None:
    code = "import sys; old = set(sys.modules); import otel_kit; print(*sorted(set(sys.modules) - old))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    foreign = {name.partition(".")[0] for name in loaded.split()} - set(sys.stdlib_module_names)
    assert foreign == {"otel_kit"}


def test_init_loads_neither_servers_nor_other_clients() -> None:
    out = python(
        """
        import sys, otel_kit
        otel_kit.init(service="s")
        heavy = ("grpc", "starlette", "fastapi", "requests", "urllib3", "asyncio")
        print("loaded:", *[m for m in heavy if m in sys.modules])
        """
    )
    assert "loaded:\n" in out


def test_init_tells_where_it_cannot_do_its_part() -> None:
    out = python(
        """
        import threading, otel_kit
        thread = threading.Thread(target=otel_kit.init)
        thread.start(); thread.join()
        otel_kit.shutdown()
        otel_kit.init()
        """
    )
    assert out.count("init() was called outside the main thread, so SIGTERM ends the process without") == 1
    assert out.count("init() comes after shutdown()") == 1


def test_init_is_idempotent_and_safe_between_threads() -> None:
    out = python(
        """
        import logging, threading, otel_kit
        handles = []
        begin = lambda: handles.append(otel_kit.init(service="s"))
        threads = [threading.Thread(target=begin) for _ in range(8)]
        [t.start() for t in threads]; [t.join() for t in threads]
        assert len({id(h) for h in handles}) == 1 and handles[0].enabled
        assert otel_kit.init(service="other") is handles[0]
        assert len(logging.getLogger().handlers) == 1
        assert sum(t.name.startswith("otel-kit") for t in threading.enumerate()) == 6
        """
    )
    assert out.count("init(service=...) comes too late") == 1


def test_arguments_that_change_nothing_are_no_reason_to_complain() -> None:
    out = python(
        """
        import otel_kit
        from otel_kit.errors import InputError
        first = otel_kit.init()
        assert otel_kit.init(service="s", env="dev", metric_interval=10, instrument=True) is first
        assert otel_kit.init(version="2", env="dev", endpoint="http://me:s3cret@c") is first
        try:
            otel_kit.init(metrics="maybe")
        except InputError as error:
            print("refused:", error)
        """,
        OTEL_SERVICE_NAME="s",
        DD_ENV="dev",
    )
    assert out.count("comes too late") == 1
    assert "init(version=..., endpoint=...) comes too late: it was called before, and the process" in out
    assert "s3cret" not in out
    assert "refused: init(metrics='maybe')" in out


@pytest.mark.parametrize("value", ["", "nope", "sdk_tracer_provider"])
def test_a_provider_named_in_the_environment_stands_aside(value: str) -> None:
    out = python(
        """
        import otel_kit
        from opentelemetry import trace
        assert otel_kit.init(service="s").enabled
        with trace.get_tracer("t").start_as_current_span("s") as span:
            assert span.is_recording()
        """,
        OTEL_PYTHON_TRACER_PROVIDER=value,
        OTEL_PYTHON_METER_PROVIDER="",
    )
    told = out.count("OTEL_PYTHON_TRACER_PROVIDER is not used, since init() sets the provider")
    assert told == bool(value)
    assert "Traceback" not in out


def test_a_context_that_no_package_offers_is_one_line() -> None:
    out = python("import otel_kit; otel_kit.init(service='s')", OTEL_PYTHON_CONTEXT="strange")
    assert out.count("OTEL_PYTHON_CONTEXT='strange' is offered by no package; remove it") == 1
    assert "Traceback" not in out


def test_where_all_goes_to_the_collector_its_loss_is_told_elsewhere() -> None:
    code = "import logging, otel_kit; otel_kit.init(service='s'); logging.warning('of the service')"
    out = python(code, OTEL_KIT_LOGS="otlp")
    assert out.count("otel-kit: at the end flushed 0 and dropped") == 1
    assert "of the service" not in out
    configured = "import logging; logging.basicConfig(format='told: %(message)s'); " + code
    out = python(configured, OTEL_KIT_LOGS="otlp")
    assert out.count("told: otel-kit: at the end flushed 0 and dropped") == out.count("at the end") == 1


def test_wrong_variables_never_raise() -> None:
    wrong = dict.fromkeys(
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "OTEL_EXPORTER_OTLP_HEADERS",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "OTEL_METRIC_EXPORT_INTERVAL",
            "OTEL_METRICS_EXEMPLAR_FILTER",
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
            "OTEL_ATTRIBUTE_COUNT_LIMIT",
            "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
            "OTEL_TRACES_SAMPLER",
            "OTEL_PROPAGATORS",
            "OTEL_RESOURCE_ATTRIBUTES",
            "OTEL_SDK_DISABLED",
        ),
        "://",
    )
    wrong["OTEL_EXPORTER_OTLP_CERTIFICATE"] = "/nowhere"
    out = python(
        """
        import otel_kit
        assert otel_kit.init(service="s").enabled
        from opentelemetry import trace
        with trace.get_tracer("t").start_as_current_span("s") as span:
            assert span.is_recording()
        """,
        **wrong,
    )
    silent = {"OTEL_EXPORTER_OTLP_CERTIFICATE"}  # without https none is read
    assert {name for name in wrong if name not in out} == silent


def test_https_with_a_certificate_that_is_not_there() -> None:
    for protocol in ("http/protobuf", "grpc"):
        out = python(
            "import otel_kit; assert otel_kit.init(service='s', endpoint='https://localhost:1').enabled",
            OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
            OTEL_EXPORTER_OTLP_CERTIFICATE="/nowhere",
        )
        assert "certificate" in out


def test_a_wrong_argument_raises_and_leaves_nothing_behind() -> None:
    python(
        """
        import logging, threading, otel_kit
        from otel_kit.errors import InputError
        try:
            otel_kit.init(endpoint="collector")
        except InputError as error:
            assert "http://" in str(error)
        else:
            raise SystemExit("no error")
        assert threading.active_count() == 1 and not logging.getLogger().handlers
        assert otel_kit.force_flush() and otel_kit.init(service="s").enabled
        """
    )


def test_disabled() -> None:
    out = python(
        """
        import logging, sys, threading, otel_kit
        handle = otel_kit.init(service="s")
        assert not handle.enabled and handle.why_disabled and handle.force_flush()
        assert not [name for name in sys.modules if name.startswith("opentelemetry.sdk")]
        from opentelemetry import trace
        assert not trace.get_tracer("t").start_span("s").is_recording()
        assert threading.active_count() == 1
        logging.getLogger("shop").info("still a JSON line")
        handle.shutdown()
        """,
        OTEL_SDK_DISABLED="true",
    )
    assert '"message": "still a JSON line"' in out


@pytest.mark.parametrize(
    "first",
    [
        "from opentelemetry.sdk.trace import TracerProvider; trace.set_tracer_provider(TracerProvider())",
        "from opentelemetry.sdk.metrics import MeterProvider; metrics.set_meter_provider(MeterProvider())",
    ],
)
def test_another_sdk_keeps_the_process(first: str) -> None:
    out = python(
        f"""
        from opentelemetry import trace, metrics
        {first}
        import otel_kit
        assert not otel_kit.init(service="s").enabled
        """
    )
    assert out.count("already set by other code") == 1


def test_a_fault_of_ours_stays_ours() -> None:
    """Broken pieces, put in by hand: the service answers, and the fault is told once."""
    with running_sink() as sink:
        out = python(
            """
            import otel_kit, logging
            from fastapi import FastAPI
            from starlette.testclient import TestClient
            otel_kit.init(service="s", logs="both")
            from opentelemetry import propagate, trace
            class Broken:
                def extract(self, *a, **k): raise RuntimeError("broken")
                def inject(self, *a, **k): raise RuntimeError("broken")
                fields = set()
            class Text:
                def __str__(self): raise RuntimeError("broken")
            class State(dict):
                def items(self): raise RuntimeError("broken")
            app = FastAPI()
            app.get("/")(lambda: "fine")
            good = propagate.get_global_textmap()
            propagate.set_global_textmap(Broken())
            client = TestClient(app)
            assert [client.get("/").json() for _ in range(3)] == ["fine"] * 3
            propagate.set_global_textmap(good)
            trace.get_tracer("t").start_span("time in seconds", start_time=1.5).end()
            trace.get_tracer("t").start_span("no utf-8: \\udce4").end()
            trace.get_tracer("t").start_span("good").end()
            parent = trace.SpanContext(1, 1, True, trace.TraceFlags(1), State(a="b"))
            context = trace.set_span_in_context(trace.NonRecordingSpan(parent))
            trace.get_tracer("t").start_span("no state", context).end()
            logging.getLogger("x").info("%s", Text())
            """,
            OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
            OTEL_KIT_SHUTDOWN_TIMEOUT="30",
        )
        assert out.count("fault in HTTP request") == 1
        assert "lost: encode: RuntimeError; 1 dropped" in out
        names = {span.name for span in sink.seen.spans}
        assert names >= {"good", "no utf-8: ?", "time in seconds"}
        assert "no state" not in names
