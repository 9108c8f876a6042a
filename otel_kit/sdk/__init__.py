"""The library that runs inside a service; `otel_kit.init()` is its only door.

From the outside in: `setup` composes what `settings` resolved; `lifecycle` decides when to flush; `asgi`,
`rpc_*` and `logs` produce telemetry; `batch` and `delta` make OTLP requests of it; `outbox` keeps those until
a sender (`send_http`, `send_grpc`) has delivered them; `tally` counts what was delivered and what was lost.
"""
