"""The BFF: what the browser talks to. Run it with ``uvicorn examples.shop.bff:app``.

Environment: ORDERS_TARGET (default 127.0.0.1:50051).
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

import otel_kit
from examples.shop import orders_pb2, orders_pb2_grpc

otel_kit.init(service="shop-bff")
log = logging.getLogger("shop.bff")

#: What the caller is told when orders answers with one of these; anything else is a fault of ours.
HTTP_STATUS = {grpc.StatusCode.NOT_FOUND: 404, grpc.StatusCode.INVALID_ARGUMENT: 400}


class Basket(BaseModel):
    """What a customer wants to buy."""

    product: str
    quantity: int
    total_cents: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One channel to orders for the life of the process."""
    async with grpc.aio.insecure_channel(os.environ.get("ORDERS_TARGET", "127.0.0.1:50051")) as channel:
        app.state.orders = orders_pb2_grpc.OrdersStub(channel)
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """For Kubernetes; no telemetry is made of it."""
    return {"status": "ok"}


@app.post("/orders", status_code=201)
async def place(basket: Basket) -> dict[str, str | int]:
    """Place an order."""
    request = orders_pb2.PlaceRequest(**basket.model_dump())
    try:
        order = await app.state.orders.Place(request, timeout=5)
    except grpc.aio.AioRpcError as error:
        raise _failure(error) from error
    log.info("basket sold", extra={"order_id": order.id})
    return {"id": order.id, "unit_cents": order.unit_cents}


@app.get("/orders/{order_id}")
async def read(order_id: str) -> dict[str, str | int]:
    """Read an order back."""
    try:
        order = await app.state.orders.Get(orders_pb2.GetRequest(id=order_id), timeout=5)
    except grpc.aio.AioRpcError as error:
        raise _failure(error) from error
    return {"id": order.id, "product": order.product, "quantity": order.quantity}


def _failure(error: grpc.aio.AioRpcError) -> HTTPException:
    status = HTTP_STATUS.get(error.code(), 502)
    if status == 502:
        log.error("orders failed", extra={"rpc_status": error.code().name})
    return HTTPException(status, detail=error.details() if status != 502 else "orders failed")
