"""What `otel-kit doctor` finds in the settings and in a service."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_kit.sdk.config.arguments import Arguments
from otel_kit.sdk.config.settings import resolve
from otel_kit.sdk.doctor.configuration import configuration
from tests.parts import ROOT
from tests.sdk.doctor_parts import IDENTITY, doctor, findings
from tests.sdk.sink import Sink, running_sink
from tests.sdk.test_init import python


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as running:
        yield running


def test_a_service_that_is_well(sink: Sink) -> None:
    found = doctor(OTEL_EXPORTER_OTLP_ENDPOINT=sink.url)
    assert found["ok"]
    assert {f["status"] for f in found["findings"]} == {"ok"}
    assert [span.name for span in sink.seen.spans] == ["otel-kit doctor"]
    assert [point.value for point in sink.seen.named("otel_kit.doctor")] == [1]
    assert sink.seen.bodies() == ["otel-kit doctor"]
    assert {span.resource["service.name"] for span in sink.seen.spans} == {"s"}
    assert {"setting": "service.name", "value": "s", "source": "OTEL_SERVICE_NAME"} in found["settings"]
    assert found["versions"]["otel-kit"]


@pytest.mark.parametrize(
    ("check", "status", "told", "env"),
    [
        ("service", "error", "unknown_service", {"OTEL_SERVICE_NAME": ""}),
        ("env", "warning", "env is not set", {"DD_ENV": ""}),
        ("version", "warning", "version is not set", {"DD_VERSION": ""}),
        ("switch", "warning", "OTEL_SDK_DISABLED is true", {"OTEL_SDK_DISABLED": "true"}),
        ("pod", "warning", "does not know its name", {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}),
        ("timeout", "ok", "read as milliseconds: 5 s", {"OTEL_EXPORTER_OTLP_TIMEOUT": "5000"}),
        ("timeout", "warning", "may take 900 s", {"OTEL_EXPORTER_OTLP_TIMEOUT": "900"}),
        ("setting", "warning", "OTEL_KIT_LOGS='file'", {"OTEL_KIT_LOGS": "file"}),
        ("setting", "warning", "set both for mutual TLS", {"OTEL_EXPORTER_OTLP_CLIENT_KEY": "/k"}),
        ("fastapi", "warning", "a second time", {"FASTAPI_OTEL_AUTO_CONFIGURE": "true"}),
        (
            "setting",
            "warning",
            "loses the first point of each series; use delta",
            {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "cumulative"},
        ),
    ],
)
def test_what_is_set(check: str, status: str, told: str, env: dict[str, str]) -> None:
    environ = {**IDENTITY, **env}
    settings = resolve(Arguments(), environ, host="host")
    assert [(f.check, f.status) for f in configuration(settings, environ)] == [(check, status)]
    assert [told in f"{f.what}; {f.fix}" for f in configuration(settings, environ)] == [True]


def test_a_refused_value_is_not_shown_as_if_it_were_in_force() -> None:
    found = doctor(OTEL_SPAN_EVENT_COUNT_LIMIT="http://me:hunter2@h", OTEL_TRACES_SAMPLER="some; times")
    assert "hunter2" not in str(found)
    shown = {o["setting"]: (o["value"], o["source"]) for o in found["settings"]}
    assert shown["traces_sampler"] == ("parentbased_always_on", "default")
    assert "span_event_count_limit" not in shown
    told = [(f["what"], f["fix"]) for f in found["findings"] if f["check"] == "setting"]
    assert told == [
        ("OTEL_TRACES_SAMPLER='some; times' cannot be used, so 'parentbased_always_on' is", told[0][1]),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT='http://REDACTED@h' is left out", "use a whole number from 0 on"),
    ]
    assert told[0][1].startswith("use one of always_on, ")


def test_nothing_is_said_of_good_settings() -> None:
    assert list(configuration(resolve(Arguments(), IDENTITY, host="host"), IDENTITY)) == []


def test_what_is_instrumented_and_what_not_and_why(sink: Sink) -> None:
    found = doctor(OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_KIT_INSTRUMENT="fastapi,redis")
    told = [f["what"] for f in found["findings"] if f["check"] == "instrument"]
    assert [what.partition(" is ")[2] for what in told if what.startswith("fastapi ")] == ["instrumented"]
    rest = {what.partition(" ")[0]: what.partition(" is ")[2] for what in told}
    assert rest["grpc"] == "not instrumented, by OTEL_KIT_INSTRUMENT"
    assert rest["httpx"] == "not instrumented, by OTEL_KIT_INSTRUMENT"
    assert rest["redis"] == "instrumented as soon as it is imported"


def test_a_client_without_its_package_is_told_by_the_package_even_before_init(tmp_path: Path) -> None:
    """As if the packages of contrib for httpx and urllib3 were not installed; the latter came by others."""
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(
            ("opentelemetry_instrumentation_httpx", "opentelemetry_instrumentation_url")
        ):
            (tmp_path / entry.name).symlink_to(entry)
    done = subprocess.run(
        [sys.executable, "-S", "-m", "otel_kit.cli", "doctor", "--json"],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "OTEL_TRACES_EXPORTER": "none", **IDENTITY},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    found = {
        f["what"].split()[0]: f for f in json.loads(done.stdout)["findings"] if f["check"] == "instrument"
    }
    assert found["httpx"]["status"] == "warning"
    assert found["httpx"]["what"].endswith("opentelemetry-instrumentation-httpx is not installed")
    assert found["httpx"]["fix"].startswith("pip install opentelemetry-instrumentation-httpx ")
    assert found["urllib3"]["status"] == "ok"
    assert "requests brought it" in found["urllib3"]["what"]
    assert found["redis"]["what"].endswith("is instrumented as soon as it is imported")


@pytest.mark.parametrize(
    ("code", "check", "status", "told"),
    [
        ("import otel_kit; print('noise'); otel_kit.init(env='code'); app = 1", "env", "", ""),
        ("x = 1", "init", "error", "does not call otel_kit.init()"),
        (
            """
