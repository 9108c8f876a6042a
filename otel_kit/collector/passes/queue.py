"""What waits for a slow or absent receiver waits on disk, and is tried again until it is taken."""

from __future__ import annotations

from typing import Any

from otel_kit.collector.catalogue import Entry, find
from otel_kit.collector.model import Component, Config, Kind
from otel_kit.collector.names import STORAGE
from otel_kit.collector.spec import Spec
from otel_kit.collector.tiers import tier_of

__all__ = ["queue"]

#: Bytes before compression. Datadog refuses metrics above 500 KB compressed and 5 MB decompressed
#: (https://docs.datadoghq.com/opentelemetry/setup/otlp_ingest/metrics/); OTLP shrinks to less than half.
_TO_DATADOG = {"flush_timeout": "1s", "sizer": "bytes", "min_size": 250_000, "max_size": 1_000_000}
_TO_GATEWAY = {"flush_timeout": "200ms", "sizer": "bytes", "min_size": 100_000, "max_size": 2_000_000}
#: Written out, since not every exporter has these as its defaults: load_balancing has none, and without a
#: pause between tries it sends the same batch hundreds of times a second (seen at 0.158).
_RETRY = {
    "enabled": True,
    "initial_interval": "5s",
    "randomization_factor": 0.5,
    "multiplier": 1.5,
    "max_interval": "30s",
    # The queue is the bound: what is in it is tried until it is taken.
    "max_elapsed_time": "0s",
}


def queue(config: Config, spec: Spec) -> Config:
    """A persistent queue, batches and endless retries for every exporter that sends over the network."""
    remote = [(c, e) for c in config.of(Kind.EXPORTER) if (e := _entry(c, spec)) and e.remote]
    for exporter, entry in remote:
        config = config.swap(_queued(exporter, entry, config, spec))
    return config.add(_storage(spec)) if remote else config


def _entry(component: Component, spec: Spec) -> Entry | None:
    return find(spec.collector.version, [Kind.EXPORTER], component.type)


def _queued(exporter: Component, entry: Entry, config: Config, spec: Spec) -> Component:
    sending = {
        "enabled": True,
        "storage": "file_storage",
        "sizer": "bytes",
        "queue_size": int(tier_of(spec, config.role).queue),
        **_batch(exporter, config, spec),
    }
    own = exporter.config
    waits = {"sending_queue": {**sending, **own.get("sending_queue", {})}}
    if entry.retries:
        waits = {"retry_on_failure": {**_RETRY, **own.get("retry_on_failure", {})}, **waits}
    return Component(kind=exporter.kind, id=exporter.id, config={**own, **waits})


def _batch(exporter: Component, config: Config, spec: Spec) -> dict[str, Any]:
    if exporter.type == "load_balancing":
        return {}
    if config.role.sends_to == "gateway":
        return {"batch": _TO_GATEWAY}
    # On a developer's machine nobody wants to wait for a fuller batch.
    return {"batch": _TO_DATADOG if spec.kubernetes else {**_TO_DATADOG, "flush_timeout": "200ms"}}


def _storage(spec: Spec) -> Component:
    directory = STORAGE if spec.kubernetes else "${env:STORAGE_DIR:-/tmp/otel-kit-collector}"
    config = {
        "directory": directory,
        "create_directory": True,
        "compaction": {
            "directory": directory,
            "on_start": True,
            "on_rebound": True,
            "cleanup_on_start": True,
        },
    }
    return Component(kind=Kind.EXTENSION, id="file_storage", config=config)
