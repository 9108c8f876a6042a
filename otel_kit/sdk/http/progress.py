"""How far a request is, for what runs in its context: also after its answer, in another task or thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

from opentelemetry.context import create_key

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

__all__ = ["PROGRESS", "Progress", "task_left_by"]

#: Key in the context of a request of its `Progress`.
PROGRESS: Final = create_key("otel_kit.http_progress")


class Progress(TypedDict):
    """What a context keeps of a request; not the request itself, which would live as long as the context.

    A plain dict, since each request makes one.

    Attributes:
        tracer: of the span of the request.
        over: the response is complete.
        failed: the span of a background task that an error has left, and the id of the error.
    """

    tracer: Tracer
    over: bool
    failed: tuple[Span, int] | None


def task_left_by(error: BaseException, progress: Progress) -> Span | None:
    """The span of the background task that has raised `error`, or one of its causes."""
    span, failure = progress["failed"] or (None, 0)
    cause: BaseException | None = error
    for _ in range(10):
        if cause is None or span is None:
            break
        if id(cause) == failure:
            return span
        cause = cause.__cause__
    return None
