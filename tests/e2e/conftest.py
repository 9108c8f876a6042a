"""What the end-to-end tests share: one stand-in a test, and a way to send requests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import system
from tests.standin import StandIn


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with system.stand_in() as running:
        yield running
