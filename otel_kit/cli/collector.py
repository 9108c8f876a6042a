"""``otel-kit collector``: render the collectors of an environment, and ask the real collector about them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from otel_kit.cli import output
from otel_kit.collector.files import write
from otel_kit.collector.generate import generate
from otel_kit.collector.load import load_spec
from otel_kit.collector.spec import Spec
from otel_kit.collector.validate import check_binary, default_binary, validate

__all__ = ["collector"]

_ENV = click.option(
    "--env",
    "environments",
    required=True,
    multiple=True,
    help="Environment: the spec SPEC_DIR/ENV.yaml. May be repeated.",
)
_SPEC_DIR = click.option(
    "--spec-dir",
    type=click.Path(path_type=Path),
    default=Path("collector"),
    show_default=True,
    help="Folder of specs.",
)


@click.group()
def collector() -> None:
    """Render and validate the configuration of the collectors."""


@collector.command()
@_ENV
@_SPEC_DIR
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write to; for one environment.")
def render(environments: tuple[str, ...], spec_dir: Path, out: Path | None) -> None:
    """Write config/TIER.yaml and manifests/*.yaml of an environment.

    Without --out: SPEC_DIR/rendered/ENV, or build/collector/ENV where nothing runs in Kubernetes.
    """
    if out and len(environments) > 1:
        raise click.UsageError("--out holds one environment; leave it out, or give --env once.")
    # All of them are made before the first is written.
    for spec, files in [(spec, generate(spec)) for spec in _specs(spec_dir, environments)]:
        folder = out or _default_folder(spec, spec_dir)
        done = write(folder, files)
        for path in done.changed:
            output.echo(str(path))
        for path in done.removed:
            output.echo(f"{path} removed")
        removed = f", {len(done.removed)} removed" if done.removed else ""
        changed = f"{len(files)} files in {folder}, {len(done.changed)} changed"
        output.progress(f"{spec.environment}: {changed}{removed}")


@collector.command("validate")
@_ENV
@_SPEC_DIR
@click.option(
    "--binary", type=click.Path(path_type=Path), help="The collector; build/otelcol-local or -kit by default."
)
def validate_(environments: tuple[str, ...], spec_dir: Path, binary: Path | None) -> None:
    """Run the real collector's own validation on each tier of an environment."""
    for spec in _specs(spec_dir, environments):
        chosen = binary or default_binary(spec)
        files = generate(spec)
        check_binary(chosen, spec.collector.version)
        with tempfile.TemporaryDirectory(prefix="otel-kit-") as scratch:
            write(Path(scratch), files)
            for name in sorted(n for n in files if n.startswith("config/")):
                validate(chosen, Path(scratch) / name, where=f"{spec.source}: {name}")
                output.echo(f"{spec.environment} {Path(name).stem}: valid for {chosen}")


def _specs(spec_dir: Path, environments: tuple[str, ...]) -> list[Spec]:
    return [load_spec(spec_dir, environment) for environment in environments]


def _default_folder(spec: Spec, spec_dir: Path) -> Path:
    if spec.kubernetes is None:
        return Path("build") / "collector" / spec.environment
    return spec_dir / "rendered" / spec.environment
