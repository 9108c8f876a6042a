"""Calls Google's services, by their own libraries. ``ORDER=late``: the clients are older than init."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
from collections.abc import Callable
from typing import Any

import otel_kit
from tests.sdk.apps.say import say

WEB, RPC = os.environ["WEB"], os.environ["RPC"]
LATE = os.environ.get("ORDER") == "late"

if not LATE:
    otel_kit.init(service="google")

import grpc  # noqa: E402
from google.api_core.exceptions import NotFound  # noqa: E402
from google.auth.credentials import AnonymousCredentials  # noqa: E402
from google.cloud import (  # noqa: E402
    bigquery,
    firestore,
    pubsub_v1,
    secretmanager,
    spanner,
    storage,
    tasks,
)

WHO: Any = AnonymousCredentials()
traced = os.environ.get("PUBSUB_TRACES") == "true"
bucket: Any = storage.Client("p", WHO, client_options={"api_endpoint": WEB}).bucket("shop")
tables: Any = bigquery.Client("p", WHO, client_options={"api_endpoint": WEB})
documents: Any = firestore.Client("p", WHO)
documents_aio: Any = firestore.AsyncClient("p", WHO)
database: Any = spanner.Client("p", WHO, disable_builtin_metrics=True).instance("i").database("d")
publisher: Any = pubsub_v1.PublisherClient(
    publisher_options=pubsub_v1.types.PublisherOptions(enable_open_telemetry_tracing=traced)
)
subscriber: Any = pubsub_v1.SubscriberClient()
channel = grpc.insecure_channel(RPC)
secrets: Any = secretmanager.SecretManagerServiceClient(
    transport=secretmanager.SecretManagerServiceClient.get_transport_class("grpc")(channel=channel)
)
queues: Any = tasks.CloudTasksClient(
    transport=tasks.CloudTasksClient.get_transport_class("grpc")(channel=channel)
)

if LATE:
    otel_kit.init(service="google")


def use_storage() -> None:
    bucket.blob("flaky").reload()
    bucket.blob("order").download_as_bytes(checksum=None)
    bucket.blob("order", chunk_size=262144).upload_from_file(io.BytesIO(b"x" * 10), checksum=None)
    with contextlib.suppress(NotFound):
        bucket.blob("missing").reload()


def use_signed() -> None:
    import requests

    signed = "X-Goog-Credential=bot%40p.iam.gserviceaccount.com&X-Goog-Signature=hunter2&GoogleAccessId=x"
    requests.get(f"{WEB}/shop/order?{signed}", headers={"authorization": "Bearer hunter2"}, timeout=5)


def use_bigquery() -> None:
    rows = list(tables.query_and_wait("SELECT n FROM t WHERE card = 'hunter2'"))
    assert rows[0].n == 7
    with contextlib.suppress(NotFound):
        tables.get_table("p.d.missing")


def use_firestore() -> None:
    assert documents.document("shop/order").get().exists
    documents.document("shop/order").set({"password": "hunter2"})
    with contextlib.suppress(NotFound):
        documents.document("shop/missing").update({"a": 1})

    async def read() -> None:
        assert (await documents_aio.document("shop/order").get()).exists

    asyncio.run(read())


def use_spanner() -> None:
    with database.snapshot() as snapshot:
        assert list(snapshot.execute_sql("SELECT n FROM t WHERE card = 'hunter2'")) == [[7]]
    with contextlib.suppress(NotFound), database.snapshot() as snapshot:
        list(snapshot.execute_sql("SELECT n FROM missing"))


def use_pubsub() -> None:
    assert publisher.publish("projects/p/topics/orders", b"hunter2").result() == "1"
    path = "projects/p/subscriptions/orders"
    assert subscriber.pull(subscription=path, max_messages=1).received_messages
    subscriber.acknowledge(subscription=path, ack_ids=["hunter2"])


def use_secrets() -> None:
    secrets.access_secret_version(name="projects/p/secrets/s/versions/1")
    with contextlib.suppress(NotFound):
        secrets.access_secret_version(name="projects/p/secrets/missing/versions/1")


def use_tasks() -> None:
    request = {"url": f"{WEB}/run", "headers": {"authorization": "Bearer hunter2"}}
    queues.create_task(parent="projects/p/locations/l/queues/q", task={"http_request": request})


if __name__ == "__main__":
    from opentelemetry import trace

    uses: list[Callable[[], None]] = [
        use_storage,
        use_signed,
        use_bigquery,
        use_firestore,
        use_spanner,
        use_pubsub,
        use_secrets,
        use_tasks,
    ]
    for use in uses:
        with trace.get_tracer("app").start_as_current_span(use.__name__):
            use()
    from otel_kit.sdk.clients import report

    for state in report():
        say("state", state.library, state.state, state.installed, state.why)
    say("all used")
