"""Is there a collector at the endpoint? By name, port, TLS and protocol; the first fault ends the search."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from otel_kit import conventions
from otel_kit.sdk.config.targets import Target
from otel_kit.sdk.doctor.finding import Finding

__all__ = ["Place", "reach"]

#: Seconds for a name and for a connection.
PATIENCE: Final = 3.0
#: Seconds for the first bytes of an answer.
ANSWER: Final = 1.5
Spoken = Literal["http", "grpc", "tls", "silent", "unknown"]

#: The beginning of HTTP/2, and so of gRPC (RFC 9113, 3.4), with an empty SETTINGS frame.
_HTTP2: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_SETTINGS_FRAME: Final = 4
#: X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH of OpenSSL.
_OTHER_NAME: Final = (62, 64)
_TLS_ALERT: Final = b"\x15\x03"
_PORTS: Final = (conventions.PORT_OTLP_HTTP, conventions.PORT_OTLP_GRPC)
#: The Service of the node tier, as the collector's specs render it.
_SERVICE: Final = "in Kubernetes that is its Service, as http://otel-collector.observability:4318"
_PROTOCOLS: Final = {"http": "http/protobuf", "grpc": "grpc"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where several signals may go together."""

    protocol: str
    scheme: str
    host: str
    port: int
    certificate: str | None = None
    client_chain: str | None = None
    client_key: str | None = None

    @staticmethod
    def of(target: Target) -> Place:
        """The place of one target."""
        parts = urlsplit(target.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return Place(
            target.protocol,
            parts.scheme,
            parts.hostname or "localhost",
            port,
            target.certificate,
            target.client_chain,
            target.client_key,
        )

    @property
    def shown(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def reach(place: Place) -> Iterator[Finding]:
    """What was found on the way to it; ends with the first error."""
    for check in (_name, _connection, _encryption, _protocol):
        finding = check(place)
        if finding is not None:
            yield finding
            if finding.status == "error":
                return


def _name(place: Place) -> Finding | None:
    answer: list[str] = []
    error: list[Exception] = []

    def ask() -> None:
        try:
            infos = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
            answer.extend(dict.fromkeys(str(info[4][0]) for info in infos))
        except (OSError, UnicodeError) as fault:  # the latter of a name that cannot be one
            error.append(fault)

    thread = threading.Thread(target=ask, daemon=True)  # a resolver cannot be told how long it may take
    thread.start()
    thread.join(PATIENCE)
    if answer:
        return Finding(check="dns", status="ok", what=f"{place.host} is {', '.join(answer)}")
    why = str(getattr(error[0], "strerror", "") or error[0]) if error else f"no answer within {PATIENCE:g} s"
    return Finding(
        check="dns",
        status="error",
        what=f"the name {place.host} cannot be resolved: {why}",
        fix="correct the host of the endpoint, or look at the DNS policy of the pod; in another namespace "
        "the name is <service>.<namespace>.svc",
    )


def _connection(place: Place) -> Finding | None:
    try:
        socket.create_connection((place.host, place.port), PATIENCE).close()
    except ConnectionRefusedError:
        return _refused(place)
    except OSError as error:
        slow = isinstance(error, TimeoutError)
        return Finding(
            check="tcp",
            status="error",
            what=f"{place.shown} cannot be reached: "
            + (f"no answer within {PATIENCE:g} s" if slow else str(error.strerror or error)),
            fix="look at network policies and firewalls on the way, and whether the host is up",
        )
    return Finding(check="tcp", status="ok", what=f"{place.shown} accepts connections")


def _refused(place: Place) -> Finding:
    what = f"nothing listens on {place.shown}: the connection was refused"
    for other in _PORTS:
        spoken = "silent" if other == place.port else _listen(place, other)
        if spoken in _PROTOCOLS:
            url = f"{place.scheme}://{replace(place, port=other).shown}"
            return Finding(
                check="tcp",
                status="error",
                what=f"{what}, but a server that speaks {_PROTOCOLS[spoken]} is on port {other}",
                fix=f"use {url} with OTEL_EXPORTER_OTLP_PROTOCOL={_PROTOCOLS[spoken]}",
            )
    return Finding(
        check="tcp",
        status="error",
        what=what,
        fix=f"start the collector there, or set OTEL_EXPORTER_OTLP_ENDPOINT to where it is; {_SERVICE}",
    )


def _encryption(place: Place) -> Finding | None:
    if place.scheme != "https":
        return None
    for file in filter(None, (place.certificate, place.client_chain, place.client_key)):
        if not Path(file).is_file():
            return Finding(
                check="tls",
                status="error",
                what=f"there is no file {file}, which OTEL_EXPORTER_OTLP_* names for TLS",
                fix="mount it into the container, or correct the path",
            )
    try:
        with _connected(place) as wire:
            assert isinstance(wire, ssl.SSLSocket)
            return Finding(check="tls", status="ok", what=f"{place.shown} speaks {wire.version()}")
    except ssl.SSLCertVerificationError as error:
        return Finding(
            check="tls",
            status="error",
            what=f"the certificate of {place.shown} is not trusted: {error.verify_message}",
            fix="use a name in the endpoint that the certificate has, or have this one put into it"
            if error.verify_code in _OTHER_NAME
            else "name the file of the CA that has signed it in OTEL_EXPORTER_OTLP_CERTIFICATE",
        )
    except OSError as error:
        if getattr(error, "reason", "") in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
            return Finding(
                check="tls",
                status="error",
                what=f"{place.shown} does not speak TLS, but the endpoint begins with https://",
                fix="write http:// in the endpoint",
            )
        reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
        return Finding(
            check="tls",
            status="error",
            what=f"no TLS with {place.shown}: {reason}",
            fix="look at OTEL_EXPORTER_OTLP_CERTIFICATE, _CLIENT_CERTIFICATE and _CLIENT_KEY",
        )


def _protocol(place: Place) -> Finding | None:
    wanted: Spoken = "grpc" if place.protocol == "grpc" else "http"
    spoken = _listen(place, place.port)
    if spoken == wanted:
        return Finding(check="protocol", status="ok", what=f"{place.shown} speaks {place.protocol}")
    if spoken in _PROTOCOLS:
        right = _PROTOCOLS[spoken]
        return Finding(
            check="protocol",
            status="error",
            what=f"{place.shown} speaks {right}, but {place.protocol} is configured",
            fix=f"set OTEL_EXPORTER_OTLP_PROTOCOL={right}, or use the other port: 4317 is for grpc, 4318 for "
            "http/protobuf",
        )
    if spoken == "tls":
        return Finding(
            check="protocol",
            status="error",
            what=f"{place.shown} speaks TLS, but the endpoint begins with http://",
            fix="write https:// in the endpoint",
        )
    what = "accepts connections but never answers" if spoken == "silent" else "speaks neither HTTP nor gRPC"
    return Finding(
        check="protocol",
        status="error",
        what=f"{place.shown} {what}",
        fix="look at what listens there: it is no collector, or it hangs",
    )


def _listen(place: Place, port: int) -> Spoken:
    """Which protocol the port speaks: each greets the other in a way that tells it."""
    hello = f"OPTIONS / HTTP/1.1\r\nHost: {place.host}\r\nConnection: close\r\n\r\n".encode()
    answered = False
    for greeting in (_HTTP2, hello) if place.protocol == "grpc" else (hello, _HTTP2):
        answer = _answer(place, port, greeting)
        answered = answered or bool(answer)
        if answer.startswith(_TLS_ALERT) or b"HTTPS server" in answer:
            return "tls"
        if answer[3:4] == bytes((_SETTINGS_FRAME,)):  # with which a gRPC server answers whatever came
            return "grpc"
        if answer.startswith(b"HTTP/"):
            return "http"
    if answered:
        return "unknown"
    return "tls" if place.scheme == "http" and _speaks_tls(place, port) else "silent"


def _speaks_tls(place: Place, port: int) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent
    try:
        with socket.create_connection((place.host, port), PATIENCE) as plain:
            plain.settimeout(ANSWER)
            context.wrap_socket(plain).close()
            return True
    except OSError:
        return False


def _answer(place: Place, port: int, greeting: bytes) -> bytes:
    try:
        with _connected(place, port) as wire:
            wire.settimeout(ANSWER)
            wire.sendall(greeting)
            return wire.recv(512)
    except OSError:
        return b""


@contextlib.contextmanager
def _connected(place: Place, port: int | None = None) -> Iterator[socket.socket]:
    with socket.create_connection((place.host, port or place.port), PATIENCE) as plain:
        if place.scheme != "https":
            yield plain
            return
        context = ssl.create_default_context(cafile=place.certificate)
        if place.client_chain:
            context.load_cert_chain(place.client_chain, place.client_key)
        context.set_alpn_protocols(["h2"] if place.protocol == "grpc" else ["http/1.1"])
        with context.wrap_socket(plain, server_hostname=place.host) as wire:
            yield wire
