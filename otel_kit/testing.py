"""The pytest plugin: what the service really emits, through the library's own engine and without a network.

It is there as soon as otel-kit is installed. `otel_kit.init()` may be called by the service when it is
imported, by a fixture or not at all; global providers are set once in the process and never touched again.

Example::

    import logging

    import otel_kit
    from opentelemetry import metrics

    created = metrics.get_meter("shop").create_counter("orders.created")


    @otel_kit.instrument(name="create order", record=["currency"])
    def create_order(currency):
        logging.getLogger("shop").info("order created")
        created.add(1, {"currency": currency})


    def test_order(telemetry):
        create_order("eur")

        span = telemetry.span("create order")
        span.assert_attributes({"currency": "eur"})
        span.assert_ok()
        assert telemetry.metric("orders.created").value({"currency": "eur"}) == 1
        telemetry.log("order created").assert_in(span)

A test that uses `telemetry` fails where a span that it has started is still open at its end, unless it is
marked with ``allow_open_spans``. The mark ``deterministic_telemetry`` gives it the same ids and span times
each time. Fixtures of a module, class or session use `record`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from otel_kit.sdk import under_test

if TYPE_CHECKING:
    from otel_kit.sdk.testing.items import Event, Link, Log, Metric, Point, Span
    from otel_kit.sdk.testing.recording import Recording

__all__ = ["Event", "Link", "Log", "Metric", "Point", "Recording", "Span", "record", "telemetry"]


def __getattr__(name: str) -> Any:
    """The types come when somebody asks for them: each run of pytest loads this module."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from otel_kit.sdk.testing import items, recording

    return recording.Recording if name == "Recording" else getattr(items, name)


def pytest_configure(config: pytest.Config) -> None:
    """From here on nothing that the library records leaves the process."""
    config.addinivalue_line(
        "markers", "allow_open_spans: spans that the test has started may be open at its end"
    )
    config.addinivalue_line(
        "markers", "deterministic_telemetry(seed=0): the same ids and span times each time the test runs"
    )
    under_test.active = True


@contextlib.contextmanager
def record() -> Iterator[Recording]:
    """What is emitted within the block, for a fixture that is wider than one test.

    Several may be open at a time, as one of a module and that of a test: each has all that comes meanwhile.

    Raises:
        ToolError: the library is switched off, or another SDK is in charge.

    Example::

        import otel_kit.testing
        import pytest


        @pytest.fixture(scope="module")
        def startup():
            with otel_kit.testing.record() as recording:
                yield recording
    """
    from otel_kit.sdk.testing import capture

    recording = capture.recording()
    try:
        yield recording
    finally:
        recording.close()


@pytest.fixture
def telemetry(request: pytest.FixtureRequest) -> Iterator[Recording]:
    """What the test emits: `spans`, `metrics` and `logs`, and the assertions on them.

    Calls `otel_kit.init()` where the service has not done so. Safe with pytest-xdist: each worker is a
    process and has its own. Of one test; for wider fixtures see `record`.
    """
    with record() as recording:
        marker = request.node.get_closest_marker("deterministic_telemetry")
        if marker is not None:
            recording.deterministic(*marker.args, **marker.kwargs)
        yield recording
        if request.node.get_closest_marker("allow_open_spans") is None:
            try:
                recording.assert_no_open_spans()
            except AssertionError as error:
                pytest.fail(str(error), pytrace=False)  # there is no line of the test to show
