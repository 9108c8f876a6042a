"""One gRPC call: its span, its duration, the messages it carried; recorded once, however it ends.

By the stable RPC semantic conventions (1.45, https://opentelemetry.io/docs/specs/semconv/rpc/grpc/).
``rpc.system`` is the older name of ``rpc.system.name``: Datadog derives the operation
``grpc.server.request`` from it. The older ``rpc.service`` is left out on purpose: ``rpc.method`` holds the
whole name by now, and Datadog would make a resource ``pkg.Service/Method pkg.Service`` of both.
``rpc.response.status_code`` became ``rpc.status_code`` in 1.45; Datadog's intake reads the code
of a gRPC call by the former name only, so it stays until the intake knows the latter.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from opentelemetry.context import Context
from opentelemetry.metrics import Histogram
from opentelemetry.trace import Span, StatusCode

from otel_kit.sdk.notes import fault
from otel_kit.sdk.rpc.custom import Custom
from otel_kit.sdk.rpc.names import CANCELLED, OK
from otel_kit.sdk.spans import record_once, remember
from otel_kit.sdk.text import text_of, type_of

__all__ = ["Instruments", "Method", "Rpc"]

Attributes = dict[str, str | int]
#: Codes by which a server admits a fault of its own; the others answer a fault of the caller.
SERVER_FAULTS: Final = frozenset(
    {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
)
#: Streams that Google's libraries drop as soon as they have what they want: all went well.
_DROPPED: Final = frozenset(
    {
        "google.firestore.v1.Firestore/BatchGetDocuments",
        "google.spanner.v1.Spanner/ExecuteStreamingSql",
        "google.spanner.v1.Spanner/StreamingRead",
    }
)
_NOTHING: Final[Mapping[str, str | int]] = MappingProxyType({})
#: Kinds of ends of one method whose attributes are kept; classes of errors are few, but not ours to bound.
_KEPT: Final = 100


class Instruments(NamedTuple):
    """What a call is measured with."""

    duration: Histogram
    requests: Histogram
    responses: Histogram
    server: bool


class Method:
    """What the calls of one method have in common.

    Attributes:
        name: ``pkg.Service/Method``, or ``_OTHER``.
        recorded: False where its calls are left out.
        attributes: of each of its spans.
        kind: of each of its measurements.
        live: an id of each call that goes on. To add and to remove one is atomic, a number would need a lock.
    """

    __slots__ = ("_outcomes", "attributes", "kind", "live", "name", "recorded")

    def __init__(
        self,
        name: str,
        *,
        recorded: bool = True,
        on_spans: Mapping[str, str | int] = _NOTHING,
        on_points: Mapping[str, str | int] = _NOTHING,
    ) -> None:
        self.name = name
        self.recorded = recorded
        self.kind: Attributes = {"rpc.system.name": "grpc", "rpc.method": name, **on_points}
        self.attributes: Attributes = {**self.kind, "rpc.system": "grpc", **on_spans}
        self.live: set[int] = set()
        self._outcomes: dict[tuple[str, str | None], Attributes] = {}

    def outcome(self, code: str, error_type: str | None) -> Attributes:
        """The attributes of the measurements of an end."""
        found = self._outcomes.get((code, error_type))
        if found is None:
            found = {**self.kind, "rpc.response.status_code": code}
            if error_type is not None:
                found["error.type"] = error_type
            if len(self._outcomes) < _KEPT:
                self._outcomes[code, error_type] = found
        return found


class Rpc:
    """One call.

    Attributes:
        span: its span.
        context: the context in which that is current.
        requests: messages of a stream so far, or None where there is always one.
        responses: the same for what comes back.
        expires: end of its deadline by ``time.perf_counter``, or None.
        custom: hooks of the service, if it has set any.
        left: when the service stopped reading its responses before their end, or None.
        due: the code to finish with if nothing else comes; what is dropped without one was cancelled.
    """

    __slots__ = (
        "__weakref__",
        "_began",
        "_instruments",
        "_method",
        "context",
        "custom",
        "due",
        "expires",
        "left",
        "requests",
        "responses",
        "span",
    )

    def __init__(
        self, method: Method, instruments: Instruments, span: Span, context: Context, began: float
    ) -> None:
        self.span = span
        self.context = context
        self.requests: int | None = None
        self.responses: int | None = None
        self.expires: float | None = None
        self.custom: Custom | None = None
        self.left: tuple[int, float] | None = None
        self.due = CANCELLED
        self._method = method
        self._instruments = instruments
        self._began = began
        method.live.add(id(self))

    def __del__(self) -> None:
        # The last resort: gRPC has forgotten the call, and so nothing else will end its span.
        method = getattr(self, "_method", None)  # None where it could not be made
        if method is not None and id(self) in method.live:
            self.finish(self.due)

    def expired(self, slack: float = 0.0) -> bool:
        """True once its deadline is over, or will be in `slack` seconds."""
        return self.expires is not None and time.perf_counter() + slack >= self.expires

    def finish(
        self,
        code: str,
        error: BaseException | None = None,
        details: str = "",
        at: tuple[int, float] | None = None,
    ) -> None:
        """Record and end; only the first call does something, and none raises.

        Args:
            code: name of the status code that goes over the wire.
            error: the exception with which a handler failed.
            details: the message beside the code, for the span.
            at: when it ended by the wall clock (ns) and by ``time.perf_counter``; None for now.
        """
        try:
            self._method.live.remove(id(self))
        except KeyError:
            return
        try:
            self._record(code, error, details, at or (None, time.perf_counter()))
        except Exception:
            fault("gRPC call")

    def _record(
        self, code: str, error: BaseException | None, details: str, at: tuple[int | None, float]
    ) -> None:
        if code == CANCELLED and self.responses and self._method.name in _DROPPED:
            code = OK
        took = at[1] - self._began
        tools = self._instruments
        failed = code != OK and (code in SERVER_FAULTS or not tools.server)
        why = (code if error is None else type_of(error)) if failed else None
        on_points = self._method.outcome(code, why)
        span = self.span
        try:
            tools.duration.record(took, on_points, self.context)
            if self.requests is not None:
                tools.requests.record(self.requests, on_points, self.context)
            if self.responses is not None:
                tools.responses.record(self.responses, on_points, self.context)
            span.set_attribute("rpc.response.status_code", code)
            if error is not None:
                remember(span, error)
                record_once(span, error)
                details = details or text_of(error)
            if why is not None:
                span.set_attribute("error.type", why)
                span.set_status(StatusCode.ERROR, details or None)
        finally:
            span.end(at[0])
