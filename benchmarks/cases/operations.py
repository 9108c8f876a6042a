"""Single operations in a process of each peer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.cases.run import Measured, Run, log
from benchmarks.peers import NONE, Peer, environment
from benchmarks.processes import SERVER, interleaved, run_json
from benchmarks.sink import Sink
from benchmarks.venvs import python

__all__ = ["export", "histogram", "log_record", "rate", "span"]


def span(run: Run) -> Iterator[Measured]:
    """A span with five attributes, sent."""
    return _measure(run, "span")


def log_record(run: Run) -> Iterator[Measured]:
    """A log record, sent; the line on stderr stays what it was for all."""
    return _measure(run, "log", {"OTEL_KIT_LOGS": "otlp"})


def histogram(run: Run) -> Iterator[Measured]:
    """histogram.record with three attributes."""
    return _measure(run, "histogram")


def export(run: Run) -> Iterator[Measured]:
    """Sending a span with ten attributes; ddtrace encodes a span as it is made, so it has no such figure."""
    return _measure(run, "export")


def rate(run: Run) -> Iterator[Measured]:
    """The highest paced rate of spans with none lost."""
    return _measure(run, "rate")


def _measure(run: Run, operation: str, env: Mapping[str, str] | None = None) -> Iterator[Measured]:
    with Sink() as sink:
        for peer in interleaved(run.peers, run.repeats):
            yield peer.name, _once(peer, sink, operation, run.seconds, env)


def _once(
    peer: Peer, sink: Sink, operation: str, seconds: float, env: Mapping[str, str] | None
) -> dict[str, float] | None:
    sink.reset()
    command: list[str | Path] = [python(peer), "-m", "benchmarks.inside.operations", operation, str(seconds)]
    try:
        figures = run_json(command, cores=SERVER, env=environment(peer, sink.ports, env))
    except RuntimeError as error:
        log(peer.name, error)
        return None
    made = figures.pop("made")
    counts = sink.counts()
    if made and peer.name != NONE:
        # To ddtrace a span is a trace, to logfire a log record is a span.
        figures["delivered"] = sum(counts.get(kind, 0) for kind in ("spans", "logs", "traces")) / made
    return {name: float(value) for name, value in figures.items()}
