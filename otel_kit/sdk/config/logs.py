"""What becomes of log records, from the arguments of `init` and the environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from otel_kit.sdk.config.arguments import LEVELS, LOG_MODES, Arguments, LogMode
from otel_kit.sdk.config.environment import ARGUMENT, Environment

__all__ = ["LineFormat", "LogLimit", "LogSettings", "resolve_logs"]

LineFormat = Literal["datadog", "google", "text"]
LINE_FORMATS: Final = ("datadog", "google", "text")
_LIMIT: Final = re.compile(r"(?P<logger>[^=\s]+)\s*=\s*(?P<number>\d+(?:\.\d+)?|\.\d+)(?P<per>/[sm])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLimit:
    """How many records of a logger and those beneath it are kept: one of the two is set.

    Attributes:
        logger: its name; an empty one stands for all.
        per_second: how many.
        share: which part, from 0 to 1.
    """

    logger: str
    per_second: float | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """Where records go, and how.

    Attributes:
        mode: stdout, otlp, both or none.
        level: of the root logger, or None: INFO unless the service has configured it.
        line: whose names the lines on stdout have; or text, for people.
        project: of Google Cloud, for ``line="google"``.
        limits: for loggers that write too much.
    """

    mode: LogMode = "both"
    level: int | None = None
    line: LineFormat = "datadog"
    project: str | None = None
    limits: tuple[LogLimit, ...] = ()


def resolve_logs(env: Environment, arguments: Arguments) -> LogSettings:
    """The settings; a limit that cannot be used is one problem, and the others are used."""
    line: LineFormat = env.choice("OTEL_KIT_LOG_FORMAT", LINE_FORMATS, "datadog")  # type: ignore[assignment]
    project = None
    if line == "google":
        project = env.text("GOOGLE_CLOUD_PROJECT", "GCP_PROJECT", "GCLOUD_PROJECT")
        if project is None:
            env.problems.append(
                "OTEL_KIT_LOG_FORMAT=google links no line to its trace without GOOGLE_CLOUD_PROJECT; set that"
            )
    return LogSettings(
        mode=env.given("logs", arguments.logs, _mode(env)),
        level=_level(arguments.log_level, env),
        line=line,
        project=project,
        limits=tuple(_limits(env)),
    )


def _mode(env: Environment) -> LogMode:
    exporter = env.choice("OTEL_LOGS_EXPORTER", ("otlp", "none"), "otlp")
    mode: LogMode = env.choice("OTEL_KIT_LOGS", LOG_MODES, "both" if exporter == "otlp" else "stdout")  # type: ignore[assignment]
    return mode


def _level(argument: int | str | None, env: Environment) -> int | None:
    if argument is not None:
        env.note("log_level", argument, ARGUMENT)
        return argument if isinstance(argument, int) else LEVELS[argument.upper()]
    if env.find("OTEL_KIT_LOG_LEVEL") is None:
        return None
    return LEVELS[env.choice("OTEL_KIT_LOG_LEVEL", tuple(LEVELS), "INFO", fold=str.upper)]


def _limits(env: Environment) -> list[LogLimit]:
    def refuse(word: str) -> str:
        return "" if _read(word) else "write logger=10/s, logger=10/m, or logger=0.1 for a tenth"

    return [limit for word in env.words("OTEL_KIT_LOG_LIMITS", (), refuse=refuse) if (limit := _read(word))]


def _read(word: str) -> LogLimit | None:
    match = _LIMIT.fullmatch(word)
    return None if match is None else _limit(match["logger"], float(match["number"]), match["per"])


def _limit(logger: str, number: float, per: str | None) -> LogLimit | None:
    logger = "" if logger in ("*", "root") else logger
    if per is not None:
        return LogLimit(logger=logger, per_second=number / (60 if per == "/m" else 1))
    return LogLimit(logger=logger, share=number) if number <= 1 else None
