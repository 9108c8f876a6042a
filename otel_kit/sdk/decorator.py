"""`otel_kit.instrument`: a span around each call of a function, of whatever kind it is.

A generator runs in turns with the code that reads it. So its span is current only while it runs: the context
is put in place for each step and taken away before the value is handed over.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from typing import Any, Final, TypeVar, overload

from otel_kit.errors import InputError
from otel_kit.sdk.decorated import Kind, check, check_function
from otel_kit.sdk.notes import fault, quietly

__all__ = ["instrument"]

F = TypeVar("F", bound=Callable[..., Any])


@overload
def instrument(function: F, /) -> F: ...


@overload
def instrument(
    *,
    name: str | None = None,
    kind: Kind = "internal",
    attributes: Mapping[str, str | bool | int | float] | None = None,
    record: Sequence[str] = (),
) -> Callable[[F], F]: ...


def instrument(
    function: F | None = None,
    /,
    *,
    name: str | None = None,
    kind: Kind = "internal",
    attributes: Mapping[str, str | bool | int | float] | None = None,
    record: Sequence[str] = (),
) -> F | Callable[[F], F]:
    """Record a span for each call of a function, coroutine function, generator or asynchronous generator.

    It works on methods, and above or below ``classmethod`` and ``staticmethod``. An exception that leaves the
    function is recorded on the span and goes on. The span of a generator begins with its first step and ends
    when it is exhausted, closed or collected; between two steps it is not the current one.

    Args:
        function: what is decorated, where the decorator is used without arguments.
        name: of the span; by default the function's qualified name.
        kind: internal, server, client, producer or consumer, also in capitals.
        attributes: of each span.
        record: names of parameters whose values become attributes of the same name. Nothing is recorded that
            is not named here; what is no string, number or boolean is recorded by its text.

    Returns:
        The function, with its signature.

    Raises:
        InputError: it is no function, or one of the arguments cannot be used.

    Example::

        import otel_kit

        @otel_kit.instrument(attributes={"order.kind": "web"}, record=["number"])
        def load(number: int, secret: str) -> int:
            return number

        assert load(1, secret="x") == 1
    """
    check(name=name, kind=kind, attributes=attributes, record=record)

    def decorate(decorated: F) -> F:
        wrapped: F = _instrumented(decorated, name, kind, dict(attributes or {}), tuple(record))
        return wrapped

    return decorate if function is None else decorate(function)


def _instrumented(
    function: Any, name: str | None, kind: str, attributes: dict[str, Any], record: tuple[str, ...]
) -> Any:
    if isinstance(function, classmethod | staticmethod):
        return type(function)(_instrumented(function.__func__, name, kind, attributes, record))
    check_function(function)
    runs = _that_runs(function)
    named = name or str(getattr(runs, "__qualname__", type(function).__qualname__))
    spans = _Spans(function, named, kind, attributes, _recorder(function, record))
    for is_kind, wrap in _WRAPPERS:
        if is_kind(runs):
            return functools.wraps(function)(wrap(function, spans))
    return functools.wraps(function)(_around_call(function, spans))


def _that_runs(function: Any) -> Any:
    """The function behind a partial, or behind an object that can be called."""
    while isinstance(function, functools.partial):
        function = function.func
    return function if hasattr(function, "__qualname__") else type(function).__call__


def _recorder(function: Any, record: tuple[str, ...]) -> Callable[[Any, Any], dict[str, Any]] | None:
    """Picks the values of parameters out of a call."""
    if not record:
        return None
    signature = inspect.signature(function)
    unknown = [word for word in record if word not in signature.parameters]
    if unknown:
        raise InputError(
            f"instrument(record=...): {_shown(function)} has no parameter {unknown[0]!r}",
            fix=f"use some of {', '.join(signature.parameters)}",
        )

    def values(args: Any, kwargs: Any) -> dict[str, Any]:
        from otel_kit.sdk.text import text_of

        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:  # a wrong call, which will say so itself
            return {}
        bound.apply_defaults()
        return {
            word: value if isinstance(value, str | bool | int | float) else text_of(value)
            for word, value in bound.arguments.items()
            if word in record
        }

    return values


def _shown(function: Any) -> str:
    """Its name for people."""
    return f"{getattr(function, '__qualname__', function)}()"


class _Spans:
    """Starts the spans of one function."""

    def __init__(
        self,
        function: Any,
        name: str,
        kind: str,
        attributes: dict[str, Any],
        values: Callable[[Any, Any], dict[str, Any]] | None,
    ) -> None:
        from opentelemetry.trace import SpanKind, get_tracer

        self._tracer = get_tracer(getattr(function, "__module__", None) or "otel_kit")
        self._name = name
        self._kind = SpanKind[kind.upper()]
        self._attributes = attributes
        self._values = values

    def current(self, args: Any, kwargs: Any) -> Any:
        """A span that is current for a block, and has its errors."""
        try:
            return self._tracer.start_as_current_span(
                self._name, kind=self._kind, attributes=self._of(args, kwargs)
            )
        except Exception:
            fault("a decorated function")
            return contextlib.nullcontext()

    def steps(self, args: Any, kwargs: Any) -> _Steps:
        """A span that is current now and then."""
        return _Steps(quietly("a decorated function", lambda: self._started(args, kwargs)))

    def _started(self, args: Any, kwargs: Any) -> Any:
        return self._tracer.start_span(self._name, kind=self._kind, attributes=self._of(args, kwargs))

    def _of(self, args: Any, kwargs: Any) -> dict[str, Any]:
        return {**self._attributes, **self._values(args, kwargs)} if self._values else self._attributes


class _Steps:
    """The span of a generator: a block for each step, in the context in which the last step ended."""

    def __init__(self, span: Any) -> None:
        from opentelemetry import context
        from opentelemetry.trace import INVALID_SPAN, set_span_in_context

        self._api = context
        self.span = INVALID_SPAN if span is None else span
        self._context = context.get_current() if span is None else set_span_in_context(span)
        self._tokens: list[Any] = []

    def __enter__(self) -> None:
        self._tokens.append(self._api.attach(self._context))

    def __exit__(self, *_: object) -> None:
        self._context = self._api.get_current()
        self._api.detach(self._tokens.pop())

    def failed(self, error: Exception) -> None:
        """Record what ended the generator."""
        from opentelemetry.trace import StatusCode

        from otel_kit.sdk.spans import record_once, remember
        from otel_kit.sdk.text import text_of, type_of

        try:
            remember(self.span, error)
            if self.span.is_recording():
                record_once(self.span, error)
                self.span.set_status(StatusCode.ERROR, f"{type_of(error)}: {text_of(error)}")
        except Exception:
            fault("a decorated function")


def _around_call(function: Any, spans: _Spans) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        with spans.current(args, kwargs):
            return function(*args, **kwargs)

    return call


def _around_coroutine(function: Any, spans: _Spans) -> Any:
    async def call(*args: Any, **kwargs: Any) -> Any:
        with spans.current(args, kwargs):
            return await function(*args, **kwargs)

    return call


def _around_generator(function: Any, spans: _Spans) -> Any:
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        steps = spans.steps(args, kwargs)
        try:
            inner = function(*args, **kwargs)
            step: Callable[[], Any] = functools.partial(next, inner)
            while True:
                try:
                    with steps:
                        item = step()
                except StopIteration as end:
                    return end.value
                try:
                    step = functools.partial(inner.send, (yield item))
                except GeneratorExit:
                    with steps:
                        inner.close()
                    raise
                except BaseException as error:
                    step = functools.partial(inner.throw, error)
        except Exception as error:
            steps.failed(error)
            raise
        finally:
            steps.span.end()

    return call


def _around_async_generator(function: Any, spans: _Spans) -> Any:
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        steps = spans.steps(args, kwargs)
        try:
            inner = function(*args, **kwargs)
            step: Callable[[], Any] = inner.__anext__
            while True:
                try:
                    with steps:
                        item = await step()
                except StopAsyncIteration:
                    return
                try:
                    step = functools.partial(inner.asend, (yield item))
                except GeneratorExit:
                    with steps:
                        await inner.aclose()
                    raise
                except BaseException as error:
                    step = functools.partial(inner.athrow, error)
        except Exception as error:
            steps.failed(error)
            raise
        finally:
            steps.span.end()

    return call


_WRAPPERS: Final = (
    (inspect.iscoroutinefunction, _around_coroutine),
    (inspect.isgeneratorfunction, _around_generator),
    (inspect.isasyncgenfunction, _around_async_generator),
)
