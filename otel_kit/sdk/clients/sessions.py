"""Traces the sessions of aiohttp that were made before `init()`; contrib meets sessions as they are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from otel_kit.sdk.notes import fault
from otel_kit.sdk.patching import replace

__all__ = ["trace_all_sessions"]

#: What contrib knows its own configuration by.
_MARK: Final = "_is_instrumented_by_opentelemetry"


def trace_all_sessions() -> None:
    """Have a look at each session when it makes a request."""
    from aiohttp import ClientSession

    config = _contrib_config(ClientSession)

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def request(session: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                if not any(hasattr(own, _MARK) for own in session._trace_configs):
                    session._trace_configs = [*session._trace_configs, config]
            except Exception:
                fault("a session of aiohttp")
            return original(session, *args, **kwargs)

        return request

    replace(ClientSession, "_request", make)


def _contrib_config(sessions: Any) -> Any:
    """What contrib gives to a new session; there is no other way to ask for that."""
    given: dict[str, Any] = {}
    sessions.__init__._self_wrapper(lambda **options: given.update(options), None, (), {})
    config = given["trace_configs"][-1]
    config.freeze()
    return config
