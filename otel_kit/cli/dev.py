"""`otel-kit dev`: run the stand-in for Datadog on this machine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final
from urllib.parse import quote

import click

from otel_kit import conventions
from otel_kit.cli import output
from otel_kit.errors import InputError

__all__ = ["dev"]

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_SHORTEST_S: Final = 0.1
_LONGEST_S: Final = 86_400.0
# As the gateway sends: without these tags the points of two processes of one service overwrite each other.
_METRIC_CONFIG: Final = {"resource_attributes_as_tags": True, "instrumentation_scope_metadata_as_tags": True}
_HEADERS: Final = ",".join(
    f"{name}={quote(value)}"
    for name, value in (
        (conventions.HEADER_DD_API_KEY, "local"),
        (conventions.HEADER_DD_METRIC_CONFIG, json.dumps(_METRIC_CONFIG)),
    )
)


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=conventions.PORT_DEV,
    show_default=True,
    help="0: any free one.",
)
@click.option(
    "--db",
    type=click.Path(path_type=Path),
    help="Keep everything in this SQLite file. Default: until it stops.",
)
@click.option(
    "--evaluate-every",
    default="60s",
    show_default=True,
    metavar="DURATION",
    help="How often monitors are evaluated.",
)
@click.option(
    "--keep",
    type=click.IntRange(min=1000),
    default=1_000_000,
    show_default=True,
    help="Newest spans, log lines and metric points to keep, of each.",
)
def dev(port: int, db: Path | None, evaluate_every: str, keep: int) -> None:
    """Stand in for Datadog: take OTLP, show it, and evaluate monitors. Loopback only.

    What the page shows comes as JSON from GET /dev/api/..., for scripts and tests:

    \b
      services
      traces?service=S&error=1&limit=N    traces/TRACE_ID
      logs?service=S&search=TEXT&trace_id=T&limit=N
      metrics                             series?metric=NAME&since=SECONDS
      monitors                            notifications?monitor_id=N&limit=N
      losses                              what came and was not kept, and why

    For the id of a trace its first digits will do. GET /dev/health says that it runs. A wrong or unknown
    parameter is answered by 400 and a sentence.
    """  # noqa: D301 - this is how click is told to keep the lines
    from otel_kit.dev.server import DevSettings, run

    settings = DevSettings(port=port, db=db, evaluate_every_s=_seconds(evaluate_every), keep=keep)
    run(settings, started=_say)


def _say(port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    output.echo(f"otel-kit dev: {url}")
    output.echo("  a service or a collector sends here (any key will do):")
    output.echo(
        f"    export {conventions.ENV_OTLP_ENDPOINT}={url} "
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta"
    )
    output.echo(f"    export OTEL_EXPORTER_OTLP_HEADERS={_HEADERS}")
    output.echo("  `otel-kit plan` and `otel-kit apply` work on it:")
    output.echo(
        f"    export {conventions.ENV_DD_HOST}={url} "
        f"{conventions.ENV_DD_API_KEY}=local {conventions.ENV_DD_APP_KEY}=local"
    )


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text.strip())
    seconds = float(found.group(1)) * _UNITS[found.group(2)] if found else 0.0
    if not _SHORTEST_S <= seconds <= _LONGEST_S:
        raise InputError(
            f"{text!r} is not a duration between 100ms and 24h",
            where="--evaluate-every",
            fix="write it as 1s, 60s or 5m",
        )
    return seconds
