"""A stock Envoy that turns REST into gRPC and writes trace context of its own, as ESPv2 does."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet

from tests.parts import free_ports, port_ready, start

_TYPES = "type.googleapis.com/envoy.extensions"
_TRANSCODER = f"{_TYPES}.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder"


def _descriptors() -> bytes:
    """Of ``shop.Edge/Call``, which takes a text and gives it back."""
    file = FileDescriptorProto(name="edge.proto", package="shop", syntax="proto3")
    text = FieldDescriptorProto(
        name="text", number=1, type=FieldDescriptorProto.TYPE_STRING, json_name="text"
    )
    file.message_type.add(name="Text").field.append(text)
    service = file.service.add(name="Edge")
    service.method.add(name="Call", input_type=".shop.Text", output_type=".shop.Text")
    return FileDescriptorSet(file=[file]).SerializeToString()


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _cluster(name: str, port: int) -> dict[str, Any]:
    options = {
        "@type": f"{_TYPES}.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options
        },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}],
        },
    }


def _config(port: int, backend: int, collector: int, folder: Path, sampled: float) -> dict[str, Any]:
    tracing = {
        "client_sampling": {"value": 0},
        "random_sampling": {"value": sampled},
        "overall_sampling": {"value": 100},
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
                "service_name": "espv2",
                "grpc_service": {"envoy_grpc": {"cluster_name": "collector"}, "timeout": "1s"},
            },
        },
    }
    transcoder = {
        "@type": _TRANSCODER,
        "proto_descriptor": str(folder / "edge.pb"),
        "services": ["shop.Edge"],
        "auto_mapping": True,
    }
    manager = {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "tracing": tracing,
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "edge"}}],
                }
            ]
        },
        "http_filters": [
            {"name": "envoy.filters.http.grpc_json_transcoder", "typed_config": transcoder},
            {"name": "router", "typed_config": {"@type": f"{_TYPES}.filters.http.router.v3.Router"}},
        ],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {
        "static_resources": {
            "listeners": [{"name": "edge", "address": _address(port), "filter_chains": [chain]}],
            "clusters": [_cluster("edge", backend), _cluster("collector", collector)],
        }
    }


@contextlib.contextmanager
def envoy(backend: int, folder: Path, *, sampled: float) -> Iterator[str]:
    """Its URL, in front of a gRPC server.

    Args:
        backend: port of the server.
        folder: for its configuration.
        sampled: per cent of the traces that it samples.
    """
    port, collector = free_ports(2)
    (folder / "edge.pb").write_bytes(_descriptors())
    config = folder / "envoy.json"
    config.write_text(json.dumps(_config(port, backend, collector, folder, sampled)))
    binary = Path(sys.executable).with_name("envoy")
    command = [str(binary), "-c", str(config), "--use-dynamic-base-id", "--concurrency", "1", "-l", "error"]
    with start(command, ready=port_ready(port)):
        yield f"http://127.0.0.1:{port}"
