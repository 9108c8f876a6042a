"""What has to be so before any test runs."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Have Ctrl-C reach the processes of tests: a shell has what it starts with ``&`` ignore it, for good."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
