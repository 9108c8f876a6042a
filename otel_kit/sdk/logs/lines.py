"""Lines of JSON on stdout, under the names that Datadog or Google reserves.

Datadog: https://docs.datadoghq.com/logs/log_configuration/attributes_naming_convention/
Google: https://cloud.google.com/logging/docs/structured-logging and
https://cloud.google.com/error-reporting/docs/formatting-error-messages
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as quoted
from time import gmtime, strftime
from typing import TYPE_CHECKING, Any, Final, Literal

from opentelemetry.trace import format_span_id, format_trace_id

from otel_kit.sdk.logs.entry import Entry, Error, Site

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

__all__ = ["RESERVED", "Lines"]

#: Whether the record goes to the collector by OTLP as well: who collects stdout, too, leaves such lines out.
SENT: Final = "otel_kit.otlp"
_REMEMBER: Final = 4096
_GOOGLE: Final = "logging.googleapis.com/"
_COMMON: Final = frozenset(
    {"timestamp", "message", "logger.name", "service", "env", "version", "trace_id", "span_id", SENT}
)
#: Names that a field cannot have: those of a line itself, and those that the reader takes for something else.
RESERVED: Final = {
    "datadog": _COMMON
    | {"status", "host", "hostname", "ddsource", "ddtags", "@timestamp"}
    | {"code.file.path", "code.function.name", "code.line.number"},
    "google": _COMMON
    | {"severity", "time", "timestampSeconds", "timestampNanos", "stack_trace", "@type", "serviceContext"}
    | {_GOOGLE + name for name in ("sourceLocation", "spanId", "trace", "trace_sampled")},
}
#: With it a line with a stack is an error of Error Reporting, whatever else it has.
_REPORTED: Final = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"


class Lines:
    """Makes one line, without its end, of each entry. Safe between threads.

    Args:
        identity: service, env and version, as they appear in each line.
        style: whose names are used.
        project: of Google Cloud, whose traces the ids belong to; without it lines are not linked there.
    """

    def __init__(
        self,
        identity: Mapping[str, str],
        *,
        style: Literal["datadog", "google"] = "datadog",
        project: str | None = None,
    ) -> None:
        self._identity = dict(identity)
        self._google = style == "google"
        self._reserved = RESERVED[style]
        self._project = project
        self._sites: dict[Site, tuple[str, str]] = {}
        self._second = (0, "")

    def line(self, entry: Entry, *, sent: bool) -> str:
        """The line.

        Args:
            entry: of a record; a field named like a reserved one appears as ``extra.NAME``.
            sent: it goes to the collector by OTLP as well.
        """
        site, created, _, message, fields, error, span = entry
        head, tail = self._sites.get(site) or self._new_site(site)
        text = f"{head}{self._time(created)}{quoted(message)}{tail}"
        if span is not None:
            text += self._span(span)
        if fields or error is not None:
            text += self._members(self._named(fields, error, site[1]))
        return f'{text}, "{SENT}": true}}' if sent else text + "}"

    def _new_site(self, site: Site) -> tuple[str, str]:
        """What all lines of one place in the code have in common, before the time and after the message."""
        name, level, path, line, function = site
        if self._google:
            head = f'{{"severity": "{_severity(level)}", "time": "'
            place = {_GOOGLE + "sourceLocation": {"file": path, "line": str(line), "function": function}}
            if "service" in self._identity:
                named = {key: value for key, value in self._identity.items() if key != "env"}
                place["serviceContext"] = named
        else:
            head = f'{{"status": "{_status(level)}", "timestamp": "'
            place = {"code.file.path": path, "code.function.name": function, "code.line.number": line}  # type: ignore[dict-item]
        tail = self._members({"logger.name": name, **self._identity, **place})
        if len(self._sites) >= _REMEMBER:
            self._sites.clear()
        self._sites[site] = head, tail
        return head, tail

    def _time(self, created: float) -> str:
        """The rest of the time, and the name of what follows; most records share their second with others."""
        second = int(created)
        known, text = self._second
        if second != known:
            text = strftime("%Y-%m-%dT%H:%M:%S", gmtime(second))
            self._second = second, text
        return f'{text}.{int((created - second) * 1000):03d}Z", "message": '

    def _span(self, span: SpanContext) -> str:
        trace_id, span_id = format_trace_id(span.trace_id), format_span_id(span.span_id)
        text = f', "trace_id": "{trace_id}", "span_id": "{span_id}"'
        if self._google:
            sampled = "true" if span.trace_flags.sampled else "false"
            text += f', "{_GOOGLE}spanId": "{span_id}", "{_GOOGLE}trace_sampled": {sampled}'
            if self._project:
                text += f', "{_GOOGLE}trace": "projects/{self._project}/traces/{trace_id}"'
        return text

    def _error(self, error: Error, level: int) -> dict[str, Any]:
        kind, text, stack = error
        named = {"error.kind": kind, "error.message": text}
        if self._google:
            named["stack_trace"] = stack
            if level >= logging.ERROR:
                named["@type"] = _REPORTED
        else:
            named["error.stack"] = stack
        return {key: value for key, value in named.items() if value}

    def _named(self, fields: Mapping[str, Any] | None, error: Error | None, level: int) -> dict[str, Any]:
        """The error, and the fields of the service; one whose name is taken is ``extra.NAME``."""
        named: dict[str, Any] = {} if error is None else self._error(error, level)
        reserved = self._reserved
        for key, value in (fields or {}).items():
            named[f"extra.{key}" if key in reserved or key in named else key] = value
        return named

    def _members(self, named: Mapping[str, Any]) -> str:
        """The members of an object, each with a comma before it.

        ASCII alone: stdout has an encoding of its own, and lone surrogates have no place in any.
        """
        try:
            text = _encode(named)
        except ValueError:  # NaN, or an infinite number, which JSON does not know
            text = json.dumps(_finite(named), separators=(", ", ": "))
        return f", {text[1:-1]}" if len(text) > 2 else ""


_encode: Final = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(", ", ": ")).encode


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and value - value != 0 else value


def _status(level: int) -> str:
    """Datadog's status; levels in between round down."""
    if level >= logging.ERROR:
        return "critical" if level >= logging.CRITICAL else "error"
    return "warn" if level >= logging.WARNING else "info" if level >= logging.INFO else "debug"


def _severity(level: int) -> str:
    """Google's, as in google.logging.type.LogSeverity."""
    if level >= logging.ERROR:
        return "CRITICAL" if level >= logging.CRITICAL else "ERROR"
    return "WARNING" if level >= logging.WARNING else "INFO" if level >= logging.INFO else "DEBUG"
