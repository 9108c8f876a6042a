"""What the tests and the demo read back: that nothing was lost is said only when somebody could know."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from examples.proof import Proof
from tests.dev.otlp import counts, metrics
from tests.dev.process import Dev, running, send
from tests.parts import eventually
from tests.standin import StandIn


@pytest.fixture
def quick() -> Iterator[Dev]:
    """One that nothing was sent to yet."""
    with running("--evaluate-every", "100ms") as found:
        yield found


def report(dev: Dev, name: str, **tags: str) -> None:
    """A count of 3, as a service or a collector reports what it did."""
    assert send(dev, "metrics", metrics([counts(name, 3, tags=tags)]))[0] == 200


def test_losses_are_known_only_when_deliveries_were_reported(quick: Dev) -> None:
    stand_in = StandIn(quick.url)
    with pytest.raises(AssertionError, match=r"from the services .* and the collector "):
        stand_in.losses(timeout=0)
    report(quick, "otel.sdk.exporter.span.exported", **{"error.type": "timeout"})
    with pytest.raises(AssertionError, match="from the services"):
        stand_in.losses(collector=False, timeout=0)
    report(quick, "otel.sdk.exporter.log.exported")
    assert stand_in.losses(collector=False) == {"otel.sdk.exporter.span.exported": 3}
    with pytest.raises(AssertionError, match="from the collector"):
        stand_in.losses(timeout=0)
    report(quick, "otelcol_exporter_sent_spans")
    assert stand_in.losses() == {"otel.sdk.exporter.span.exported": 3}


@pytest.mark.parametrize(
    "name",
    [
        "otelcol_receiver_failed_spans",
        "otelcol_receiver_refused_log_records",
        "otelcol_exporter_send_failed_metric_points",
        "otelcol_exporter_enqueue_failed_spans",
    ],
)
def test_each_way_to_lose_is_counted(dev: Dev, name: str) -> None:
    for sent in ("otel.sdk.exporter.span.exported", "otelcol_exporter_sent_spans", name):
        report(dev, sent)
    assert StandIn(dev.url).losses()[name] == 3


def test_the_proof_wants_a_message_and_somebody_who_gets_it(
    quick: Dev, capsys: pytest.CaptureFixture[str]
) -> None:
    report(quick, "bad", a="b")
    for name, message, right in (
        ("silent", "", False),
        ("addressed to nobody", "it is bad", False),
        ("told", "it is bad @team-x", True),
    ):
        monitor = {"type": "query alert", "name": name, "message": message}
        monitor["query"] = "sum(last_5m):sum:bad{*}.as_count() > 1"
        status, made, _ = quick.ask("POST", "/api/v1/monitor", monitor)
        assert status == 200
        eventually(lambda n=made["id"]: quick.get(f"/dev/api/notifications?monitor_id={n}"))  # type: ignore[misc]
        proof = Proof(StandIn(quick.url))
        proof.monitor(name)
        assert proof.ok is right, name
    assert "an empty message" in capsys.readouterr().out
