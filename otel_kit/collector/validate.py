"""Ask the real collector whether it takes a config."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from otel_kit.collector.spec import Spec
from otel_kit.errors import InputError, ToolError

__all__ = ["default_binary", "validate"]

#: Harmless values for what a config reads from its environment.
_VALUES = {
    "DD_SITE": "datadoghq.com",
    "K8S_NODE_NAME": "node",
    "K8S_POD_NAME": "pod",
    "MY_POD_IP": "127.0.0.1",
}
_VARIABLE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)(:-[^}]*)?\}")
_TIMEOUT = 60.0


def default_binary(spec: Spec) -> Path:
    """Where `make collector` puts the collector of the spec's distribution."""
    return Path("build") / f"otelcol-{'local' if spec.collector.distribution == 'local' else 'kit'}"


def validate(binary: Path, config: Path) -> None:
    """Run ``BINARY validate`` on one file. It opens no port and sends nothing.

    Raises:
        ToolError: the binary is missing or does not run.
        InputError: the collector refuses the config.
    """
    if not binary.is_file():
        name = binary.name.removeprefix("otelcol-")
        raise ToolError(
            "there is no collector here",
            where=str(binary),
            fix=f"build it: make collector DISTRIBUTION={name}",
        )
    text = config.read_text(encoding="utf-8")
    env = {name: _VALUES.get(name, "x") for name, default in _VARIABLE.findall(text) if not default}
    command = [str(binary.absolute()), "validate", "--config", str(config)]
    try:
        done = subprocess.run(  # noqa: S603 (the binary is the caller's choice)
            command,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            env={"PATH": os.defpath, **env},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"does not run: {error}", where=str(binary)) from error
    if done.returncode:
        raise InputError(_sentence(done.stderr or done.stdout), where=str(config))


def _sentence(output: str) -> str:
    """What the collector says about a bad config, without its wrapping, in one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = [line for line in lines if not re.match(r"^\d{4}[-/]\d\d[-/]\d\d", line)]
    text = " ".join(dict.fromkeys(said or lines))
    for wrapping in ("Error: ", "failed to get config: ", "cannot unmarshal the configuration: "):
        text = text.replace(wrapping, "")
    text = re.sub(r"decoding failed due to the following error\(s\): ?", "", text)
    text = re.sub(r"error reading configuration for ", "configuration of ", text)
    return f"the collector refuses it: {text}"
