"""Stands in for Google's servers: JSON over HTTP for storage and BigQuery, gRPC for all others.

What is asked for as ``missing`` is not there; what is asked for as ``flaky`` works at the second try.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc

OBJECT = {"kind": "storage#object", "bucket": "shop", "name": "order", "size": "5"}
ANSWER = {
    "jobComplete": True,
    "jobReference": {"projectId": "p", "jobId": "j", "location": "EU"},
    "schema": {"fields": [{"name": "n", "type": "INTEGER", "mode": "NULLABLE"}]},
    "rows": [{"f": [{"v": "7"}]}],
    "totalRows": "1",
}
#: What has failed once.
FAILED: set[str] = set()


def fails(path: str, body: bytes) -> int:
    """The HTTP status of what is answered, beside success."""
    asked = path.encode() + body
    if b"missing" in asked:
        return 404
    if b"flaky" in asked and path not in FAILED:
        FAILED.add(path)
        return 503
    return 0


class Web(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        status = fails(self.path, body)
        data = json.dumps({"error": {"code": status, "message": "no"}} if status else self.found()).encode()
        self.send_response(status or 200)
        if "uploadType=resumable" in self.path and self.command == "POST":
            self.send_header("location", f"http://{self.headers['host']}{self.path}&upload_id=hunter2")
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = answer  # noqa: N815

    def found(self) -> object:
        if "/token" in self.path:
            return {"access_token": "hunter2", "expires_in": 3600, "token_type": "Bearer"}
        return ANSWER if "/bigquery/" in self.path else OBJECT

    def log_message(self, *_: object) -> None:
        pass


def spanner(method: str) -> list[Any]:
    from google.cloud.spanner_v1 import types

    if method == "CreateSession":
        return [types.Session(name="projects/p/instances/i/databases/d/sessions/s", multiplexed=True)]
    if method == "BeginTransaction":
        return [types.Transaction(id=b"t")]
    if method == "Commit":
        return [types.CommitResponse()]
    number = types.Type(code=types.TypeCode.INT64)
    row = types.StructType(fields=[types.StructType.Field(name="n", type_=number)])
    metadata = types.ResultSetMetadata(row_type=row, transaction=types.Transaction(id=b"t"))
    answer = types.PartialResultSet.pb(types.PartialResultSet(metadata=metadata, last=True))
    answer.values.add(string_value="7")
    return [answer]


def firestore(method: str) -> list[Any]:
    from google.cloud.firestore_v1 import types

    if method == "Commit":
        return [types.CommitResponse(write_results=[types.WriteResult()])]
    name = "projects/p/databases/(default)/documents/shop/order"
    return [types.BatchGetDocumentsResponse(found=types.Document(name=name))]


def others(method: str) -> list[Any]:
    from google.cloud import secretmanager, tasks
    from google.protobuf.empty_pb2 import Empty
    from google.pubsub_v1 import types

    payload = secretmanager.SecretPayload(data=b"hunter2")
    message = types.ReceivedMessage(ack_id="a", message=types.PubsubMessage(data=b"x"))
    answers: dict[str, list[Any]] = {
        "Publish": [types.PublishResponse(message_ids=["1"])],
        "Pull": [types.PullResponse(received_messages=[message])],
        "Acknowledge": [Empty()],
        "AccessSecretVersion": [secretmanager.AccessSecretVersionResponse(payload=payload)],
        "CreateTask": [tasks.Task(name="projects/p/locations/l/queues/q/tasks/t")],
    }
    return answers[method]


class Services(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        service, method = str(details.method).lstrip("/").split("/")
        make = {"google.spanner.v1.Spanner": spanner, "google.firestore.v1.Firestore": firestore}

        def respond(request: bytes, context: grpc.ServicerContext) -> Any:
            status = fails(method, request)
            if status:
                code = grpc.StatusCode.NOT_FOUND if status == 404 else grpc.StatusCode.UNAVAILABLE
                context.abort(code, "no")
            for message in make.get(service, others)(method):
                raw = message if hasattr(message, "SerializeToString") else type(message).pb(message)
                yield raw.SerializeToString()

        if method in ("ExecuteStreamingSql", "BatchGetDocuments"):
            return grpc.unary_stream_rpc_method_handler(respond)
        return grpc.unary_unary_rpc_method_handler(lambda *given: next(respond(*given)))


if __name__ == "__main__":
    server = grpc.server(ThreadPoolExecutor(4), handlers=[Services()])
    server.add_insecure_port(f"127.0.0.1:{os.environ['RPC_PORT']}")
    server.start()
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["WEB_PORT"])), Web).serve_forever()
