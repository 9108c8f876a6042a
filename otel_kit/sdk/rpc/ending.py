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
_FINE: Final = (None, grpc.StatusCode.OK)


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
            left(rpc, context)
        elif code not in _FINE:
            rpc.finish(_name(code, context) or OK, details=_details(context))
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
        code = _name(context.code(), context)
        cancelled = isinstance(error, grpc.RpcError) or _by_grpc(error)
        if _aborted(context, error):
            rpc.finish(code or "UNKNOWN", details=_details(context))
        elif rpc.expired():
            rpc.finish(DEADLINE, None if cancelled else error)
        elif _inactive(context) or _by_grpc(error):
            left(rpc, context)
        else:
            # gRPC sends the code that the handler has set before, if it is one of an error.
            rpc.finish(code if code and code != OK else "UNKNOWN", error)
    except Exception:
        fault("gRPC status")
        rpc.finish("UNKNOWN", error)


def left(rpc: Rpc, context: Any) -> None:
    """The caller has gone, or takes no more of a stream; or grpc.aio does not, after an abort."""
    try:
        code = _name(context.code(), context) if getattr(context, "done", bool)() else None
        if code is None or code == OK:
            code = DEADLINE if rpc.expired(_SLACK) else CANCELLED
        rpc.finish(code)
    except Exception:
        fault("gRPC status")
        rpc.finish(CANCELLED)


def _name(code: Any, context: Any) -> str | None:
    """The name of a code that a handler has set; grpc, unlike grpc.aio, does not take a number for one."""
    if isinstance(code, int) and isinstance(context, grpc.ServicerContext):
        return "UNKNOWN"
    return code_name(code)


def _by_grpc(error: BaseException) -> bool:
    """True for a cancellation that is the caller's; the handler may also have run into one of its own."""
    if not isinstance(error, asyncio.CancelledError):
        return False
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop, hence nobody who cancels
        return False
    # Python 3.10 does not tell.
    return task is not None and bool(getattr(task, "cancelling", lambda: True)())


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
