"""Write a distribution's Go sources from its manifest: ``python -m collector.distribution.generate kit``.

A maintainer runs it after an edit of the manifest and commits what it writes. Building needs none of it.
`main.go` and `components.go` come from the collector builder. Its module step is not used: it runs
`go mod tidy`, which also asks for what only the tests of other modules need.
"""

# ruff: noqa: S603, T201 (a script: it runs go and prints)
from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from collector.distribution.build import HERE, BuildError, find_go, go_environment

#: Operating systems and processors whose modules go.sum must hold.
PLATFORMS = [("linux", "amd64"), ("linux", "arm64"), ("darwin", "amd64"), ("darwin", "arm64")]


def main() -> int:
    """Generate the distributions named on the command line."""
    try:
        for name in sys.argv[1:]:
            generate(HERE / name)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def generate(folder: Path) -> None:
    """Write main.go, components.go, go.mod and go.sum beside `folder`/manifest.yaml."""
    manifest = (folder / "manifest.yaml").read_text(encoding="utf-8")
    version = manifest_version(manifest)
    go = find_go()
    # -mod=mod writes go.mod and go.sum; what go.sum holds is then what every build is checked against.
    env = {**go_environment(), "GOFLAGS": "-mod=mod", "GONOSUMDB": "*"}
    builder = f"go.opentelemetry.io/collector/cmd/builder@v{version}"
    flags = ["--skip-get-modules", "--skip-compilation"]
    _run([go, "run", builder, "--config", folder / "manifest.yaml", *flags], folder.parent, env)
    (folder / "main_windows.go").unlink(missing_ok=True)
    (folder / "go.mod").write_text(go_mod(folder.name, manifest, version), encoding="utf-8")
    for system, processor in PLATFORMS:
        _run([go, "list", "-deps", "."], folder, {**env, "GOOS": system, "GOARCH": processor})


def manifest_version(manifest: str) -> str:
    """The collector version of a manifest, without the v."""
    found = re.search(r"^  version: (\S+)$", manifest, re.MULTILINE)
    if found is None:
        raise BuildError("manifest.yaml: dist.version is missing")
    return found[1]


def go_mod(name: str, manifest: str, version: str) -> str:
    """The first go.mod: the manifest's modules, and those that the generated sources import themselves."""
    stable = f"v1.{int(version.split('.')[1]) - 94}.0"
    modules = re.findall(r"^  - gomod: (\S+ \S+)$", manifest, re.MULTILINE)
    modules += [f"go.opentelemetry.io/collector/otelcol v{version}"]
    modules += [f"go.opentelemetry.io/collector/{m} {stable}" for m in ("component", "confmap")]
    lines = "".join(f"\t{module}\n" for module in sorted(set(modules)))
    return f"module otelcol-{name}\n\ngo 1.25.0\n\nrequire (\n{lines})\n"


def _run(command: list[str | Path], cwd: Path, env: dict[str, str]) -> None:
    print("+", *(str(part) for part in command[:3]), env.get("GOOS", ""), file=sys.stderr)
    if subprocess.run(command, cwd=cwd, env={**os.environ, **env}, stdout=subprocess.DEVNULL).returncode:
        raise BuildError(f"{command[0]} {command[1]} failed in {cwd}")


if __name__ == "__main__":
    sys.exit(main())
