"""Which commands there are, where each lives, and what becomes of their errors."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import click

from otel_kit.cli import missing_extra, output
from otel_kit.errors import OtelKitError

#: Command -> the module that holds it under the same name.
COMMANDS = {
    "apply": "otel_kit.cli.sync",
    "collector": "otel_kit.cli.collector",
    "dev": "otel_kit.cli.dev",
    "doctor": "otel_kit.cli.doctor",
    "plan": "otel_kit.cli.sync",
    "run": "otel_kit.cli.run",
}


class _Family(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Family, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="otel-kit", message="%(prog)s %(version)s")
def cli() -> None:
    """Render the collector's config, sync monitors and dashboards, and try it all locally."""


def run(args: Sequence[str]) -> int:
    """Run one command; the exit code."""
    try:
        code = cli.main(args=list(args), prog_name="otel-kit", standalone_mode=False)
    except OtelKitError as error:
        output.error(str(error))
        return 1
    except click.exceptions.NoArgsIsHelpError as error:
        output.progress(error.format_message())
        return 1
    except click.UsageError as error:
        hint = f" (see '{error.ctx.command_path} --help')" if error.ctx else ""
        output.error(f"{error.format_message()}{hint}")
        return 1
    except click.ClickException as error:
        output.error(error.format_message())
        return 1
    except click.Abort:
        output.error("stopped")
        return 1
    except ModuleNotFoundError as error:
        output.error(missing_extra(error, args))
        return 1
    except BrokenPipeError:  # the reader has seen enough
        return 1
    except OSError as error:  # a full disk, a closed terminal: nothing that a command could foresee
        output.error(str(error))
        return 1
    return code if isinstance(code, int) else 0
