"""How far a request is, for what runs in its context: also after its answer, in another task or thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry.context import create_key

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

__all__ = ["PROGRESS", "Progress"]

#: Key in the context of a request of its `Progress`.
PROGRESS: Final = create_key("otel_kit.http_progress")


class Progress:
    """What a context keeps of a request; not the request itself, which would live as long as the context.

    Attributes:
        tracer: of the span of the request.
        over: the response is complete.
        failure: id of the error that has left a background task, which has a span of its own.
    """

    __slots__ = ("failure", "over", "tracer")

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self.over = False
        self.failure = 0

    def is_of_a_task(self, error: BaseException) -> bool:
        """True where `error`, or one of its causes, is the one that a background task has raised."""
        cause: BaseException | None = error
        for _ in range(10):
            if cause is None or not self.failure:
                return False
            if id(cause) == self.failure:
                return True
            cause = cause.__cause__
        return False
