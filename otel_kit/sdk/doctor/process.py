"""What can be said about this process once the service has been imported into it."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from otel_kit.errors import nearest
from otel_kit.sdk.config.arguments import INSTRUMENTATIONS
from otel_kit.sdk.config.environment import DEFAULT
from otel_kit.sdk.config.settings import Settings
from otel_kit.sdk.doctor.finding import Finding
from otel_kit.sdk.handle import Telemetry
from otel_kit.sdk.notes import LOGGER
from otel_kit.sdk.text import text_of

__all__ = ["imported", "process", "versions"]

#: Packages whose versions matter to somebody who asks for help.
PACKAGES: Final = (
    *("otel-kit", "opentelemetry-api", "opentelemetry-sdk", "opentelemetry-instrumentation-fastapi"),
    *("fastapi", "starlette", "uvicorn", "gunicorn", "grpcio", "structlog", "loguru"),
)
#: Module of what is instrumented -> its package.
SERVERS: Final = {"fastapi": "fastapi", "grpc": "grpcio"}
#: State of a client that is as it should be -> what a sentence says of it.
STATES: Final = {
    "on": "is instrumented",
    "theirs": "is instrumented by the service itself",
    "beneath": "is recorded by",
    "waiting": "is instrumented as soon as it is imported",
}
OFF: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


def versions() -> dict[str, str]:
    """Python and the packages that are installed here."""
    found = {"python": sys.version.split()[0]}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def imported(name: str) -> Iterator[Finding]:
    """Import the module that the server would import, and pass on what the library says meanwhile."""
    module = name.partition(":")[0]
    sys.path.insert(0, str(Path.cwd()))
    heard = _Heard()
    LOGGER.addHandler(heard)
    try:
        yield from _named(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:
        yield Finding(
            check="import",
            status="error",
            what=f"{module} cannot be imported: {type(error).__name__}: {_clean(error)}".rstrip(": "),
            fix="name a module, not a file"
            if module.endswith(".py")
            else "run it from the directory and with the environment of the service",
        )
    finally:
        LOGGER.removeHandler(heard)
    for sentence in heard.sentences:
        what, _, fix = sentence.removeprefix("otel-kit: ").partition("; ")
        yield Finding(check="init", status="warning", what=what, fix=fix)


def _named(module: Any, name: str) -> Iterator[Finding]:
    """Whether a module has what stands behind the colon: ``app``, ``shop.app``, ``create_app()``."""
    place, _, path = name.partition(":")
    found: Any = module
    for word in filter(None, path.partition("(")[0].split(".")):
        if not hasattr(found, word):
            here = [other for other in vars(module) if not other.startswith("_")]
            yield Finding(
                check="app",
                status="error",
                what=f"{place} has no {path}, so no server can start it",
                fix=nearest(word, here) or "name the application behind the colon",
            )
            return
        found = getattr(found, word)


def _clean(error: BaseException) -> str:
    """Its text in one line, and without what may be secret: services put their settings into it."""
    from otel_kit.sdk.privacy.redact import default_redactor

    return str(default_redactor()("exception.message", " ".join(text_of(error).split())))


def process(settings: Settings, telemetry: Telemetry | None, *, module: str | None) -> Iterator[Finding]:
    """Whether `init` took place, and what it reaches."""
    if telemetry is None:
        if module is not None:
            yield Finding(
                check="init",
                status="error",
                what=f"importing {module} does not call otel_kit.init()",
                fix="call it in the module that the server imports, or start the service by otel-kit run",
            )
        from otel_kit.sdk import foreign

        why = foreign.in_charge()
    else:
        why = "" if settings.disabled else telemetry.why_disabled
    if why:
        what, _, fix = why.partition("; ")
        yield Finding(check="providers", status="error", what=what, fix=fix)
    yield from _instrumentations(settings, begun=telemetry is not None)
    yield from _overflows()
    if telemetry is not None and telemetry.enabled and settings.logs.mode != "none":
        yield from _loggers()


def _instrumentations(settings: Settings, *, begun: bool) -> Iterator[Finding]:
    why = next((o.source for o in settings.origins if o.setting == "instrument"), DEFAULT)
    left_out = f"is not instrumented, by {OFF if why == DEFAULT else why}"
    for name, package in SERVERS.items():
        if importlib.util.find_spec(name) is not None:
            state = "is instrumented" if name in settings.instrument else left_out
            what = f"{name} {importlib.metadata.version(package)} {state}"
            yield Finding(check="instrument", status="ok", what=what)
    from otel_kit.sdk.clients import report

    for client in report():
        if client.state == "absent":
            continue
        name = f"{client.library} {client.installed}"
        if client.library in INSTRUMENTATIONS and client.library not in settings.instrument:
            yield Finding(check="instrument", status="ok", what=f"{name} {left_out}")
        elif not begun and client.state == "off" and client.contrib:
            yield Finding(check="instrument", status="ok", what=f"{name} {STATES['waiting']}")
        elif client.state in STATES:
            by = f" {client.why}" if client.state == "beneath" else ""
            yield Finding(check="instrument", status="ok", what=f"{name} {STATES[client.state]}{by}")
        else:
            what, _, fix = f"{name} is not instrumented: {client.why}".partition("; ")
            lost = client.state in ("missing", "refused", "failed")
            yield Finding(check="instrument", status="warning" if lost else "ok", what=what, fix=fix)


def _overflows() -> Iterator[Finding]:
    """Metrics of this process that have more attribute sets than they may."""
    from opentelemetry import metrics

    provider: Any = metrics.get_meter_provider()
    for offender in provider.offenders() if hasattr(provider, "offenders") else ():
        yield Finding(
            check="cardinality",
            status="warning",
            what=f"{offender.metric} has more than {offender.limit} attribute sets; most values "
            f"({offender.values}) has its attribute {offender.attribute}",
            fix=f"leave {offender.attribute} out, or record a coarser value",
        )


def _loggers() -> Iterator[Finding]:
    """Loggers whose records never reach our handlers, however they came to that."""
    manager = logging.getLogger().manager
    for name, logger in sorted(manager.loggerDict.items()):
        if not isinstance(logger, logging.Logger):
            continue
        if logger.disabled:
            yield Finding(
                check="loggers",
                status="warning",
                what=f"the logger {name} is disabled, so its records are lost",
                fix="configure logging with disable_existing_loggers=False",
            )
        elif logger.handlers and not _reaches_us(logger):
            yield Finding(
                check="loggers",
                status="warning",
                what=f"records of the logger {name} stay with its own handlers: it does not propagate",
                fix=f"remove propagate=False from {name}, or its handlers",
            )


def _reaches_us(logger: logging.Logger) -> bool:
    current: Any = logger
    while current is not None:
        if any(type(handler).__module__.startswith("otel_kit.") for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return False


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.sentences: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.sentences.append(record.getMessage())
