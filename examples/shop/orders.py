"""Orders: the back end, a gRPC service on asyncio. Run it with ``python -m examples.shop.orders``.

Environment: PORT (default 50051).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import uuid

import grpc

import otel_kit
from examples.shop import orders_pb2, orders_pb2_grpc

otel_kit.init(service="shop-orders")
log = logging.getLogger("shop.orders")

PRODUCTS = frozenset({"tea", "coffee", "cocoa"})


class Orders(orders_pb2_grpc.OrdersServicer):
    """Keeps its orders in memory. A quantity of 0 makes it crash: the bug that the demo's monitor finds."""

    def __init__(self) -> None:
        self._orders: dict[str, orders_pb2.Order] = {}

    async def Place(  # noqa: N802 - the name in the proto file
        self,
        request: orders_pb2.PlaceRequest,
        context: grpc.aio.ServicerContext[orders_pb2.PlaceRequest, orders_pb2.Order],
    ) -> orders_pb2.Order:
        if request.product not in PRODUCTS:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no product {request.product!r}")
        unit_cents = request.total_cents // request.quantity
        order = orders_pb2.Order(
            id=uuid.uuid4().hex, product=request.product, quantity=request.quantity, unit_cents=unit_cents
        )
        self._orders[order.id] = order
        log.info("order placed", extra={"order_id": order.id, "quantity": order.quantity})
        return order

    async def Get(  # noqa: N802 - the name in the proto file
        self,
        request: orders_pb2.GetRequest,
        context: grpc.aio.ServicerContext[orders_pb2.GetRequest, orders_pb2.Order],
    ) -> orders_pb2.Order:
        if request.id not in self._orders:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no order {request.id!r}")
        return self._orders[request.id]


async def serve() -> None:
    """Serve until SIGTERM or Ctrl-C, then let running calls end."""
    server = grpc.aio.server()
    orders_pb2_grpc.add_OrdersServicer_to_server(Orders(), server)
    server.add_insecure_port(f"127.0.0.1:{os.environ.get('PORT', '50051')}")
    await server.start()
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    await stop.wait()
    await server.stop(grace=5)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
