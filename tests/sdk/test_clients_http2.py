"""httpx over HTTP/2: recorded as over HTTP/1.1, by its version."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.parts import free_port, port_ready, start
from tests.sdk.run import endpoint
from tests.sdk.sink import running_sink
from tests.sdk.test_clients import CLIENT

CODE = """
import asyncio, os, ssl
import otel_kit
otel_kit.init(service="two", instrument=["httpx"])
import httpx

trusted = ssl.create_default_context(cafile=os.environ["CA"])


async def main():
    async with httpx.AsyncClient(http2=True, verify=trusted) as client:
        answers = await asyncio.gather(*(client.get(os.environ["WEB"] + f"/orders/{n}") for n in range(2)))
        assert [answer.http_version for answer in answers] == ["HTTP/2"] * 2


with httpx.Client(http2=True, verify=trusted) as client:
    assert client.get(os.environ["WEB"] + "/orders/9").http_version == "HTTP/2"
asyncio.run(main())
"""


@pytest.mark.slow
def test_httpx_over_http2(tmp_path: Path) -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    port, pem = free_port(), str(tmp_path / "server.pem")
    server = [sys.executable, "-m", "hypercorn", "--bind", f"127.0.0.1:{port}", "--certfile", pem]
    command = [*server, "--keyfile", pem, "tests.sdk.apps.web:app"]
    off = {"OTEL_KIT_DISABLED": "true"}
    env = {"WEB": f"https://127.0.0.1:{port}", "CA": str(tmp_path / "ca.pem")}
    with (
        start(command, env=off, ready=port_ready(port)),
        running_sink() as sink,
        start([sys.executable, "-c", CODE], env={**endpoint(sink), **env}) as part,
    ):
        assert part.wait() == 0, part.output()
    spans = [span for span in sink.seen.spans if span.kind == CLIENT]
    assert [span.attributes["http.response.status_code"] for span in spans] == [200] * 3
    assert {span.attributes["network.protocol.version"] for span in spans} == {"2"}