import multiprocessing, time, otel_kit
child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(300,), daemon=True)
child.start()
otel_kit.init()
""",
            "init",
            "warning",
            "1 child process was forked before init() and sends nothing",
        ),
        ("import otel_kit; otel_kit.init(); apps = 1", "app", "error", "shop has no app, so no server can"),
        ("import nowhere", "import", "error", "ModuleNotFoundError: No module named 'nowhere'"),
        (
            """
from opentelemetry import trace; from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
import otel_kit; otel_kit.init()
""",
            "providers",
            "error",
            "already set by other code",
        ),
        (
            "import otel_kit; otel_kit.init(); otel_kit.init(env='x')",
            "init",
            "warning",
            "init(env=...) comes too late",
        ),
        (
            """
import otel_kit; from opentelemetry import metrics
otel_kit.init()
counter = metrics.get_meter("m").create_counter("requests")
for number in range(20):
    counter.add(1, {"user": number, "kind": number % 2})
otel_kit.force_flush(1)
""",
            "cardinality",
            "warning",
            "requests has more than 10 attribute sets; most values (10) has its attribute user",
        ),
        (
            """
import logging, otel_kit; otel_kit.init(); log = logging.getLogger('audit')
log.propagate = False; log.addHandler(logging.FileHandler('audit.log'))
""",
            "loggers",
            "warning",
            "records of the logger audit stay with its own handlers",
        ),
    ],
)
def test_the_service_itself(
    code: str, check: str, status: str, told: str, sink: Sink, tmp_path: Path
) -> None:
    (tmp_path / "shop.py").write_text(code)
    found = doctor(
        "shop:app",
        cwd=str(tmp_path),
        OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
        OTEL_KIT_METRIC_CARDINALITY_LIMIT="10",
    )
    if status:
        assert findings(found)[check][:1] == (status,)
        assert told in findings(found)[check][1]
    else:
        origin = {"setting": "deployment.environment.name", "value": "code", "source": "argument"}
        assert found["ok"]
        assert origin in found["settings"]


def test_an_import_that_fails_is_told_without_secrets_and_nothing_twice(sink: Sink, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "import otel_kit; otel_kit.init()\n"
        "raise ValueError('no database at\\npostgres://me:s3cret@db/x, password=s3cret')"
    )
    found = doctor(
        "shop",
        cwd=str(tmp_path),
        OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
        OTEL_EXPORTER_OTLP_HEADERS="Authorization: Basic s3cret==",
    )
    assert not found["ok"]
    assert "s3cret" not in json.dumps(found)
    assert findings(found)["import"][1].startswith(
        "shop cannot be imported: ValueError: no database at postgres://"
    )
    assert "init" not in findings(doctor("nowhere", OTEL_EXPORTER_OTLP_ENDPOINT=sink.url))
    whats = [finding["what"] for finding in found["findings"]]
    assert sum(what.startswith("OTEL_EXPORTER_OTLP_HEADERS: an entry") for what in whats) == 1


def test_threads_that_an_import_starts_do_not_keep_it(sink: Sink, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "import threading, time, otel_kit; otel_kit.init()\n"
        "threading.Thread(target=time.sleep, args=(300,)).start(); print('noise')"
    )
    assert doctor("shop", cwd=str(tmp_path), OTEL_EXPORTER_OTLP_ENDPOINT=sink.url)["ok"]


def test_a_process_examines_itself(sink: Sink) -> None:
    out = python(
        """
        import otel_kit
        diagnosis = otel_kit.init(env="code").diagnose()
        assert diagnosis.ok, diagnosis
        print([f.check for f in diagnosis.findings if f.check in ("traces", "metrics", "logs")])
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
        **IDENTITY,
    )
    assert "['traces', 'metrics', 'logs']" in out


