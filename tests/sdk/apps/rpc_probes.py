"""Health checks and reflection by the packages that gRPC has for them, beside one call of a service."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as aio_health  # type: ignore[attr-defined,unused-ignore]
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

import otel_kit
from tests.sdk.apps.rpc_serving import serving
from tests.sdk.apps.say import say

Check: Any = health_pb2.HealthCheckRequest


def get(request: bytes, _: Any) -> bytes:
    """A handler, of either stack."""
    return request


def service(name: str) -> Any:
    """Of one method."""
    return grpc.method_handlers_generic_handler(name, {"Get": grpc.unary_unary_rpc_method_handler(get)})


async def ask(name: str, port: int) -> None:
    """What a kubelet, a watcher and grpcurl ask, then the service."""
    channel: Any
    async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        say(f"{name} check {(await stub.Check(Check())).status}")
        try:
            await stub.Check(Check(service="absent"))
        except grpc.RpcError as error:
            say(f"{name} check {error.code().name}")
        watch = stub.Watch(Check())
        say(f"{name} watch {(await watch.read()).status}")
        watch.cancel()
        asks = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        reflected: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        async for found in reflected.ServerReflectionInfo(asks):
            say(f"{name} lists {len(found.list_services_response.service)}")
        say(f"{name} gets {await channel.unary_unary(f'/{name}/Get')(b'it')!r}")
    await asyncio.to_thread(check, name, port)


def check(name: str, port: int) -> None:
    """The same question over a channel of grpc."""
    channel: Any
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        say(f"{name} check {stub.Check(Check()).status}")


async def main() -> None:
    """A server of each stack."""
    made: dict[str, tuple[Any, Any]] = {
        "sync.Shop": (grpc.server(ThreadPoolExecutor(6)), health.HealthServicer()),
        "aio.Shop": (grpc.aio.server(), aio_health.HealthServicer()),
    }
    for name, (server, servicer) in made.items():
        server.add_generic_rpc_handlers((service(name),))
        add: Any = health_pb2_grpc.add_HealthServicer_to_server
        add(servicer, server)
        reflection.enable_server_reflection((health.SERVICE_NAME,), server)
        async with serving(server) as port:
            await ask(name, port)


if __name__ == "__main__":
    otel_kit.init(service="probes")
    asyncio.run(main())
