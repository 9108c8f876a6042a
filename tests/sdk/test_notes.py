"""What the library says never becomes an exception of the service."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from otel_kit.sdk.notes import LOGGER, quietly


class Raising(logging.Handler):
    """As one that lets an error of its destination through."""

    def handle(self, record: logging.LogRecord) -> bool:
        """Fail."""
        raise OSError(record.msg)


def refuse(record: logging.LogRecord) -> bool:
    """A filter that expects a field which only records of the service have."""
    return bool(record.__dict__["tenant"])


@pytest.fixture(params=["handler", "filter"])
def broken(request: pytest.FixtureRequest) -> Iterator[None]:
    """A set-up of logging that fails."""
    handler = Raising()
    if request.param == "handler":
        LOGGER.addHandler(handler)
    else:
        LOGGER.addFilter(refuse)
    yield
    LOGGER.removeHandler(handler)
    LOGGER.removeFilter(refuse)


def fail() -> None:
    """Work with a fault."""
    raise LookupError


@pytest.mark.usefixtures("broken")
def test_a_broken_handler_of_the_service_reaches_nobody() -> None:
    LOGGER.error("said by the library")
    assert quietly("work", fail) is None


def test_the_library_is_heard_where_logging_works(caplog: pytest.LogCaptureFixture) -> None:
    LOGGER.error("said by the library")
    assert [(r.message, r.funcName) for r in caplog.records] == [
        ("said by the library", "test_the_library_is_heard_where_logging_works")
    ]
