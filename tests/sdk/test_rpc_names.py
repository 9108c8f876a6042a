"""Names of gRPC: addresses, peer services, status codes; metadata that carries context."""

from __future__ import annotations

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.context import Context

from otel_kit.sdk.config.environment import Environment
from otel_kit.sdk.config.rpc import resolve_rpc
from otel_kit.sdk.rpc.carrier import incoming, outgoing
from otel_kit.sdk.rpc.names import address, code_name, peer_service

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("localhost:50051", {"server.address": "localhost", "server.port": 50051}),
        ("dns:///orders.shop:50051", {"server.address": "orders.shop", "server.port": 50051}),
        ("dns://10.0.0.53/orders.shop:50051", {"server.address": "orders.shop", "server.port": 50051}),
        ("ipv4:10.0.0.1:50051", {"server.address": "10.0.0.1", "server.port": 50051}),
        ("ipv4:10.0.0.1:5,10.0.0.2:5", {"server.address": "ipv4:10.0.0.1:5,10.0.0.2:5"}),
        ("ipv6:[::1]:50051", {"server.address": "::1", "server.port": 50051}),
        ("ipv6:%5B::1%5D:50051", {"server.address": "::1", "server.port": 50051}),
        ("[::1]", {"server.address": "::1"}),
        ("orders", {"server.address": "orders"}),
        ("unix:/run/shop.sock", {"server.address": "/run/shop.sock"}),
        ("unix:///run/shop.sock", {"server.address": "/run/shop.sock"}),
        ("unix:", {}),
        ("zk://zookeeper:2181", {"server.address": "zk://zookeeper:2181"}),
        ("xds:///orders.shop:50051", {"server.address": "orders.shop", "server.port": 50051}),
        ("", {}),
    ],
)
def test_addresses(target: str, found: dict[str, str | int]) -> None:
    assert address("server", target) == found


@pytest.mark.parametrize(
    ("target", "service"),
    [
        ("dns:///stock.shop.svc.cluster.local:50051", "stock"),
        ("stock.shop.svc:50051", "stock"),
        ("pod-0.stock.shop.svc.cluster.local.:50051", "stock"),
        ("orders.example.com:443", "orders"),
        ("cache:6379", "redis"),
        ("cache:6380", None),
        ("stock.shop:50051", None),
        ("svc", None),
        ("svc.svc", None),
        ("unix:/run/shop.sock", None),
        ("", None),
    ],
)
def test_peer_services(target: str, service: str | None) -> None:
    assert peer_service(target, {"orders.example.com": "orders", "cache:6379": "redis"}) == service


def test_settings() -> None:
    env = Environment(
        {
            "OTEL_PYTHON_GRPC_EXCLUDED_SERVICES": "shop.Hidden, shop.Other",
            "OTEL_INSTRUMENTATION_COMMON_PEER_SERVICE_MAPPING": "a=one,b=two",
            "OTEL_KIT_PEER_SERVICES": "b=three,c:1=four",
        }
    )
    settings = resolve_rpc(env)
    assert settings.excluded_services == {"shop.Hidden", "shop.Other"}
    assert settings.peer_services == {"a": "one", "b": "three", "c:1": "four"}
    assert env.problems == []


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (grpc.StatusCode.NOT_FOUND, "NOT_FOUND"),
        (5, "NOT_FOUND"),
        (16, "UNKNOWN"),  # so grpc.aio takes it
        (99, "UNKNOWN"),
        (-1, "UNKNOWN"),
        (object(), "UNKNOWN"),
        (None, None),
    ],
)
def test_status_codes(code: object, name: str | None) -> None:
    assert code_name(code) == name


def test_the_headers_of_a_call_replace_those_that_the_service_passes_on() -> None:
    context = incoming([("traceparent", TRACEPARENT)], "/a.B/C", None)[0]
    given = [("traceparent", "old"), ("own", "1"), ("blob-bin", b"\x00")]
    assert outgoing(given, context) == (("own", "1"), ("blob-bin", b"\x00"), ("traceparent", TRACEPARENT))
    assert outgoing(None, Context()) == ()
    assert outgoing(given, Context()) == tuple(given)


@pytest.mark.parametrize(
    "metadata",
    [None, (), [("traceparent", "00-zz")], [("traceparent", b"\xff")], [("a",)], [1, 2], [("a", 1)]],
)
def test_metadata_without_a_context_that_can_be_used(metadata: object) -> None:
    context, _ = incoming(metadata, "/a.B/C", None)  # type: ignore[arg-type]
    assert not trace.get_current_span(context).get_span_context().is_valid
