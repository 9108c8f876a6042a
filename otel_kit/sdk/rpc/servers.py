"""Gives servers of both gRPC stacks our interceptor: as the outermost, or in the place of one it replaces."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from otel_kit.sdk.notes import fault
from otel_kit.sdk.rpc.custom import CHOSEN, CONTRIB, Custom, Side
from otel_kit.sdk.rpc.recorder import Recorder
from otel_kit.sdk.rpc.server import AioServerInterceptor, ServerInterceptor

__all__ = ["Servers", "making"]

Init = Callable[..., None]
#: The interceptors of a server that was given some, and has that limit of calls at a time.
Place = Callable[[Sequence[Any], int | None], tuple[Any, ...]]


class Servers:
    """Makes interceptors.

    Args:
        recorder: begins the calls of all servers.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def sync(self, given: Sequence[Any], _: int | None = None) -> tuple[Any, ...]:
        """The interceptors for a server of grpc."""
        ours = ServerInterceptor(self.recorder, _customs("server", given), alone=not given)
        return _placed(ours, given)

    def aio(self, given: Sequence[Any], limit: int | None = None) -> tuple[Any, ...]:
        """The interceptors for a server of grpc.aio."""
        ours = AioServerInterceptor(
            self.recorder, _customs("aio server", given), alone=not given, limited=limit is not None
        )
        return _placed(ours, given)


def making(place: Place) -> Callable[[Init], Init]:
    """For ``__init__`` of a class of servers."""

    def make(original: Init) -> Init:
        signature = inspect.signature(original)
        if not {"interceptors", "maximum_concurrent_rpcs"} <= set(signature.parameters):
            raise LookupError("other parameters")

        def init(server: Any, *args: Any, **kwargs: Any) -> None:
            try:
                bound = signature.bind(server, *args, **kwargs)
                given = bound.arguments
                interceptors = tuple(given.get("interceptors") or ())
                given["interceptors"] = place(interceptors, given.get("maximum_concurrent_rpcs"))
                server, *args = bound.args  # type: ignore[assignment]
                kwargs = bound.kwargs
            except Exception:
                fault("gRPC server")
            original(server, *args, **kwargs)

        return init

    return make


def _customs(side: Side, given: Sequence[Any]) -> Callable[[], Sequence[Custom]]:
    own = tuple(Custom.of(one) for one in given if _is_theirs(one))

    def customs() -> Sequence[Custom]:
        chosen = CHOSEN.get(side)
        return own if chosen is None else (*own, chosen)

    return customs


def _placed(ours: Any, given: Sequence[Any]) -> tuple[Any, ...]:
    first = next((at for at, one in enumerate(given) if _is_theirs(one)), 0)
    others = [one for one in given if not _is_theirs(one)]
    return (*others[:first], ours, *others[first:])


def _is_theirs(interceptor: Any) -> bool:
    return type(interceptor).__module__.startswith(CONTRIB)
