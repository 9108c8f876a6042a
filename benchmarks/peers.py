"""Who is measured: each peer's packages, environment variables, and what it has to deliver."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.sink import Ports

__all__ = ["BARE", "KIT", "NONE", "OFF", "PEERS", "RAW", "ROOT", "STACK", "Peer", "environment"]

ROOT: Final = Path(__file__).resolve().parent.parent
NONE: Final = "none"
RAW: Final = "opentelemetry"
KIT: Final = "otel-kit"
OFF: Final = f"{KIT}-off"
BARE: Final = f"{KIT}-unredacted"

#: The application's own packages, the same for all; what a peer adds floats to its latest release.
STACK: Final = (
    "fastapi==0.165.0",
    "starlette==1.10.0",
    "uvicorn==0.54.0",
    "uvloop==0.23.0",
    "httptools==0.9.0",
    "grpcio==1.85.1",
    "protobuf==7.36.2",
    "pydantic==2.14.3",
)
_OPENTELEMETRY: Final = (
    "opentelemetry-sdk",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-instrumentation-fastapi",
    "opentelemetry-instrumentation-grpc",
    "opentelemetry-instrumentation-logging",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One way to have telemetry, or none.

    Attributes:
        name: as it is called on the command line and in results.
        about: what it is, for the report.
        venv: name of its virtual environment; peers with the same packages share one.
        packages: what is installed there beside `STACK`.
        env: what it needs in its environment beside the addresses of the sink.
        delivers: what the sink must count for each request, at least.
    """

    name: str
    about: str
    venv: str
    packages: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    delivers: Mapping[str, int] = field(default_factory=dict)


def _kit(name: str, about: str, env: Mapping[str, str], delivers: Mapping[str, int]) -> Peer:
    packages = ("-e", f"{ROOT}[fastapi,grpc]")
    return Peer(name=name, about=about, venv="kit", packages=packages, env=env, delivers=delivers)


_ALL: Final = (
    Peer(name=NONE, about="no telemetry", venv="none", packages=("opentelemetry-api",)),
    Peer(
        name=RAW,
        about="OpenTelemetry's SDK, OTLP over HTTP, contrib instrumentations",
        venv="opentelemetry",
        packages=_OPENTELEMETRY,
        delivers={"spans": 1, "logs": 1},
    ),
    Peer(
        name="fastapi",
        about="FastAPI's own telemetry at its least, through OpenTelemetry's SDK",
        venv="opentelemetry",
        packages=_OPENTELEMETRY,
        delivers={"spans": 1, "logs": 1},
    ),
    Peer(
        name="ddtrace",
        about="ddtrace, traces alone",
        venv="ddtrace",
        packages=("ddtrace",),
        delivers={"traces": 1},
    ),
    Peer(
        name="ddtrace-full",
        about="ddtrace with OpenTelemetry metrics and logs",
        venv="ddtrace-full",
        packages=("ddtrace[opentelemetry]", "opentelemetry-exporter-otlp-proto-http"),
        env={
            "DD_LOGS_OTEL_ENABLED": "true",
            "DD_METRICS_OTEL_ENABLED": "true",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        },
        delivers={"traces": 1, "logs": 1},
    ),
    Peer(
        name="logfire",
        about="logfire, sending to another backend; its log lines are spans",
        venv="logfire",
        packages=("logfire[fastapi]", "opentelemetry-instrumentation-grpc"),
        env={"LOGFIRE_IGNORE_NO_CONFIG": "1"},
        delivers={"spans": 2},
    ),
    _kit(KIT, "otel_kit.init() of this working tree", {}, {"spans": 1, "logs": 1}),
    _kit(OFF, "the same with OTEL_SDK_DISABLED=true", {"OTEL_SDK_DISABLED": "true"}, {}),
    _kit(BARE, "the same with OTEL_KIT_REDACT=off", {"OTEL_KIT_REDACT": "off"}, {"spans": 1, "logs": 1}),
)
PEERS: Final[dict[str, Peer]] = {peer.name: peer for peer in _ALL}


def environment(peer: Peer, ports: Ports, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a peer's process: nothing of the caller's but the path."""
    url = f"http://127.0.0.1:{ports.data}"
    return {
        "PATH": os.environ["PATH"],
        "HOME": tempfile.gettempdir(),
        "LANG": "C.UTF-8",
        "BENCH_PEER": peer.name,
        "BENCH_SINK": str(ports.control),
        "OTEL_SERVICE_NAME": "bench",
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "DD_SERVICE": "bench",
        "DD_TRACE_AGENT_URL": url,
        **peer.env,
        **(extra or {}),
    }
