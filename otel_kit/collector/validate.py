"""Ask the real collector whether it takes a config."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from otel_kit.collector.spec import Spec
from otel_kit.errors import InputError, ToolError

__all__ = ["check_binary", "default_binary", "validate"]

#: Harmless values for what a config reads from its environment.
_VALUES = {
    "DD_SITE": "datadoghq.com",
    "K8S_NODE_NAME": "node",
    "K8S_POD_NAME": "pod",
    "MY_POD_IP": "127.0.0.1",
}
_VARIABLE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)(:-[^}]*)?\}")
_TIMEOUT = 60.0
_WRAPPING = re.compile(
    r"^Error: |failed to get config: |cannot unmarshal the configuration: "
    r"|decoding failed due to the following error\(s\):\s*"
)
#: How a complaint about one component begins; and how one about the component as a whole does.
_PLACE = re.compile(r"'(\w+)' error reading configuration for \"([^\"]+)\":\s*")
_NOWHERE = "'' "


def default_binary(spec: Spec) -> Path:
    """Where `make collector` puts the collector of the spec's distribution."""
    return Path("build") / f"otelcol-{'local' if spec.collector.distribution == 'local' else 'kit'}"


def check_binary(binary: Path, version: str) -> None:
    """Make sure that `binary` is a collector of this version.

    Raises:
        ToolError: it is missing, is none, or is another version.
    """
    if not binary.is_file():
        ours = re.fullmatch(r"otelcol-(local|kit)", binary.name)
        fix = f"build it: make collector DISTRIBUTION={ours[1]}" if ours else "is --binary right?"
        raise ToolError("there is no collector here", where=str(binary), fix=fix)
    said = _run(binary, "--version").stdout.strip()
    found = re.fullmatch(r"\S+ version v?(\S+)", said)
    if found is None:
        raise ToolError("is no collector: it does not tell its version", where=str(binary))
    if found[1] != version:
        raise ToolError(f"is version {found[1]}, but the spec is for {version}", where=str(binary))


def validate(binary: Path, config: Path, *, where: str) -> None:
    """Run ``BINARY validate`` on one file. It opens no port and sends nothing.

    Raises:
        InputError: the collector refuses the config, which errors call `where`.
    """
    text = config.read_text(encoding="utf-8")
    env = {name: _VALUES.get(name, "x") for name, default in _VARIABLE.findall(text) if not default}
    done = _run(binary, "validate", "--config", str(config), env=env)
    if done.returncode:
        raise InputError(f"the collector refuses it: {_sentence(done.stderr or done.stdout)}", where=where)


def _run(
    binary: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 (the binary is the caller's choice)
            [str(binary.absolute()), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT,
            env={"PATH": os.defpath, **(env or {})},
        )
    except OSError as error:
        raise ToolError(f"does not run: {error.strerror}", where=str(binary)) from error
    except subprocess.TimeoutExpired:
        raise ToolError(f"does not answer within {_TIMEOUT:.0f} s", where=str(binary)) from None


def _sentence(output: str) -> str:
    """What the collector says about a bad config, without its wrapping: one line, each complaint numbered."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = [line for line in lines if not re.match(r"^\d{4}[-/]\d\d[-/]\d\d", line)] or lines
    complaints: list[str] = []
    place = ""
    for line in dict.fromkeys(_WRAPPING.sub("", line) for line in said):
        if begun := _PLACE.match(line):
            place = f"{begun[1]}::{begun[2]}: "
            line = line[begun.end() :]
        if line:
            complaints.append(f"{place}{line.removeprefix(_NOWHERE)}")
    if len(complaints) == 1:
        return complaints[0]
    return "; ".join(f"({number}) {text}" for number, text in enumerate(complaints, 1))
