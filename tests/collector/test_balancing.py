"""Traces on their way to two gateways of which one is away: waited for, not hammered, and sent once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_kit.collector.files import write
from otel_kit.collector.generate import generate
from otel_kit.collector.load import load_spec
from tests.collector.gateways import Gateway, listening
from tests.collector.pipeline import SPECS, Sender
from tests.collector.test_running import span
from tests.collector.test_tiers import tier
from tests.parts import eventually, free_ports

pytestmark = pytest.mark.kit


@contextlib.contextmanager
def node(folder: Path, gateways: list[Gateway], **more: Any) -> Iterator[Sender]:
    """The node collector of production with these gateways; `more` goes on top of its balancer."""
    write(folder, generate(load_spec(SPECS, "prod")))
    grpc_port, http_port = free_ports(2)
    resolver = {"k8s": None, "static": {"hostnames": [g.address for g in gateways]}}
    over = {
        "exporters": {
            "load_balancing": {"resolver": resolver, **more},
            "otlp_grpc/gateway": {"endpoint": gateways[0].address},
        },
        "processors": {"k8s_attributes": {"auth_type": "none"}, "resource_detection": {"detectors": ["env"]}},
    }
    with tier(folder, "node", folder / "node", over, (grpc_port, http_port)) as part:
        yield Sender(part=part, url=f"http://127.0.0.1:{http_port}")


@pytest.fixture
def gateways() -> Iterator[list[Gateway]]:
    """One that takes everything, and one that refuses for now."""
    here, away = (Gateway(f"127.0.0.1:{port}") for port in free_ports(2))
    away.away = True
    with listening(here), listening(away):
        yield [here, away]


def test_only_what_failed_is_sent_again(tmp_path: Path, gateways: list[Gateway]) -> None:
    here, away = gateways
    with node(tmp_path, gateways) as sender:
        for first in range(1, 101, 20):
            sender.spans([span(n) for n in range(first, first + 20)])
        eventually(lambda: here.taken and away.refused, what="both gateways are tried")
        # Five batches, each tried about every second; after 15 s all of a batch would be sent again.
        time.sleep(2)
        assert away.refused <= 20
        away.away = False
        eventually(lambda: len(here.taken) + len(away.taken) >= 100, what="all spans")
    assert set((here.taken + away.taken).values()) == {1}
    assert not here.taken.keys() & away.taken.keys()


def test_a_gateway_that_stays_away_is_tried_at_a_human_pace(tmp_path: Path, gateways: list[Gateway]) -> None:
    """What is left when the short retry of one gateway has given up: the endless one around it."""
    given_up = {"protocol": {"otlp": {"retry_on_failure": {"enabled": False}}}}
    with node(tmp_path, gateways, **given_up) as sender:
        sender.spans([span(n) for n in range(1, 21)])
        eventually(lambda: gateways[1].refused, what="the gateway that is away is tried")
        time.sleep(5)
    assert gateways[1].refused <= 4
