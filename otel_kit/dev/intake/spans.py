"""OTLP spans -> the spans Datadog shows. Pure.

Operation, resource and type follow what the Datadog exporter of collector 0.144 was seen to make of each kind
of span; how the direct intake derives them is not documented. That version reads the older names of databases
and RPC only (db.system, rpc.system), so a span with the stable names alone is a plain ``client.request``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from otel_kit.dev.intake.attributes import Resource, attributes_of, read_resource, to_json
from otel_kit.dev.model import Loss, Span

__all__ = ["map_spans"]

_KINDS: Final = ("unspecified", "internal", "server", "client", "producer", "consumer")
_MAX_NS: Final = 2**63 - 1
_NO_TRACE_ID: Final = bytes(16)
_NO_SPAN_ID: Final = bytes(8)
_ERROR: Final = Status.STATUS_CODE_ERROR
_LITERAL: Final = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")
_SQL_TYPES: Final = frozenset(
    {"mysql", "postgresql", "mariadb", "mssql", "oracle", "sqlite", "db2", "cockroachdb", "other_sql"}
)
_OWN_TYPES: Final = {
    "redis": "redis",
    "memcached": "memcached",
    "mongodb": "mongodb",
    "cassandra": "cassandra",
}


def map_spans(request: ExportTraceServiceRequest) -> tuple[list[Span], list[Loss]]:
    """Spans in the order they came, and what was refused, by reason."""
    spans: list[Span] = []
    refused: Counter[str] = Counter()
    for group in request.resource_spans:
        resource = read_resource(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                found = _map(span, resource)
                if isinstance(found, Span):
                    spans.append(found)
                else:
                    refused[found] += 1
    return spans, [Loss("traces", reason, n) for reason, n in refused.items()]


def _map(span: OtlpSpan, resource: Resource) -> Span | str:
    """The span, or why it is refused."""
    # Each read of a protobuf field makes a Python value, so each is read once.
    trace_id, span_id, number = span.trace_id, span.span_id, span.kind
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if len(trace_id) != 16 or trace_id == _NO_TRACE_ID:
        return "a span without a valid trace id"
    if len(span_id) != 8 or span_id == _NO_SPAN_ID:
        return "a span without a valid span id"
    if not 0 < start <= end <= _MAX_NS:
        return "a span whose start and end are not in order"
    attributes, name = attributes_of(span.attributes), span.name
    kind = _KINDS[number] if 0 <= number < len(_KINDS) else _KINDS[0]
    status, events, links = span.status, span.events, span.links
    return Span(
        trace_id=trace_id.hex(),
        span_id=span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        service=resource.service,
        env=resource.env,
        version=resource.version,
        name=name,
        kind=kind,
        operation=operation_of(kind, attributes),
        resource=resource_of(kind, attributes, name),
        type=type_of(kind, attributes),
        start_ns=start,
        duration_ns=end - start,
        error=int(status.code == _ERROR),
        status_message=status.message,
        attributes=to_json(attributes),
        resource_attributes=resource.json,
        events=to_json([_event(event) for event in events]) if events else "[]",
        links=to_json([_link(link) for link in links]) if links else "[]",
    )


def operation_of(kind: str, attributes: Mapping[str, Any]) -> str:
    """Datadog's operation name."""
    explicit = attributes.get("operation.name")
    if explicit:
        return str(explicit)
    remote = kind in {"server", "client"}
    if remote and _http_method(attributes):
        return f"http.{kind}.request"
    database = attributes.get("db.system")
    if kind == "client" and database:
        return f"{database}.query"
    messaging = attributes.get("messaging.system"), attributes.get("messaging.operation")
    if kind in {"server", "client", "producer", "consumer"} and all(messaging):
        return "{}.{}".format(*messaging)
    rpc = attributes.get("rpc.system")
    if remote and rpc:
        return f"{rpc}.{kind}.request"
    if remote:
        protocol = attributes.get("network.protocol.name")
        return f"{protocol}.{kind}.request" if protocol else f"{kind}.request"
    return kind.capitalize() if kind != "unspecified" else "Internal"


def resource_of(kind: str, attributes: Mapping[str, Any], name: str) -> str:
    """Datadog's resource name."""
    explicit = attributes.get("resource.name")
    if explicit:
        return str(explicit)
    method = _http_method(attributes)
    if method:
        route = attributes.get("http.route") if kind == "server" else None
        return _joined("HTTP" if method == "_OTHER" else method, route)
    messaging = attributes.get("messaging.operation")
    if messaging:
        destination = attributes.get("messaging.destination.name", attributes.get("messaging.destination"))
        return _joined(messaging, destination)
    if attributes.get("rpc.method"):
        return _joined(attributes["rpc.method"], attributes.get("rpc.service"))
    statement = attributes.get("db.statement")
    if attributes.get("db.system") and statement:
        return _quantised(str(attributes["db.system"]), str(statement))
    return name


def type_of(kind: str, attributes: Mapping[str, Any]) -> str:
    """Datadog's span type."""
    explicit = attributes.get("span.type")
    if explicit:
        return str(explicit)
    if kind == "server":
        return "web"
    if kind == "client":
        database = attributes.get("db.system")
        if not database:
            return "http"
        return "sql" if database in _SQL_TYPES else _OWN_TYPES.get(str(database), "db")
    return "custom"


def _http_method(attributes: Mapping[str, Any]) -> str:
    return str(attributes.get("http.request.method") or attributes.get("http.method") or "")


def _joined(first: object, second: object) -> str:
    return f"{first} {second}" if second else str(first)


def _quantised(system: str, statement: str) -> str:
    """Without the literals, as Datadog groups queries: commands alone for Redis, ``?`` elsewhere."""
    if system == "redis":
        return " ".join(line.split()[0].upper() for line in statement.splitlines() if line.split())
    return _LITERAL.sub("?", statement)


def _event(event: OtlpSpan.Event) -> dict[str, Any]:
    return {
        "name": event.name,
        "time_ns": event.time_unix_nano,
        "attributes": attributes_of(event.attributes),
    }


def _link(link: OtlpSpan.Link) -> dict[str, Any]:
    return {
        "trace_id": link.trace_id.hex(),
        "span_id": link.span_id.hex(),
        "attributes": attributes_of(link.attributes),
    }
