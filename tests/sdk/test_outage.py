"""A collector that is away, or does not want more: what was accepted within the bounds arrives."""

from __future__ import annotations

import socket
import sys
import time

import pytest

from otel_kit.conventions import HTTP_SERVER_DURATION
from otel_kit.sdk.delivery.outbox import CUTS
from otel_kit.sdk.delivery.tally import Tally
from tests.parts import eventually, start
from tests.sdk.raw import raw, reply, take
from tests.sdk.run import UVICORN, endpoint, get, lines, ready, script, web
from tests.sdk.sink import Sink, running_sink


@pytest.mark.slow
def test_nothing_is_lost_while_the_collector_is_away() -> None:
    sink = Sink()
    env = {"OTEL_METRIC_EXPORT_INTERVAL": "1000"}
    with web(sink, *UVICORN, env=env) as (part, url):
        statuses = []
        sent = 0
        for phase in ("down", "up", "down", "up"):  # absent at the start, and again in between
            if phase == "up":
                sink.up()
            else:
                sink.down()
            end = time.monotonic() + 1.6
            while time.monotonic() < end:
                statuses.append(get(f"{url}/orders/{sent}"))
                sent += 1
                time.sleep(0.01)
        assert part.terminate() == -15
        said = [line["message"] for line in lines(part) if line["logger.name"] == "otel_kit"]
    sink.down()
    assert set(statuses) == {200}
    seen = sink.seen
    assert sorted(s.attributes["url.path"] for s in seen.spans) == sorted(f"/orders/{n}" for n in range(sent))
    assert seen.total(HTTP_SERVER_DURATION) == sent
    assert len([log for log in seen.logs if log.scope == "shop"]) == sent
    # Resent points keep the second in which they were collected.
    assert len({point.time // 10**9 for point in seen.named(HTTP_SERVER_DURATION)}) > 3
    warnings = [message for message in said if "cannot be delivered" in message]
    assert 1 <= len(warnings) <= 3  # one for each signal, once a minute


def test_a_collector_that_is_full_is_asked_again_and_one_that_refuses_is_not() -> None:
    with running_sink() as sink:
        sink.fail_with = 503
        with script("wait", endpoint(sink)) as part:
            ready(part)
            eventually(lambda: "503" in part.output(), what="a retry")
            sink.fail_with = None
            assert part.terminate() == -15
        assert len(sink.seen.spans) == 20
    with running_sink() as sink:
        sink.fail_with = 400
        with script("plain", endpoint(sink)) as part:
            assert part.wait() == 0
            told = [line["message"] for line in lines(part)]
        assert any("traces" in message and "lost: 400" in message for message in told)
        # Where the machine is busy, they may be refused before the end; then that has nothing to tell.
        assert [message for message in told if "at the end" in message and "flushed 0" not in message] == []
        assert not sink.seen.spans


def test_a_request_that_is_cut_off_does_not_hold_up_the_others() -> None:
    def impolite(client: socket.socket, _: str, length: int) -> None:
        if length > 1_000_000:
            client.recv(1000)  # and close, with the rest of the body on its way
            return
        take(client, length)
        reply(client, "200 OK")

    def polite(client: socket.socket, path: str, length: int) -> None:
        if length > 1_000_000:
            reply(client, "413 Payload Too Large")
        impolite(client, path, length)

    for answer, length, reason in (
        (impolite, 3_000_000, "cut off"),
        (polite, 3_000_000, "413"),
        (polite, 5_000_000, "too_large"),
    ):
        env = {"COUNT": "0", "LENGTH": str(length), "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "10000000"}
        with raw(answer) as server, script("long", {**server.env, **env}) as part:
            assert part.wait(timeout=40) == 0
            said = [line["message"] for line in lines(part) if line["logger.name"] == "otel_kit"]
        assert f"lost: {reason}" in " ".join(said)
        assert said[-1].endswith("again") or "lost" in said[-1]  # the short ones came through
        short = [size for _, size in server.requests if size < 1_000_000]
        assert len(short) == 1
        assert len(server.requests) - 1 == {"cut off": CUTS, "413": 1, "too_large": 0}[reason]


def test_a_page_that_is_no_answer_of_a_collector_is_a_loss() -> None:
    answers = {
        ("text/html; charset=utf-8", b"<html>log in</html>"): True,
        ("text/html", b""): True,
        ("application/json", b"{}"): False,
        ("text/plain", b""): False,
        ("", b""): False,
    }
    for (kind, body), lost in answers.items():

        def answer(client: socket.socket, _: str, length: int, kind: str = kind, body: bytes = body) -> None:
            take(client, length)
            reply(client, "200 OK", body, kind)

        with raw(answer) as server, script("plain", server.env) as part:
            assert part.wait() == 0
            assert ("lost: no OTLP answer" in part.output()) == lost
            assert "cannot be delivered" not in part.output()
        assert server.requests


def test_an_answer_that_trickles_in_ends_with_the_try() -> None:
    def trickle(client: socket.socket, _: str, length: int) -> None:
        take(client, length)
        for byte in b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1000:
            client.sendall(bytes([byte]))
            time.sleep(0.1)

    with raw(trickle) as server:
        env = {**server.env, "OTEL_EXPORTER_OTLP_TIMEOUT": "0.5"}
        with script("wait", env) as part:
            eventually(lambda: len(server.requests) > 1, what="the next try")
            part.kill()


def test_losses_can_be_read_in_the_backend() -> None:
    with running_sink() as sink:
        sink.reject = 2
        with start([sys.executable, "-m", "tests.sdk.apps.script", "losses"], env=endpoint(sink)) as part:
            assert part.wait() == 0, part.output()
        seen = sink.seen
        exported = "otel.sdk.exporter.span.exported"
        assert seen.total(exported, error__type="rejected") == 2
        assert sum(p.value for p in seen.named(exported) if "error.type" not in p.attributes) == 18


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("BadStatusLine", "BadStatusLine (what listens there speaks no HTTP)"),
        ("UNAVAILABLE", "UNAVAILABLE (no gRPC server answers there)"),
        ("gaierror", "gaierror (the name of the host cannot be resolved)"),
        ("503", "503 (HTTP status)"),
        ("OSError", "OSError"),
    ],
)
def test_a_warning_says_what_it_means_and_what_to_do(
    why: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    Tally("traces", protocol="grpc", endpoint="http://c:4317").failing(why, waiting=7)
    Tally("logs", protocol="grpc", endpoint="http://c:4317").dropped(2, why)
    Tally("metrics", protocol="grpc", endpoint="http://c:4317").dropped(1, "invalid_measurement")
    assert [record.getMessage() for record in caplog.records] == [
        (
            f"otel-kit: traces to http://c:4317 cannot be delivered: {told}; 7 bytes wait for it; "
            "0 dropped so far; run otel-kit doctor"
        ),
        f"otel-kit: logs to http://c:4317 lost: {told}; 2 dropped so far; run otel-kit doctor",
        "otel-kit: metrics to http://c:4317 lost: invalid_measurement; 1 dropped so far",
    ]
