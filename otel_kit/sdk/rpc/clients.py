"""What the clients of both stacks share: to begin a call within what the service has set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from otel_kit.sdk.notes import fault
from otel_kit.sdk.rpc.behaviors import Convert
from otel_kit.sdk.rpc.call import Rpc
from otel_kit.sdk.rpc.carrier import Metadata, outgoing
from otel_kit.sdk.rpc.custom import AROUND, Custom
from otel_kit.sdk.rpc.names import text
from otel_kit.sdk.rpc.recorder import Recorder, suppressed

__all__ = ["CallInfo", "Clients", "counting_responses"]


class CallInfo(NamedTuple):
    """The details of a call, under the names that filters of both stacks look for."""

    full_method: str
    method: str
    timeout: float | None
    metadata: Any


class Clients:
    """Begins the calls of the clients of one stack.

    Args:
        recorder: of both stacks.
        custom: what the service has set for this stack, or None.
    """

    def __init__(self, recorder: Recorder, custom: Callable[[], Custom | None]) -> None:
        self._recorder = recorder
        self._custom = custom

    def begin(
        self, path: str | bytes, target: str | bytes, request: Any, metadata: Metadata | None
    ) -> tuple[Rpc, Metadata] | None:
        """A call and its metadata; None where it is not recorded, or where recording fails.

        Args:
            path: ``/pkg.Service/Method``.
            target: of the channel.
            request: the message, or the iterator of messages.
            metadata: of the service, which can be read more than once.
        """
        try:
            if suppressed():  # asked first: what is kept of a method is seen in the metrics
                return None
            method = self._recorder.method(text(path), text(target))
            if not method.recorded:
                return None
            custom = AROUND.get() or self._custom()
            if custom is not None and not custom.wants(CallInfo(text(path), text(path), None, metadata)):
                return None
            tracer = None if custom is None else custom.tracer
            rpc = self._recorder.send(method, tracer)
            if custom is not None:
                rpc.custom = custom
                custom.on_request(rpc.span, request)
        except Exception:
            fault("gRPC call")
            return None
        try:
            return rpc, outgoing(metadata, rpc.context)
        except Exception:
            fault("gRPC call")
            return rpc, metadata or ()


def counting_responses(convert: Convert | None, rpc: Rpc) -> Convert:
    """A deserializer of a stream: gRPC calls it before it tells the end of the call."""

    def deserialize(data: Any) -> Any:
        message = data if convert is None else convert(data)
        rpc.responses = (rpc.responses or 0) + 1
        if rpc.custom is not None:
            rpc.custom.on_response(rpc.span, message)
        return message

    return deserialize
