"""What a service has set by OpenTelemetry's own instrumentation of gRPC: filters, hooks, a provider."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Literal

from opentelemetry.trace import Span, Tracer

from otel_kit.sdk.notes import fault

__all__ = ["AROUND", "CHOSEN", "CONTRIB", "Custom", "Side"]

Side = Literal["client", "aio client", "server", "aio server"]

#: OpenTelemetry's instrumentation package.
CONTRIB: Final = "opentelemetry.instrumentation.grpc"
Hook = Callable[[Span, Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Custom:
    """Set for a side of a stack, for a server or for a channel.

    Attributes:
        filter: False for the details of a call that is not to be recorded.
        request_hook: called with the span and the request, or the iterator of requests.
        response_hook: called with the span and the response, or each response of a stream.
        tracer: makes the spans.
    """

    filter: Callable[[Any], Any] | None = None
    request_hook: Hook | None = None
    response_hook: Hook | None = None
    tracer: Tracer | None = None

    @classmethod
    def of(cls, theirs: Any) -> Custom:
        """What an interceptor of that package was made with."""
        return cls(
            filter=getattr(theirs, "_filter", None),
            request_hook=getattr(theirs, "_request_hook", None),
            response_hook=getattr(theirs, "_response_hook", None),
            tracer=getattr(theirs, "_tracer", None),
        )

    def wants(self, details: Any) -> bool:
        """False where the filter leaves the call out; a filter that fails leaves nothing out."""
        if self.filter is None:
            return True
        try:
            return bool(self.filter(details))
        except Exception:
            fault("filter of gRPC calls")
            return True

    def on_request(self, span: Span, request: Any) -> None:
        """Call the hook."""
        _call(self.request_hook, span, request)

    def on_response(self, span: Span, response: Any) -> None:
        """Call the hook."""
        _call(self.response_hook, span, response)


def _call(hook: Hook | None, span: Span, message: Any) -> None:
    if hook is not None:
        try:
            hook(span, message)
        except Exception:
            fault("hook of gRPC calls")


#: Set for all channels or servers of one side of a stack.
CHOSEN: Final[dict[Side, Custom]] = {}
#: That of the interceptor of the instrumentation package within which a call is made.
AROUND: Final[ContextVar[Custom | None]] = ContextVar("otel_kit_rpc_custom", default=None)
