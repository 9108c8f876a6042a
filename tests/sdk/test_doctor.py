"""`otel-kit doctor` against real endpoints: what is right, and each common fault by its name."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from otel_kit.sdk.config.arguments import Arguments
from otel_kit.sdk.config.settings import resolve
from otel_kit.sdk.doctor.configuration import configuration
from tests.parts import ROOT, free_port
from tests.sdk.sink import Sink, running_sink
from tests.sdk.test_init import python
from tests.system import BINARY, OTEL_KIT, collector

IDENTITY = {"OTEL_SERVICE_NAME": "s", "DD_ENV": "test", "DD_VERSION": "1"}


def doctor(*arguments: str, cwd: str = str(ROOT), **env: str) -> dict[str, Any]:
    """Its JSON; the exit code must say the same."""
    done = subprocess.run(
        [*OTEL_KIT, "doctor", "--json", *arguments],
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "OTEL_KIT_SHUTDOWN_TIMEOUT": "0",
            **IDENTITY,
            **env,
        },
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 1), done.stderr
    return found


def at(endpoint: str, protocol: str = "http/protobuf", **env: str) -> dict[str, tuple[str, str, str]]:
    """Check -> status, fact and advice, of a service with this endpoint."""
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    return findings(doctor(**settings, **env))


def findings(found: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    """Check -> status, fact and advice; of several findings of one check the last."""
    return {f["check"]: (f["status"], f["what"], f["fix"]) for f in found["findings"]}


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


@pytest.mark.skipif(not BINARY.exists(), reason="needs build/otelcol-local (make collector)")
def test_the_real_collector_and_its_two_ports(sink: Sink, tmp_path: Path) -> None:
    with collector(sink.url, tmp_path) as real:
        for url, protocol in ((real.http_url, "http/protobuf"), (real.grpc_url, "grpc")):
            found = at(url, protocol)
            assert {found[signal][0] for signal in ("traces", "metrics", "logs")} == {"ok"}, found
            other = "grpc" if protocol == "http/protobuf" else "http/protobuf"
            status, what, fix = at(url, other)["protocol"]
            assert status == "error"
            assert what.endswith(f"speaks {protocol}, but {other} is configured")
            assert f"OTEL_EXPORTER_OTLP_PROTOCOL={protocol}" in fix


def test_grpc_over_the_network(sink: Sink) -> None:
    sink.down()
    server = sink.serve_grpc()
    found = at(sink.url, "grpc")
    assert {found[signal][0] for signal in ("traces", "metrics", "logs")} == {"ok"}
    assert [span.name for span in sink.seen.spans] == ["otel-kit doctor"]
    status, what, _ = at(sink.url)["protocol"]
    assert (status, what.endswith("speaks grpc, but http/protobuf is configured")) == ("error", True)
    server.stop(None)


def test_nothing_listens() -> None:
    status, what, fix = at(f"http://127.0.0.1:{free_port()}")["tcp"]
    assert status == "error"
    assert "nothing listens on 127.0.0.1:" in what
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in fix


@pytest.mark.parametrize("name", ["collector.invalid", "a..b"])
def test_a_name_that_is_none(name: str) -> None:
    status, what, _ = at(f"http://{name}:4318")["dns"]
    assert status == "error"
    assert f"the name {name} cannot be resolved: " in what


def test_a_black_hole() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        status, what, _ = at(f"http://127.0.0.1:{silent.getsockname()[1]}")["protocol"]
    assert status == "error"
    assert "accepts connections but never answers" in what


@contextlib.contextmanager
def website(
    context: ssl.SSLContext | None = None, *, status: int = 200, kind: str = "text/html"
) -> Iterator[str]:
    """An HTTP server that is no collector; its host and port."""

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"hi")

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that speaks another protocol is what some tests are about."""

    server = Server(("127.0.0.1", 0), Page)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "what", "fix"),
    [
        (200, "no OTLP answer", "a web page answered"),
        (404, "status 404", "no OTLP receiver at this path"),
        (302, "status 302", "sends it elsewhere"),
        (401, "status 401", "OTEL_EXPORTER_OTLP_HEADERS"),
        (502, "status 502", "a proxy answered"),
        (503, "status 503", "memory limit"),
    ],
)
def test_a_server_that_takes_no_telemetry(status: int, what: str, fix: str) -> None:
    with website(status=status) as place:
        found = at(f"http://{place}")
    assert found["protocol"][0] == "ok"
    for signal in ("traces", "metrics", "logs"):
        assert found[signal][0] == "error"
        assert what in found[signal][1]
        assert fix in found[signal][2]


def test_a_server_that_says_yes_to_everything() -> None:
    with website(kind="text/plain") as place:
        found = doctor(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{place}")
    assert found["ok"], "nobody can tell"
    for signal in ("traces", "metrics", "logs"):
        status, what, fix = findings(found)[signal]
        assert (status, "not as a collector does" in what) == ("warning", True)
        assert "loses everything" in fix


def test_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with website(context, status=503) as place:
        status, what, fix = at(f"https://{place}")["tls"]
        assert status == "error"
        assert "is not trusted: " in what
        assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in fix
        other = place.replace("localhost", "127.0.0.1")
        status, what, fix = at(f"https://{other}", OTEL_EXPORTER_OTLP_CERTIFICATE=str(ca))["tls"]
        assert (status, "IP address mismatch" in what) == ("error", True)
        assert fix.startswith("use a name in the endpoint that the certificate has")
        trusted = at(f"https://{place}", OTEL_EXPORTER_OTLP_CERTIFICATE=str(ca))
        assert trusted["tls"][0] == "ok"
        assert "status 503" in trusted["traces"][1]
        status, what, _ = at(f"http://{place}")["protocol"]
        assert (status, "speaks TLS, but the endpoint begins with http://" in what) == ("error", True)
        status, what, _ = at(f"https://{place}", OTEL_EXPORTER_OTLP_CERTIFICATE="/nowhere")["tls"]
        assert (status, "there is no file /nowhere" in what) == ("error", True)
    with website() as place:
        status, what, _ = at(f"https://{place}")["tls"]
        assert (status, "does not speak TLS" in what) == ("error", True)


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


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_proxy_of_the_environment_is_left_alone(protocol: str, sink: Sink) -> None:
    if protocol == "grpc":
        sink.down()
        server = sink.serve_grpc()
    proxy = "http://me:hunter2@127.0.0.1:9"
    found = at(sink.url, protocol, http_proxy=proxy, HTTPS_PROXY=proxy, grpc_proxy=proxy)
    assert {found[signal][0] for signal in ("traces", "metrics", "logs")} == {"ok"}
    assert found["proxy"][1].endswith("directly, whatever HTTP_PROXY and HTTPS_PROXY may say")
    assert "hunter2" not in str(found)
    if protocol == "grpc":
        server.stop(None)


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


@pytest.mark.parametrize(
    ("code", "check", "status", "told"),
    [
        ("import otel_kit; print('noise'); otel_kit.init(env='code')", "env", "", ""),
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


def test_the_text_for_people(sink: Sink) -> None:
    env = {"PATH": "/usr/bin:/bin", "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url}
    done = subprocess.run(
        [sys.executable, "-m", "otel_kit.cli", "doctor"], env=env, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "1 wrong, 2 doubtful" in done.stdout
    assert "error    service: the service has no name" in done.stdout
    assert "-> set OTEL_SERVICE_NAME" in done.stdout
