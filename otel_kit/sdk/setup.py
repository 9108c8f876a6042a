"""Composes everything: `init`, once per process, and never at the expense of the service."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

from otel_kit import conventions
from otel_kit.errors import OtelKitError
from otel_kit.sdk import under_test
from otel_kit.sdk.config.arguments import Arguments
from otel_kit.sdk.config.resource import UNKNOWN
from otel_kit.sdk.config.settings import Settings, resolve
from otel_kit.sdk.handle import Telemetry
from otel_kit.sdk.notes import LOGGER, quietly

if TYPE_CHECKING:
    from otel_kit.sdk.providers import Pipelines

__all__ = ["current", "force_flush", "init", "shutdown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """What was set up.

    Attributes:
        telemetry: the handle.
        ended: whether it was shut down.
        adopt: goes on with other settings, as far as they can be changed.
    """

    telemetry: Telemetry
    ended: Callable[[], bool] = lambda: False
    adopt: Callable[[Settings], None] = lambda _: None


_LOCK: Final = threading.RLock()
_current: tuple[Arguments, _Begun] | None = None


def init(arguments: Arguments) -> Telemetry:
    """What `otel_kit.init` does with its arguments.

    Raises:
        InputError: an argument cannot be used.
    """
    global _current
    with _LOCK:
        if _current is None:
            _current = arguments, _begin(arguments)
        elif _current[1].ended():
            LOGGER.warning("otel-kit: init() comes after shutdown(), which is for good; telemetry stays off")
        elif _current[0] != arguments and _current[1].telemetry.enabled:
            _current = _again(arguments, *_current)
        return _current[1].telemetry


def current() -> tuple[Arguments, Telemetry] | None:
    """What `init` was told in this process, and what it returned; None before it."""
    return None if _current is None else (_current[0], _current[1].telemetry)


def shutdown() -> None:
    """Flush within the budget and stop for good; nothing before `init`."""
    if _current is not None:
        _current[1].telemetry.shutdown()


def force_flush(timeout: float = 10.0) -> bool:
    """Deliver all that was recorded before, within `timeout` seconds; True before `init`."""
    return True if _current is None else _current[1].telemetry.force_flush(timeout)


def _resolved(arguments: Arguments) -> Settings:
    environ = {**under_test.DEFAULTS, **os.environ} if under_test.active else os.environ
    return resolve(arguments, environ, host=os.uname().nodename)


def _again(arguments: Arguments, first: Arguments, begun: _Begun) -> tuple[Arguments, _Begun]:
    """What `init` is told later: only ``otel-kit run`` gives way to it, which knew the environment alone.

    What cannot be changed any more is named, by the arguments that would have made a difference.
    """
    from otel_kit.sdk.adopt import adopted
    from otel_kit.sdk.config.unused import PREFIX
    from otel_kit.sdk.launch import RUN_PID

    by_run = RUN_PID in os.environ and first == Arguments()
    settled = _resolved(first)

    def is_late(name: str) -> bool:
        value = getattr(arguments, name)
        if value is None:
            return False
        wanted = _resolved(replace(first, **{name: value}))
        return wanted != (adopted(settled, wanted) if by_run else settled)

    late = [field.name for field in fields(arguments) if is_late(field.name)]
    if by_run:
        settings = adopted(settled, _resolved(arguments))
        begun.adopt(settings)
        first = arguments
        begun = replace(begun, telemetry=replace(begun.telemetry, **_shown(settings)))
    if late:
        LOGGER.warning(
            "otel-kit: init(%s) comes too late: it was called before%s, and the process reports as %s; %s",
            ", ".join(f"{name}=..." for name in late),
            " by otel-kit run" if by_run else "",
            begun.telemetry.service,
            f"use {', '.join(PREFIX + name.upper() for name in late)} instead" if by_run else "call it once",
        )
    return first, begun


def _begin(arguments: Arguments) -> _Begun:
    try:
        if under_test.active and arguments.logs == "stdout":
            arguments = replace(arguments, logs="both")  # tests see records, whatever becomes of lines
        return _set_up(_resolved(arguments))
    except OtelKitError:
        raise  # a wrong argument
    except Exception:
        LOGGER.exception("otel-kit: telemetry could not be set up; the service runs without it")
        why = "a fault in the set-up, see the log"
        return _Begun(
            telemetry=Telemetry(enabled=False, service=arguments.service or UNKNOWN, why_disabled=why)
        )


def _set_up(settings: Settings) -> _Begun:
    if settings.disabled == "OTEL_KIT_DISABLED":
        return _off(settings, "OTEL_KIT_DISABLED is true")
    if not settings.disabled:  # else the API is left as the service would have it without us
        for name in settings.hidden:
            os.environ.pop(name, None)
    from otel_kit.sdk import foreign
    from otel_kit.sdk.logs.begin import begin

    why = f"{settings.disabled} is true" if settings.disabled else foreign.in_charge()
    if why:
        begin(settings, None, atexit.register)
        log = LOGGER.info if settings.disabled else LOGGER.warning
        log("otel-kit: telemetry is off: %s", why)
        return _off(settings, why)
    return _on(settings)


def _off(settings: Settings, why: str) -> _Begun:
    shown = {**_shown(settings), "endpoints": {}}
    return _Begun(telemetry=Telemetry(enabled=False, why_disabled=why, **shown))


def _on(settings: Settings) -> _Begun:
    # The SDK uses an executor in each forked child, by a hook that its providers register. The executors' own
    # hook frees their lock there, and must have been registered before that.
    import concurrent.futures.thread  # noqa: F401

    from otel_kit.sdk import foreign
    from otel_kit.sdk.imports import put_off
    from otel_kit.sdk.instrument import instrument
    from otel_kit.sdk.logs.begin import begin

    with put_off("psutil"):  # which the SDK imports where it is installed, for a detector that is not run
        from otel_kit.sdk import endings
        from otel_kit.sdk.providers import build

    pipelines = build(settings)
    pipelines.lifecycle.start()
    endings.watch(pipelines.lifecycle)
    _make_global(settings, pipelines)
    identify = begin(settings, pipelines.loggers, pipelines.lifecycle.before_end)
    for problem in settings.problems:
        LOGGER.warning("otel-kit: %s", problem)
    foreign.keep_out()
    endings.tell_of_sigterm()
    foreign.tell_of_children()
    instrument(settings, pipelines.lifecycle)
    # Tests go on after a service that ends by shutdown().
    end = pipelines.lifecycle.pause if under_test.active else pipelines.lifecycle.end
    return _Begun(
        telemetry=Telemetry(enabled=True, **_shown(settings), _flush=pipelines.lifecycle.flush, _end=end),
        ended=lambda: pipelines.lifecycle.ended,
        adopt=lambda other: _adopt(pipelines, other, identify),
    )


def _adopt(pipelines: Pipelines, settings: Settings, identify: Callable[[Settings], None]) -> None:
    from otel_kit.sdk.adopt import adopt

    quietly("init", lambda: adopt(pipelines, settings, identify))


def _shown(settings: Settings) -> dict[str, Any]:
    """What a handle tells of them."""
    return {
        "service": str(settings.resource[conventions.SERVICE_NAME]),
        "env": _text(settings.resource.get(conventions.DEPLOYMENT_ENVIRONMENT)),
        "version": _text(settings.resource.get(conventions.SERVICE_VERSION)),
        "endpoints": {signal: target.shown for signal, target in settings.targets.items()},
        "settings": settings.origins,
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _make_global(settings: Settings, pipelines: Pipelines) -> None:
    from opentelemetry import metrics, trace

    from otel_kit.sdk.context.install import install
    from otel_kit.sdk.imports import when_imported

    install(settings.context)
    if pipelines.meter_provider is not None:
        metrics.set_meter_provider(pipelines.meter_provider)
    if pipelines.tracer_provider is not None:
        trace.set_tracer_provider(pipelines.tracer_provider)
    loggers = pipelines.loggers
    if loggers is not None:
        when_imported("opentelemetry._logs", lambda logs: logs.set_logger_provider(loggers.provider))
