"""Calls with metadata as no client sends it (argument: a seed); writes what the caller sees."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import grpc

import otel_kit
from tests.sdk.apps.say import say

#: Without traceparent: ours takes the place of the service's, which may be one that gRPC refuses.
KEYS = (
    *("x-traceparent", "baggage", "grpc-trace-bin", "x-datadog-trace-id", "b3", "blob-bin", "k"),
    *(
        "x-cloud-trace-context",
        "user-agent",
        "authorization",
        "UPPER",
        "",
        "grpc-timeout",
        "x" * 300,
        5,
        None,
    ),
)
VALUES = (
    *("", "00-" + "1" * 32 + "-" + "2" * 16 + "-01", "00-zz", "=;=,,", "%00", "a=b," * 200, "x" * 1000, "-1"),
    *(b"", b"\xff\x00", bytes(range(256)), 5, None, "\u043a", "9" * 40, "1/2;o=9"),
)
METHODS = (
    "/shop.Stock/Get",
    "/shop.Stock/None",
    "/",
    "no slash",
    "/a/b/c",
    "/" + "x" * 5000,
    "/\u043a/\u043a",
)


def metadata(random: Random) -> Any:
    """Something in the place of metadata."""
    pairs = [(random.choice(KEYS), random.choice(VALUES)) for _ in range(random.randrange(5))]
    odd = [None, (), pairs, tuple(pairs), iter(pairs), 5, [5], [("a",)], {"a": "b"}]
    return pairs if random.random() < 0.7 else random.choice(odd)


def seen(call: Any) -> str:
    """What the caller gets."""
    try:
        return repr(call())
    except grpc.RpcError as error:
        return str(error.code())
    except Exception as error:
        return type(error).__name__


def main(seed: int) -> None:
    """Serve, and call by both ways that a stub has."""
    random = Random(seed)  # the same with and without us
    handler = grpc.unary_unary_rpc_method_handler(lambda request, _: request)
    generic = grpc.method_handlers_generic_handler("shop.Stock", {"Get": handler})
    server = grpc.server(ThreadPoolExecutor(4), handlers=[generic])
    port = server.add_insecure_port("localhost:0")
    server.start()
    results = []
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        for _ in range(int(os.environ.get("ROUNDS", "200"))):
            method = random.choice(METHODS) if random.random() < 0.3 else METHODS[0]
            stub: Any = channel.unary_unary
            once, later = metadata(random), metadata(random)
            results.append(seen(lambda: stub(method)(b"x", timeout=20, metadata=once)))  # noqa: B023
            results.append(seen(lambda: stub(method).future(b"y", metadata=later).result()))  # noqa: B023
    server.stop(None).wait()
    say(json.dumps({"results": results}))


if __name__ == "__main__":
    otel_kit.init(service="fuzz")
    main(int(sys.argv[1]))
