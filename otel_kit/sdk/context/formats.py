"""The trace headers of other systems, read but never written.

========================================= ==============================================================
X-Cloud-Trace-Context (``gcp``)           ``TRACE_ID/SPAN_ID;o=OPTIONS``: hexadecimal, decimal, 0 or 1;
                                          https://cloud.google.com/trace/docs/trace-context
x-datadog-* (``datadog``)                 decimal ids of 64 bits; the upper half of a trace id of 128 bits as
                                          ``_dd.p.tid`` in x-datadog-tags
b3, X-B3-* (``b3``)                       https://github.com/openzipkin/b3-propagation
========================================= ==============================================================

Of each header the first value counts, and what is malformed is as if it were not there. Without a parent span
there is nothing to continue, whatever else a header says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from opentelemetry.trace import SpanContext, TraceFlags

__all__ = ["FORMATS", "Format", "Get", "Parent"]

#: The first value of a header by its lower-case name, or an empty text.
Get = Callable[[str], str]

_GCP: Final = re.compile(r"([0-9a-f]{32})/([0-9]{1,20})(?:;(.*))?", re.ASCII)
_OPTIONS: Final = re.compile(r"o=([0-9]{1,3})\s*(?:;|$)", re.ASCII)
_TID: Final = re.compile(r"(?:^|,)\s*_dd\.p\.tid=([0-9a-f]{16})\s*(?:,|$)", re.ASCII)
_HEX: Final = re.compile(r"[0-9a-f]{16}(?:[0-9a-f]{16})?", re.ASCII)
_DECIMAL: Final = re.compile(r"[0-9]{1,20}", re.ASCII)
_SAMPLED: Final = {"1": True, "d": True, "true": True, "0": False, "false": False}
#: No header that is meant is longer.
_LONGEST: Final = 512


@dataclass(frozen=True, slots=True)
class Parent:
    """The caller's span.

    Attributes:
        span: its context; not sampled where `deferred`.
        deferred: the caller has left to others whether the trace is sampled.
    """

    span: SpanContext
    deferred: bool


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a parent into headers.

    Attributes:
        headers: without one of these there is nothing to read.
        read: the parent, or None where there is none or a malformed one.
    """

    headers: tuple[str, ...]
    read: Callable[[Get], Parent | None]


def _parent(trace_id: int, span_id: int, sampled: bool | None) -> Parent | None:
    if not 0 < trace_id < 1 << 128 or not 0 < span_id < 1 << 64:
        return None
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    span = SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)
    return Parent(span, deferred=sampled is None)


def _clean(value: str) -> str:
    return value.partition(",")[0].strip().lower() if len(value) <= _LONGEST else ""


def _gcp(get: Get) -> Parent | None:
    match = _GCP.fullmatch(_clean(get("x-cloud-trace-context")))
    if match is None:
        return None
    options = _OPTIONS.search(match[3] or "")
    return _parent(int(match[1], 16), int(match[2]), bool(int(options[1]) & 1) if options else None)


def _datadog(get: Get) -> Parent | None:
    trace_id, span_id = _clean(get("x-datadog-trace-id")), _clean(get("x-datadog-parent-id"))
    if not _DECIMAL.fullmatch(trace_id) or not _DECIMAL.fullmatch(span_id) or int(trace_id) >= 1 << 64:
        return None
    tags = get("x-datadog-tags")
    upper = _TID.search(tags) if len(tags) <= _LONGEST else None
    priority = _clean(get("x-datadog-sampling-priority"))
    sampled = int(priority) > 0 if re.fullmatch(r"-?[0-9]{1,3}", priority, re.ASCII) else None
    return _parent(int(upper[1], 16) << 64 | int(trace_id) if upper else int(trace_id), int(span_id), sampled)


def _b3(get: Get) -> Parent | None:
    single = _clean(get("b3"))
    if single:
        trace_id, span_id, sampled, *_ = [*single.split("-"), "", ""]
    else:
        trace_id, span_id = _clean(get("x-b3-traceid")), _clean(get("x-b3-spanid"))
        sampled = "1" if _clean(get("x-b3-flags")) == "1" else _clean(get("x-b3-sampled"))
    if not _HEX.fullmatch(trace_id) or not _HEX.fullmatch(span_id) or len(span_id) != 16:
        return None
    if sampled and sampled not in _SAMPLED:
        return None
    return _parent(int(trace_id, 16), int(span_id, 16), _SAMPLED.get(sampled))


FORMATS: Final[Mapping[str, Format]] = {
    "gcp": Format(("x-cloud-trace-context",), _gcp),
    "datadog": Format(("x-datadog-trace-id",), _datadog),
    "b3": Format(("b3", "x-b3-traceid"), _b3),
}
