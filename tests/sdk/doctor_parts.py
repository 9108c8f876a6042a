"""Runs `otel-kit doctor` as a process of its own, and reads what it finds."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.parts import ROOT
from tests.system import OTEL_KIT

__all__ = ["IDENTITY", "at", "doctor", "findings"]

IDENTITY = {"OTEL_SERVICE_NAME": "s", "DD_ENV": "test", "DD_VERSION": "1"}


def doctor(*arguments: str, cwd: str = str(ROOT), **env: str) -> dict[str, Any]:
    """Its JSON; the exit code must say the same."""
    done = subprocess.run(
        [*OTEL_KIT, "doctor", "--json", *arguments],
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "OTEL_KIT_SHUTDOWN_TIMEOUT": "0",
            **IDENTITY,
            **env,
        },
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 1), done.stderr
    return found


def at(endpoint: str, protocol: str = "http/protobuf", **env: str) -> dict[str, tuple[str, str, str]]:
    """Check -> status, fact and advice, of a service with this endpoint."""
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    return findings(doctor(**settings, **env))


def findings(found: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    """Check -> status, fact and advice; of several findings of one check the last."""
    return {f["check"]: (f["status"], f["what"], f["fix"]) for f in found["findings"]}
