"""The metrics of HTTP requests, and its attributes, each set of them made once.

https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#http-server
"""

from __future__ import annotations

import functools
import weakref
from typing import Any, Final, NamedTuple

from opentelemetry import metrics
from opentelemetry.metrics import Meter, MeterProvider

from otel_kit import conventions
from otel_kit.sdk.http.active import Active
from otel_kit.sdk.http.attributes import VERSIONS

__all__ = ["Conclusion", "Instruments", "Kind", "Kinds", "Sockets", "instruments_of"]

#: Seconds, by the conventions.
DURATIONS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
#: Bytes; the conventions leave them open, and the default bounds end at 10 kB.
SIZES: Final = (0, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216)
#: Seconds; sockets are open for a moment or for days.
OPEN: Final = (0.1, 1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0)
_SCHEMES: Final = frozenset({"http", "https", "ws", "wss"})
_VERSIONS: Final = frozenset({"1.0", "1.1", "2", "3"})
#: Sets of attributes that are remembered; a service has (routes x statuses) of them.
_KEPT: Final = 4096


class Instruments:
    """What is measured of each request.

    All come from one instrumentation scope wherever possible: Datadog does not tell scopes apart, and of two
    series of one name and the same tags it keeps one.
    """

    def __init__(self, meter: Meter) -> None:
        self.duration = meter.create_histogram(
            conventions.HTTP_SERVER_DURATION,
            unit="s",
            description="Duration of HTTP server requests.",
            explicit_bucket_boundaries_advisory=DURATIONS,
        )
        self.active = Active(
            meter,
            "http.server.active_requests",
            unit="{request}",
            description="Number of active HTTP server requests.",
        )
        self.request_size = meter.create_histogram(
            "http.server.request.body.size",
            unit="By",
            description="Size of HTTP server request bodies.",
            explicit_bucket_boundaries_advisory=SIZES,
        )
        self.response_size = meter.create_histogram(
            "http.server.response.body.size",
            unit="By",
            description="Size of HTTP server response bodies.",
            explicit_bucket_boundaries_advisory=SIZES,
        )
        self._meter = meter

    @functools.cached_property
    def sockets(self) -> Sockets:
        """Made for the first WebSocket."""
        return Sockets(self._meter)


class Sockets:
    """What is measured of WebSockets beyond their handshakes, which are requests; no convention has it."""

    def __init__(self, meter: Meter) -> None:
        self.open = Active(
            meter,
            "websocket.server.open_connections",
            unit="{connection}",
            description="Number of WebSockets that are open.",
        )
        self.duration = meter.create_histogram(
            "websocket.server.connection.duration",
            unit="s",
            description="How long WebSockets were open.",
            explicit_bucket_boundaries_advisory=OPEN,
        )


#: The instruments of each meter provider or meter: of two that observe the same, only one would be heard.
_made: Final[weakref.WeakKeyDictionary[Any, Instruments]] = weakref.WeakKeyDictionary()


def instruments_of(provider: MeterProvider | None = None, meter: Meter | None = None) -> Instruments:
    """The instruments of a meter, or of this library's meter of a provider, the global one by default."""
    source = meter or provider or metrics.get_meter_provider()
    found = _made.get(source)
    if found is None:
        made = meter or metrics.get_meter("otel_kit.http", meter_provider=provider)
        found = _made[source] = Instruments(made)
    return found


class Conclusion(NamedTuple):
    """What is said of a finished request.

    Attributes:
        name: of the span; empty where it keeps the one it began with.
        of_metrics: attributes of its measurements; nothing that a client can make up is among them.
        of_span: attributes that the span did not begin with.
    """

    name: str
    of_metrics: dict[str, str | int]
    of_span: dict[str, str | int]


class Kind:
    """The requests of one method, scheme and version of HTTP.

    Attributes:
        method: a known one, or ``_OTHER``.
        scheme: of the URL.
        name: of a span that has no route.
        active: has an entry for each request of this kind that is not answered yet.
    """

    def __init__(self, method: str, scheme: str, version: str | None, active: Active) -> None:
        self.method, self.scheme = method, scheme
        self.name = "HTTP" if method == "_OTHER" else method
        known = scheme if scheme in _SCHEMES else "_OTHER"
        of_all = {"http.request.method": method, "url.scheme": known}
        self.active = active.of(of_all)
        self._of_metrics: dict[str, str | int] = {**of_all}
        version = VERSIONS.get(version or "", version)
        if version in _VERSIONS:
            self._of_metrics["network.protocol.version"] = version
        self._kept: dict[tuple[str | None, int | None, str | None], Conclusion] = {}

    def conclusion(self, route: str | None, status: int | None, error: str | None) -> Conclusion:
        """What is said of a finished request.

        Args:
            route: the template that has matched.
            status: of the response; None where there was none.
            error: the value of ``error.type``.
        """
        key = route, status, error
        found = self._kept.get(key)
        if found is None:
            facts = {"http.route": route, "http.response.status_code": status, "error.type": error}
            of_span = {name: value for name, value in facts.items() if value is not None}
            name = "" if route is None else f"{self.name} {route}"
            found = Conclusion(name, self._of_metrics | of_span, of_span)
            if len(self._kept) < _KEPT:
                self._kept[key] = found
        return found


class Kinds:
    """All kinds of requests, each made once.

    Args:
        methods: those that are recorded by name.
        active: counts those that are not answered yet.
    """

    def __init__(self, methods: frozenset[str], active: Active) -> None:
        self._methods = methods
        self._active = active
        self._kept: dict[tuple[str, str, str | None], Kind] = {}

    def get(self, method: str, scheme: str, version: str | None) -> Kind:
        """The kind of a request with these, whatever they are."""
        found = self._kept.get((method, scheme, version))
        if found is None:
            found = Kind(method if method in self._methods else "_OTHER", scheme, version, self._active)
            if len(self._kept) < _KEPT and found.method == method:
                self._kept[method, scheme, version] = found
        return found
