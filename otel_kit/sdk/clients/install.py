"""Instruments each client as soon as the service imports it; what does not fit is told, and left alone."""

from __future__ import annotations

import os
from collections.abc import Collection
from importlib import import_module
from typing import Any, Final

from otel_kit.sdk.clients.catalogue import CLIENTS, OUTCOMES, Client, Outcome
from otel_kit.sdk.imports import when_imported
from otel_kit.sdk.notes import LOGGER

__all__ = ["install"]

_WAITING: Final[tuple[Outcome, str]] = ("waiting", "not imported so far")
_OFF: Final[tuple[Outcome, str]] = ("off", "switched off by the settings")


def install(names: Collection[str]) -> None:
    """Wait for the clients with these names.

    Contrib packages decide once per process, at the first of them, between the names of attributes that are
    stable and those from before; without this variable it is those from before.
    """
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    OUTCOMES.setdefault("grpc", _WAITING if "grpc" in names else _OFF)
    for client in CLIENTS:
        if client.name in names:
            client.note(*_WAITING)
            when_imported(client.module, lambda _, client=client: _imported(client))  # type: ignore[misc]
        else:
            client.note(*_OFF)


def _imported(client: Client) -> None:
    try:
        instrumentor: Any = getattr(import_module(client.contrib_module), client.kind)()
        if instrumentor.is_instrumented_by_opentelemetry:
            client.note("theirs", "the service has instrumented it by itself")
            return
        conflict = _conflict(client, instrumentor)
        if conflict:
            client.note("refused", conflict)
            LOGGER.warning("otel-kit: %s is not instrumented: %s", client.name, conflict)
            return
        hook = {"request_hook": _address} if client.name == "urllib3" else {}
        instrumentor.instrument(skip_dep_check=True, **hook)
        _complete(client)
        client.note("on")
    except ModuleNotFoundError as error:
        if error.name and client.contrib_module.startswith(error.name):
            client.note("missing", client.missing)
            LOGGER.info("otel-kit: %s is not instrumented: %s", client.name, client.missing)
        else:
            _failed(client, error)
    except Exception as error:
        _failed(client, error)


def _complete(client: Client) -> None:
    """Add what the contrib package leaves out."""
    if client.name == "sqlalchemy":
        from otel_kit.sdk.clients.engines import name_by_operation, quiet_drivers, trace_all_engines

        name_by_operation()
        trace_all_engines()
        quiet_drivers()
    elif client.name == "aiohttp":
        from otel_kit.sdk.clients.sessions import trace_all_sessions

        trace_all_sessions()
    elif client.name in ("asyncpg", "psycopg"):
        from otel_kit.sdk.clients.connects import note_failed_connects

        note_failed_connects(client.name)


def _address(span: Any, pool: Any, _: Any) -> None:
    """The server of a request of urllib3: what Datadog finds the other side by."""
    span.set_attribute("server.address", pool.host)
    if pool.port:
        span.set_attribute("server.port", pool.port)


def _failed(client: Client, error: Exception) -> None:
    why = f"{type(error).__name__}: {error}"
    client.note("failed", why)
    LOGGER.warning("otel-kit: %s is not instrumented: %s", client.name, why)


def _conflict(client: Client, instrumentor: Any) -> str:
    """Why the versions do not fit, or an empty text."""
    from importlib.metadata import version

    from opentelemetry.instrumentation.dependencies import get_dependency_conflicts
    from packaging.specifiers import SpecifierSet

    wanted = instrumentor.instrumentation_dependencies()
    if get_dependency_conflicts(wanted) is None:
        return ""
    installed = version(client.library)
    if client.tried and SpecifierSet(client.tried).contains(installed, prereleases=True):
        return ""
    return f"{client.contrib_distribution} wants {', '.join(wanted)}, and {installed} is installed"