def test_secrets_are_not_shown(sink: Sink) -> None:
    host = sink.url.removeprefix("http://")
    found = doctor(
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://me:s3cret@{host}", OTEL_EXPORTER_OTLP_HEADERS="dd-api-key=s3cret"
    )
    assert found["ok"]
    assert sink.seen.headers[0]["dd-api-key"] == "s3cret"
    assert "s3cret" not in json.dumps(found)


def text(*options: str, **env: str) -> tuple[int, str]:
    """Exit code and text for people."""
    done = subprocess.run(
        [sys.executable, "-m", "otel_kit.cli", "doctor", *options],
        env={"PATH": "/usr/bin:/bin", **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_text_for_people(sink: Sink) -> None:
    code, told = text(OTEL_EXPORTER_OTLP_ENDPOINT=sink.url)
    assert code == 1
    assert "1 wrong, 2 doubtful" in told
    assert "error    service: the service has no name" in told
    assert "-> set OTEL_SERVICE_NAME" in told


def test_the_text_leaves_out_what_nobody_has_set() -> None:
    env = {"OTEL_KIT_SHUTDOWN_TIMEOUT": "1", "POD_NAME": "bff-1", "OTEL_SDK_DISABLED": "true"}
    shown = text(**env)[1].partition("versions")[0].splitlines()[1:-1]
    assert {line.split()[0] for line in shown[:-1]} == {
        "service.name",
        "service.instance.id",
        "k8s.pod.name",
        "sdk_disabled",
        "endpoint",
        "shutdown_timeout",
    }
    assert shown[-1].endswith(" more have their default; --all shows them")
    (instance,) = [line for line in shown if "service.instance.id" in line]
    assert instance.split(maxsplit=2)[1:] == ["bff-1", "detected, and each process adds its own"]
    more = int(shown[-1].split()[0])
    assert len(text("--all", **env)[1].partition("versions")[0].splitlines()[1:-1]) == len(shown) - 1 + more
