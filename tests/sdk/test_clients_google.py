"""Google's own libraries against stand-ins of its servers: one CLIENT span a call, nothing secret."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.environments import build_wheel, make_environment
from tests.parts import free_ports, http_ready, start
from tests.sdk.run import endpoint
from tests.sdk.sink import Seen, SpanSeen, running_sink

INTERNAL, CLIENT, PRODUCER = 1, 3, 4
ERROR = 2
LIBRARIES = ("bigquery", "firestore", "pubsub", "secret-manager", "spanner", "storage", "tasks")
#: What the libraries record of themselves if they are told to; Spanner and BigQuery do it anyway.
OWN_SPANS = {"ENABLE_GCS_PYTHON_CLIENT_OTEL_TRACES": "true", "PUBSUB_TRACES": "true"}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with the libraries."""
    folder = tmp_path_factory.mktemp("google")
    libraries = [f"google-cloud-{name}" for name in LIBRARIES]
    return make_environment(folder, f"{build_wheel(folder)}[grpc,requests,urllib3]", *libraries)


def used(python: Path, **env: str) -> tuple[Seen, str]:
    """What arrived of a process that has used each library."""
    web, rpc = (str(port) for port in free_ports(2))
    here = {
        "WEB": f"http://127.0.0.1:{web}",
        "RPC": f"127.0.0.1:{rpc}",
        "WEB_PORT": web,
        "RPC_PORT": rpc,
        **{f"{name}_EMULATOR_HOST": f"127.0.0.1:{rpc}" for name in ("FIRESTORE", "PUBSUB", "SPANNER")},
        "GOOGLE_CLOUD_PROJECT": "p",
        "NO_GCE_CHECK": "true",
    }
    app = "tests.sdk.apps.google"
    with (
        start([python, "-m", f"{app}_servers"], env=here, ready=http_ready(here["WEB"])),
        running_sink() as sink,
        start([python, "-m", f"{app}_clients"], env={**endpoint(sink), **here, **env}) as part,
    ):
        assert part.wait(60) == 0, part.output()
        assert "all used" in part.output()
        assert "fault" not in part.output()
        return sink.seen, part.output()


class Tree:
    """The spans of calls that the app made, each with those above it."""

    def __init__(self, seen: Seen) -> None:
        self._by_id = {span.span_id: span for span in seen.spans}
        self.calls = [span for span in seen.spans if span.kind == CLIENT]

    def above(self, span: SpanSeen) -> list[SpanSeen]:
        found: list[SpanSeen] = []
        while (parent := self._by_id.get((found[-1] if found else span).parent_id)) is not None:
            found.append(parent)
        return found

    def of(self, use: str) -> Counter[tuple[str, str]]:
        """Each call beneath the span of one use: its name, and its status."""
        below = [call for call in self.calls if use in [span.name for span in self.above(call)]]
        return Counter((call.name, status_of(call)) for call in below)


def status_of(call: SpanSeen) -> str:
    http = call.attributes.get("http.response.status_code")
    return str(call.attributes.get("rpc.response.status_code", http))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("env", [{}, {"ORDER": "late"}, OWN_SPANS], ids=["early", "late", "own spans"])
def test_each_call_is_one_client_span(python: Path, env: dict[str, str]) -> None:
    seen, output = used(python, **env)
    tree = Tree(seen)
    for call in tree.calls:
        assert CLIENT not in [span.kind for span in tree.above(call)], call
        assert call.attributes["server.address"], call
        assert (call.status == ERROR) == (status_of(call) not in ("OK", "200")), call
    assert tree.of("use_storage") == Counter(
        {("GET", "200"): 2, ("GET", "503"): 1, ("GET", "404"): 1, ("POST", "200"): 1, ("PUT", "200"): 1}
    )
    assert tree.of("use_bigquery") == Counter([("POST", "200"), ("GET", "404")])
    firestore = "google.firestore.v1.Firestore"
    found = tree.of("use_firestore")
    assert (found[f"{firestore}/Commit", "OK"], found[f"{firestore}/Commit", "NOT_FOUND"]) == (1, 1)
    # The library leaves the stream after its one document: often before the status comes.
    reads = [found[f"{firestore}/BatchGetDocuments", status] for status in ("OK", "CANCELLED")]
    assert (sum(reads), sum(found.values())) == (2, 4)
    found = tree.of("use_spanner")
    query = "google.spanner.v1.Spanner/ExecuteStreamingSql"
    assert (found[query, "OK"], found[query, "NOT_FOUND"]) == (1, 1)
    assert not [name for name, _ in found if not name.startswith("google.spanner.v1.Spanner/")]
    assert tree.of("use_pubsub") == Counter(
        (f"google.pubsub.v1.Subscriber/{method}", "OK") for method in ("Pull", "Acknowledge")
    )
    # Messages of many callers are sent together, by a thread of the library.
    assert [call.name for call in tree.calls].count("google.pubsub.v1.Publisher/Publish") == 1
    secrets = "google.cloud.secretmanager.v1.SecretManagerService/AccessSecretVersion"
    assert tree.of("use_secrets") == Counter([(secrets, "OK"), (secrets, "NOT_FOUND")])
    assert tree.of("use_tasks") == Counter([("google.cloud.tasks.v2.CloudTasks/CreateTask", "OK")])
    own = {span.name for span in seen.spans if span.kind == INTERNAL}
    assert "CloudSpanner.Snapshot.execute_sql" in own
    assert ("orders publish" in own) == ("Storage.Connection.api_request" in own) == (env is OWN_SPANS)
    assert [span.name for span in seen.spans if span.kind == PRODUCER] == ["orders create"] * (
        env is OWN_SPANS
    )
    nothing_secret(seen)
    told = dict(re.findall(r"state google-cloud-(\S+) (\w+) ", output))
    assert told == dict.fromkeys(LIBRARIES, "beneath")


def nothing_secret(seen: Seen) -> None:
    for span in seen.spans:
        assert "hunter2" not in json.dumps([span.name, span.message, span.attributes, span.events]), span
    addresses = [str(span.attributes.get("url.full")) for span in seen.spans]
    assert sum("X-Goog-Signature=REDACTED" in address for address in addresses) == 1
    assert sum("upload_id=REDACTED" in address for address in addresses) == 1
