"""What this process uses: CPU, memory, threads, files, garbage collection; never figures of the whole node.

The names and attributes are those that Datadog charts for Python services that report by OpenTelemetry
(https://docs.datadoghq.com/integrations/otel-python-runtime-metrics/), and else those of the conventions for
processes (https://opentelemetry.io/docs/specs/semconv/system/process-metrics/). They come from the standard
library and from ``/proc``, at each collection; where a system has no ``/proc``, its part is left out.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from opentelemetry.metrics import CallbackOptions, Observation

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

__all__ = ["Runtime"]

_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
_PROC: Final = Path("/proc/self")
Observe = Callable[[CallbackOptions], Iterable[Observation]]


class Runtime:
    """Observes this process, and after a fork the child."""

    def __init__(self) -> None:
        self._cpus = _cpus()
        self._before = [0] * len(_collections())
        self._used, self._asked = sum(os.times()[:2]), time.monotonic()

    def renew_after_fork(self) -> None:
        """Leave out what the parent did; the system's own figures of a child begin at zero."""
        self._before = _collections()
        self._used, self._asked = sum(os.times()[:2]), time.monotonic()

    def observe(self, meter: Meter) -> None:
        """Create the instruments."""
        counters: list[tuple[str, Observe, str, str]] = [
            ("process.cpu.time", self._cpu_time, "s", "CPU time of the process."),
            ("process.context_switches", _switches, "{context_switch}", "Context switches of the process."),
        ]
        gauges: list[tuple[str, Observe, str, str]] = [
            ("process.cpu.utilization", self._utilization, "1", "Part of the CPUs that it may use."),
            ("process.thread.count", _threads, "{thread}", "Threads of the process."),
            ("process.memory.usage", _memory, "By", "Physical memory of the process."),
            ("process.open_file_descriptor.count", _files, "{file_descriptor}", "Open files and sockets."),
        ]
        if sys.implementation.name == "cpython":
            gauges.append(
                (
                    "process.runtime.cpython.gc_count",
                    _tracked,
                    "{object}",
                    "Objects since the last collection.",
                )
            )
            counters.append(
                ("cpython.gc.collections", self._collected, "{collection}", "Collections of a generation.")
            )
        for name, callback, unit, description in counters:
            meter.create_observable_counter(name, [callback], unit, description)
        for name, callback, unit, description in gauges:
            meter.create_observable_gauge(name, [callback], unit, description)

    def _cpu_time(self, _: CallbackOptions) -> Iterator[Observation]:
        user, system = os.times()[:2]
        yield Observation(user, {"type": "user"})
        yield Observation(system, {"type": "system"})

    def _utilization(self, _: CallbackOptions) -> Iterator[Observation]:
        used, now = sum(os.times()[:2]), time.monotonic()
        took = now - self._asked
        if took > 0:
            yield Observation((used - self._used) / took / self._cpus)
        self._used, self._asked = used, now

    def _collected(self, _: CallbackOptions) -> Iterator[Observation]:
        for generation, (now, before) in enumerate(zip(_collections(), self._before, strict=True)):
            yield Observation(now - before, {"cpython.gc.generation": generation})


def _cpus() -> float:
    """CPUs that the process may use: by its affinity, and by the quota of its container."""
    try:
        cpus = float(len(os.sched_getaffinity(0)))
    except (AttributeError, OSError):
        cpus = float(os.cpu_count() or 1)
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = _QUOTA.read_text().split()
        cpus = min(cpus, int(quota) / int(period))  # "max" where there is none
    return cpus


def _collections() -> list[int]:
    return [generation["collections"] for generation in gc.get_stats()]


def _tracked(_: CallbackOptions) -> Iterator[Observation]:
    for generation, count in enumerate(gc.get_count()):
        yield Observation(count, {"count": str(generation)})


def _switches(_: CallbackOptions) -> Iterator[Observation]:
    import resource  # not on Windows

    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield Observation(usage.ru_nvcsw, {"type": "voluntary"})
    yield Observation(usage.ru_nivcsw, {"type": "involuntary"})


def _threads(_: CallbackOptions) -> Iterator[Observation]:
    """All of them, also those that libraries written in C have started."""
    try:
        text = (_PROC / "stat").read_text()
    except OSError:
        yield Observation(threading.active_count())
        return
    yield Observation(int(text.rpartition(")")[2].split()[17]))  # num_threads, field 20 of proc(5)


def _memory(_: CallbackOptions) -> Iterator[Observation]:
    with contextlib.suppress(OSError):
        pages = int((_PROC / "statm").read_text().split()[1])
        yield Observation(pages * os.sysconf("SC_PAGE_SIZE"))


def _files(_: CallbackOptions) -> Iterator[Observation]:
    with contextlib.suppress(OSError):
        yield Observation(sum(1 for _ in (_PROC / "fd").iterdir()) - 1)  # without that of the listing itself
