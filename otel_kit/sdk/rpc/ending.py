"""Which status a handler's end gives its call."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import grpc
import grpc.aio

from otel_kit.sdk.notes import fault
from otel_kit.sdk.rpc.call import Rpc
from otel_kit.sdk.rpc.names import CANCELLED, DEADLINE, OK, code_name

__all__ = ["failed", "left", "returned"]

#: Seconds by which a caller may be ahead: at its deadline it gives up, which arrives as a cancellation.
_SLACK: Final = 0.02
_FINE: Final = (None, 0, grpc.StatusCode.OK)


def returned(rpc: Rpc, context: Any, *, sending: bool = False) -> None:
    """The handler is done; what it set, or a caller that went away before, decides the code.

    Args:
        rpc: the call.
        context: gRPC's, of the handler.
        sending: its response has yet to be serialized, which ends the call.
    """
    try:
        code = context.code()
        if rpc.expired():
            rpc.finish(DEADLINE)
        elif _inactive(context):
            left(rpc)
        elif code not in _FINE:
            rpc.finish(code_name(code) or OK, details=_details(context))
        elif sending:
            rpc.due = OK
        else:
            rpc.finish(OK)
    except Exception:
        fault("gRPC status")
        rpc.finish(OK)


def failed(rpc: Rpc, context: Any, error: BaseException) -> None:
    """The handler raised: by ``context.abort``, because it was cancelled, or because of a fault."""
    try:
        code = code_name(context.code())
        cancelled = isinstance(error, asyncio.CancelledError | grpc.RpcError)
        if _aborted(context, error):
            rpc.finish(code or "UNKNOWN", details=_details(context))
        elif rpc.expired():
            rpc.finish(DEADLINE, None if cancelled else error)
        elif _inactive(context) or isinstance(error, asyncio.CancelledError):
            left(rpc)
        else:
            # gRPC sends the code that the handler has set before, if it is one of an error.
            rpc.finish(code if code and code != OK else "UNKNOWN", error)
    except Exception:
        fault("gRPC status")
        rpc.finish("UNKNOWN", error)


def left(rpc: Rpc) -> None:
    """The caller has gone, or takes no more of a stream."""
    rpc.finish(DEADLINE if rpc.expired(_SLACK) else CANCELLED)


def _aborted(context: Any, error: BaseException) -> bool:
    if isinstance(error, grpc.aio.AbortError):
        return True
    # grpc raises a bare Exception and notes it here; without the note it counts as a fault.
    return bool(getattr(getattr(context, "_state", None), "aborted", False))


def _inactive(context: Any) -> bool:
    """True where the caller has gone; grpc.aio cancels the handler instead."""
    active = getattr(context, "is_active", None)
    return active is not None and not active()


def _details(context: Any) -> str:
    details = context.details()
    return details.decode("utf-8", "replace") if isinstance(details, bytes) else details or ""
