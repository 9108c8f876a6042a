"""One stand-in for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dev.process import Dev, running


@pytest.fixture(scope="module")
def dev() -> Iterator[Dev]:
    """One for all tests of a module; each test uses names of its own."""
    with running() as found:
        yield found
