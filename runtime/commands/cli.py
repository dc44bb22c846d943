"""The command `linerwkv`: a verb parses, calls one function of the library, prints."""

import contextlib
import importlib.metadata
import os
import signal
import sys

import click

from runtime.command_options import EXIT_BAD_INPUT, EXIT_CHECK_FAILED
from runtime.commands.package_commands import demo, verify
from runtime.commands.stream_commands import compress, decompress, info
from runtime.errors import Incomplete, LineRwkvError

COMMAND_GROUP = "linerwkv.commands"
STOPPING = (signal.SIGTERM, signal.SIGHUP)
HELP_OF_OTHERS = {  # so that --help need not import torch
    "ccsds123": "Encode, decode and inspect CCSDS 123.0-B-2 images.",
    "evaluate": "Bits per sample of a checkpoint on scenes.",
    "export": "Write the flight package of a checkpoint.",
    "finetune": "Adapt an INT8 package to the scenes of a mission.",
    "hil": "Accept the runtime on a target: steps, limits, report.",
    "pack-scenes": "Pack training scenes for a machine without network.",
    "quantize": "Turn a flight checkpoint into INT8 integers.",
    "train": "Train a network from a TOML file.",
    "train-flight": "Scenes to an INT8 package by two TOML files.",
}


class Verbs(click.Group):
    """The verbs of the runtime, and those of other packages, which are imported only when called."""

    def installed(self) -> dict[str, importlib.metadata.EntryPoint]:
        """Verbs that entry points name."""
        return {point.name: point for point in importlib.metadata.entry_points(group=COMMAND_GROUP)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs in alphabetical order."""
        return sorted({*super().list_commands(ctx), *self.installed()})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """A verb by name; where its package needs more than the base install, an error that says what."""
        command = super().get_command(ctx, name)
        if command is None and name in (installed := self.installed()):
            try:
                command = installed[name].load()
            except ModuleNotFoundError as error:
                return missing_extra(name, str(error.name))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing torch for their help lines."""
        rows = []
        for name in self.list_commands(ctx):
            command = super().get_command(ctx, name)
            rows.append((name, command.get_short_help_str(60) if command else HELP_OF_OTHERS.get(name, "")))
        with formatter.section("Verbs"):
            formatter.write_dl(rows)


def missing_extra(name: str, module: str) -> click.Command:
    """A verb that only says which install it needs."""

    @click.command(name, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
    def missing() -> None:
        raise LineRwkvError(f"verb {name} needs {module}: install linerwkv[train]")

    return missing


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="linerwkv")
def cli() -> None:
    """Onboard compression of hyperspectral images with LineRWKV.

    \b
    Shell completion: eval "$(_LINERWKV_COMPLETE=bash_source linerwkv)"
    Exit codes: 0 done, 1 a check failed or a part is missing, 2 bad input.
    """  # noqa: D301  # click's mark for a block that it must not rewrap is a real \\b


for verb in (compress, decompress, info, verify, demo):
    cli.add_command(verb)


def stop(number: int, _: object) -> None:
    """End the program by a signal as by any error, so that nothing unfinished stays; further signals are too late."""
    for other in STOPPING:
        signal.signal(other, signal.SIG_IGN)
    with contextlib.suppress(OSError):  # not by click: the signal may have come while it prints
        os.write(2, f"linerwkv: stopped by {signal.Signals(number).name}\n".encode())
    sys.exit(128 + number)


def guarded(command: click.Command) -> None:
    """Run a command; an error of ours becomes one line on standard error and exit code 2."""
    for number in STOPPING:
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP
            signal.signal(number, stop)
    try:
        command(standalone_mode=False)
    except LineRwkvError as error:
        click.echo(f"linerwkv: {error}", err=True)
        sys.exit(EXIT_CHECK_FAILED if isinstance(error, Incomplete) else EXIT_BAD_INPUT)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        click.echo("linerwkv: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_BAD_INPUT)


def main() -> None:
    """Entry point."""
    guarded(cli)


if __name__ == "__main__":
    main()
