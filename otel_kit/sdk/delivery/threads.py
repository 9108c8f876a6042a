"""The library's own daemon threads, and what wakes them.

What happens in them is never recorded as telemetry of the service.
"""

from __future__ import annotations

import _thread
import contextlib
import threading
import time
from collections.abc import Callable
from typing import Final

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, set_value

from otel_kit.sdk.notes import quietly

__all__ = ["Alarm", "spawn"]


#: Seconds until work that failed begins again.
_PAUSE: Final = 0.1


def spawn(name: str, work: Callable[[], None], *, lasting: bool = False) -> threading.Thread:
    """Start a daemon thread in which instrumentation is suppressed, so that exporting cannot feed itself.

    What is `lasting` begins again after a fault: one bad moment must not end a signal for good.
    """

    def once() -> bool:
        work()
        return True

    def run() -> None:
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
        while not quietly(name, once, BaseException) and lasting:
            time.sleep(_PAUSE)

    thread = threading.Thread(name=name, target=run, daemon=True)
    thread.start()
    return thread


class Alarm:
    """Wakes a thread that waits.

    The lock of a `threading.Event` would never be released again for a signal handler, or a ``__del__``, that
    rings while its own thread is ringing; here nobody who rings ever waits.
    """

    def __init__(self) -> None:
        self._quiet = _thread.allocate_lock()
        self._quiet.acquire()

    def ring(self) -> None:
        """Wake it, or keep it from waiting the next time."""
        if self._quiet.locked():
            with contextlib.suppress(RuntimeError):  # another one has rung in between
                self._quiet.release()

    def wait(self, timeout: float) -> bool:
        """Wait for that, `timeout` seconds at most; True when it rang."""
        return self._quiet.acquire(timeout=timeout)
