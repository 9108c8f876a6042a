"""How far a request is, for what runs in its context: also after its answer, in another task or thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry.context import create_key

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

__all__ = ["PROGRESS", "Progress"]

#: Key in the context of a request of its `Progress`.
PROGRESS: Final = create_key("otel_kit.http_progress")


class Progress:
    """What a context keeps of a request; not the request itself, which would live as long as the context.

    Attributes:
        tracer: of the span of the request.
        over: the response is complete.
        failed: the span of a background task that an error has left, and the id of the error.
    """

    over = False
    failed: tuple[Span, int] | None = None

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer

    def task_left_by(self, error: BaseException) -> Span | None:
        """The span of the background task that has raised `error`, or one of its causes."""
        span, failure = self.failed or (None, 0)
        cause: BaseException | None = error
        for _ in range(10):
            if cause is None or span is None:
                break
            if id(cause) == failure:
                return span
            cause = cause.__cause__
        return None
