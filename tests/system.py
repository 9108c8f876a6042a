"""The whole system on loopback: stand-in, collector and shop, each one real process on a port of its own."""

from __future__ import annotations

import contextlib
import functools
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.parts import ROOT, Part, free_port, free_ports, http_ready, port_ready, start
from tests.standin import StandIn

__all__ = ["OTEL_KIT", "Collector", "bff", "collector", "orders", "service_env", "stand_in"]

OTEL_KIT = (sys.executable, "-m", "otel_kit.cli")
BINARY = ROOT / "build" / "otelcol-local"
RENDERED = ROOT / "build" / "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """A running collector and where it listens for OTLP over HTTP and over gRPC."""

    part: Part
    http_url: str
    grpc_url: str


@contextlib.contextmanager
def stand_in(port: int | None = None, *, db: Path | None = None) -> Iterator[StandIn]:
    """`otel-kit dev`, evaluating its monitors each second."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    store = ["--db", str(db)] if db else []
    args = [*OTEL_KIT, "dev", "--port", str(port), "--evaluate-every", "1s", *store]
    with start(args, ready=http_ready(f"{url}/dev/health")):
        yield StandIn(url)


@functools.cache
def local_config() -> Path:
    """`collector/local.yaml`, rendered; once per run."""
    render = [*OTEL_KIT, "collector", "render", "--env", "local", "--out", str(RENDERED)]
    subprocess.run(render, cwd=ROOT, check=True, capture_output=True)
    return RENDERED / "config" / "node.yaml"


@contextlib.contextmanager
def collector(
    destination: str, storage: Path, *, ports: tuple[int, int] | None = None
) -> Iterator[Collector]:
    """The real collector with the local config, sending to `destination`, its queues kept in `storage`.

    `ports`: OTLP gRPC and HTTP, for a collector that comes back where the one before it was.
    """
    grpc_port, http_port = ports or tuple(free_ports(2))
    health_port = free_port()
    env = {
        "OTLP_GRPC_PORT": str(grpc_port),
        "OTLP_HTTP_PORT": str(http_port),
        "HEALTH_PORT": str(health_port),
        "DATADOG_OTLP_ENDPOINT": destination,
        "STORAGE_DIR": str(storage),
        "DD_API_KEY": "local",
    }
    args = [str(BINARY), "--config", str(local_config())]
    with start(args, env=env, ready=http_ready(f"http://127.0.0.1:{health_port}")) as part:
        yield Collector(
            part=part, http_url=f"http://127.0.0.1:{http_port}", grpc_url=f"http://127.0.0.1:{grpc_port}"
        )


def service_env(otlp_url: str, **more: str) -> dict[str, str]:
    """The environment of a service that sends to `otlp_url`, its metrics each second."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_url,
        "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        "DD_ENV": "local",
        "DD_VERSION": "1.2.3",
        **more,
    }


@contextlib.contextmanager
def orders(env: Mapping[str, str]) -> Iterator[tuple[Part, str]]:
    """The shop's gRPC back end, and its target."""
    port = free_port()
    args = [sys.executable, "-m", "examples.shop.orders"]
    with start(args, env={**env, "PORT": str(port)}, ready=port_ready(port)) as part:
        yield part, f"127.0.0.1:{port}"


@contextlib.contextmanager
def bff(env: Mapping[str, str], orders_target: str, *, workers: int = 1) -> Iterator[tuple[Part, str]]:
    """The shop's BFF under uvicorn, and its URL; `workers` processes share the port."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    args = [sys.executable, "-m", "uvicorn", "examples.shop.bff:app", "--port", str(port)]
    many = ["--workers", str(workers)] if workers > 1 else []
    with start(
        [*args, *many], env={**env, "ORDERS_TARGET": orders_target}, ready=http_ready(f"{url}/healthz")
    ) as part:
        yield part, url
