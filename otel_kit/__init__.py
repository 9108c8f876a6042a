"""Traces, metrics and logs of a Python service, by one call.

::

    import otel_kit

    otel_kit.init()

After it, the plain OpenTelemetry API and the standard library's logging are all that a service uses.
Importing it loads the standard library only; the OpenTelemetry SDK is loaded inside `init`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from otel_kit.sdk.decorator import instrument
from otel_kit.sdk.handle import Telemetry

__all__ = ["Telemetry", "__version__", "force_flush", "init", "instrument", "shutdown"]

__version__ = "0.1.0"


def init(
    *,
    service: str | None = None,
    env: str | None = None,
    version: str | None = None,
    endpoint: str | None = None,
    protocol: Literal["http/protobuf", "grpc"] | None = None,
    headers: Mapping[str, str] | None = None,
    resource_attributes: Mapping[str, str | int | float | bool] | None = None,
    traces: bool | None = None,
    metrics: bool | None = None,
    logs: Literal["stdout", "otlp", "both", "none"] | None = None,
    log_level: int | str | None = None,
    metric_interval: float | None = None,
    shutdown_timeout: float | None = None,
    health_routes: Sequence[str] | None = None,
    instrument: bool | Sequence[str] | None = None,
    sampling: str | None = None,
) -> Telemetry:
    """Set up traces, metrics and logs; the first call counts, a later one returns its handle.

    Each argument wins over its own variable (``OTEL_KIT_SERVICE``), that over ``OTEL_*``, that over ``DD_*``,
    that over what is detected; the reference page lists the variables. FastAPI, Starlette and gRPC may be
    imported before it or after it.

    Args:
        service: name of the service; the tags service, env and version unify all signals in Datadog.
        env: the deployment environment: dev, staging, prod.
        version: version of the service.
        endpoint: the collector, ``http://host:4318``; for gRPC ``http://host:4317``.
        protocol: how to speak to it; ``http/protobuf`` by default.
        headers: sent with each request to it.
        resource_attributes: further attributes of the resource.
        traces: False switches traces off.
        metrics: False switches metrics off.
        logs: JSON lines on ``stdout``, OTLP records, ``both`` (default) or ``none``. JSON lines replace what
            handlers of the service write to the console; their levels and filters stay in force.
        log_level: of the root logger; by default INFO, unless the service has configured that logger before.
        metric_interval: seconds between two collections, at least 1; 10 by default.
        shutdown_timeout: seconds that flushing may hold up the end of the process, all signals together; 3.
        health_routes: exact paths that are not recorded; ``/healthz`` and its like by default.
        sampling: rules for the shares of traces to keep, by route, name and attribute of their first span:
            ``"route:/search@0.1; *@0.9"``; all are kept by default.
        instrument: what to instrument: ``fastapi``, ``grpc``, ``threading`` (threads and executors go on in
            the context of who started them) and the clients ``httpx``, ``requests``, ``aiohttp``,
            ``urllib3``, ``redis``, ``asyncpg``, ``psycopg`` and ``sqlalchemy``; all by default, none with
            False. Clients need the extra of their name.

    Returns:
        A handle, disabled where ``OTEL_KIT_DISABLED`` or ``OTEL_SDK_DISABLED`` is true or another SDK is
        already in charge.

    Raises:
        InputError: an argument cannot be used. The environment never makes it raise.

    Example::

        import otel_kit

        telemetry = otel_kit.init(service="orders", env="dev", shutdown_timeout=0.5)
        assert telemetry.service == "orders"
    """
    arguments = locals()  # nothing but the parameters, here
    from otel_kit.sdk import setup
    from otel_kit.sdk.config.arguments import Arguments

    return setup.init(Arguments(**arguments))


def shutdown() -> None:
    """Flush within the shutdown budget and stop for good; later telemetry is dropped and counted.

    Only a process that ends in a way of its own needs it: normal exit, SIGTERM and the end of a lifespan
    flush by themselves. It does nothing where `init` was not called, and never raises.

    Example::

        import otel_kit

        otel_kit.init(service="job", shutdown_timeout=0.5)
        otel_kit.shutdown()
    """
    from otel_kit.sdk import setup

    setup.shutdown()


def force_flush(timeout: float = 10.0) -> bool:
    """Deliver all that was recorded before.

    Args:
        timeout: seconds to wait at most.

    Returns:
        False where something could not be delivered in time; it stays queued. True before `init`.

    Example::

        import otel_kit

        otel_kit.init(service="job", shutdown_timeout=0.5)
        delivered = otel_kit.force_flush(timeout=0.5)
    """
    from otel_kit.sdk import setup

    return setup.force_flush(timeout)
