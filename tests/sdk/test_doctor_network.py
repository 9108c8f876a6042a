"""`otel-kit doctor` against real endpoints: each common fault on the way to a collector by its name."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.parts import free_port
from tests.sdk.doctor_parts import at, doctor, findings
from tests.sdk.sink import Sink, running_sink
from tests.system import BINARY, collector


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as running:
        yield running


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
    assert "http://otel-collector.observability:4318" in fix


@pytest.mark.parametrize("variable", ["HOST_IP", "DD_AGENT_HOST"])
def test_an_endpoint_that_nobody_set_is_told_with_what_it_was_derived_from(variable: str) -> None:
    status, what, _ = findings(doctor(**{variable: "node.invalid"}))["dns"]
    assert status == "error"
    assert (
        f"; no endpoint is set, so it was derived from {variable}, where the collector needs a host" in what
    )
    assert "derived" not in at(f"http://127.0.0.1:{free_port()}", **{variable: "node.invalid"})["tcp"][1]


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
