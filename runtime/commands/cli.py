"""The command `linerwkv`: a verb parses, calls one function of the library, prints."""

import contextlib
import gc
import importlib.metadata
import logging
import os
import signal
import sys
import textwrap
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import click

from runtime.command_options import (
    DEBUG,
    EXIT_BAD_INPUT,
    EXIT_CHECK_FAILED,
    EXIT_DONE,
    EXIT_INTERRUPTED,
    debug_option,
)
from runtime.commands.examples import epilog
from runtime.errors import Incomplete, LineRwkvError, Notice, one_line
from runtime.standard_streams import PrintedText, prepare_standard_streams

COMMAND_GROUP = "linerwkv.commands"
STOPPING = (signal.SIGTERM, signal.SIGHUP)
LONGEST_REASON = 400  # characters of a library's error
HELP_OF_OTHERS = {  # so that --help need not import torch
    "archive": "Verify, decode, transcode, index many streams.",
    "ccsds123": "Encode, decode and inspect CCSDS 123.0-B-2 images.",
    "evaluate": "Bits per sample of a checkpoint on scenes.",
    "export": "Write the flight package of a checkpoint.",
    "finetune": "Adapt an INT8 package to the scenes of a mission.",
    "hil": "Accept the runtime on a target: steps, limits, report.",
    "operators": "What of a package runs on which accelerator.",
    "paper": "Train and measure the experiment of the paper.",
    "pack-scenes": "Pack training scenes for a machine without network.",
    "quicklook": "Write a picture of a stream.",
    "quantize": "Turn a flight checkpoint into INT8 integers.",
    "record": "Record lines by a configuration, as a service.",
    "simulate": "Make raw scenes of a sensor from scenes of others.",
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
        return sorted({*own_verbs(), *self.installed()})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """A verb by name; where its package needs more than the base install, an error that says what."""
        command = super().get_command(ctx, name) or own_verbs().get(name)
        if command is None and name in (installed := self.installed()):
            try:
                command = installed[name].load()
            except ModuleNotFoundError as error:
                return missing_extra(name, str(error.name))
        end_loading()
        if command is not None:
            command.epilog = epilog(name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing torch for their help lines."""
        own = own_verbs()
        rows = []
        for name in self.list_commands(ctx):
            rows.append((name, own[name].get_short_help_str(60) if name in own else HELP_OF_OTHERS.get(name, "")))
        with formatter.section("Verbs"):
            formatter.write_dl(rows)


def own_verbs() -> dict[str, click.Command]:
    """Those of the runtime, imported only here: an error of a library's import is then one line as any other."""
    from runtime.commands.package_commands import demo, package, verify
    from runtime.commands.packet_commands import packets
    from runtime.commands.prepare_command import prepare
    from runtime.commands.stream_commands import compress, decompress, info

    return {verb.name or "": verb for verb in (compress, decompress, demo, info, package, packets, prepare, verify)}


def end_loading() -> None:
    """From now on memory is searched for garbage, but not what modules made: that stays (see `main`)."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def missing_extra(name: str, module: str) -> click.Command:
    """A verb that only says which install it needs."""

    @click.command(name, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
    def missing() -> None:
        raise LineRwkvError(f"verb {name} needs {module}: install linerwkv[train]")

    return missing


@click.group(cls=Verbs, epilog=epilog(""), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="linerwkv")
@debug_option
def cli() -> None:
    """Onboard compression of hyperspectral images with LineRWKV.

    \b
    Shell completion: eval "$(_LINERWKV_COMPLETE=bash_source linerwkv)"
    Exit codes: 0 done, 1 a check failed or data are missing, 2 bad input, 128 + N stopped by signal N.
    """  # noqa: D301  # click's mark for a block that it must not rewrap is a real \\b


def show_warning(warning: Warning | str, *_: Any) -> None:
    """Print a Notice as our line."""
    click.echo(f"linerwkv: {' '.join(str(warning).split())}", err=True)


def stop(number: int, _: object) -> None:
    """End the program by a signal as by any error, so that nothing unfinished stays; further signals are too late."""
    for other in STOPPING:
        signal.signal(other, signal.SIG_IGN)
    with contextlib.suppress(OSError):  # not by click: the signal may have come while it prints
        os.write(2, f"linerwkv: stopped by {signal.Signals(number).name}\n".encode())
    sys.exit(128 + number)


def guarded(command: Callable[[], click.Command]) -> None:
    """Run a command and end the program; whatever goes wrong is one line on standard error (docs/exit_codes.md).

    command: gives it, and may import it: what goes wrong there is such a line as well.
    """
    for number in STOPPING:
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP
            signal.signal(number, stop)
    prepare_standard_streams()
    logging.getLogger().addHandler(logging.NullHandler())  # else Python prints what libraries log
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        warnings.simplefilter("always", Notice)
        warnings.showwarning = show_warning  # type: ignore[assignment]
        code = exit_code(command)
    if sys.stdout is not None:
        sys.stdout.flush()
    if code == EXIT_DONE and isinstance(sys.stdout, PrintedText) and (lost := sys.stdout.lost):
        code = EXIT_BAD_INPUT if sys.stdout.is_result else code
        if not isinstance(lost, BrokenPipeError):
            click.echo(f"linerwkv: standard output cannot be written: {lost.strerror}", err=True)
    sys.exit(code)


def exit_code(command: Callable[[], click.Command]) -> int:
    """Run a command; its exit code."""
    try:
        stopped: Any = command()(standalone_mode=False)  # a number only where `ctx.exit` ended it
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else EXIT_CHECK_FAILED if ended.code else EXIT_DONE
    except LineRwkvError as error:
        show_traceback()
        click.echo(f"linerwkv: {one_line(error)}", err=True)
        return EXIT_CHECK_FAILED if isinstance(error, Incomplete) else EXIT_BAD_INPUT
    except click.ClickException as error:
        error.show()
        return EXIT_BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        click.echo("linerwkv: interrupted", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return EXIT_BAD_INPUT
    except Exception as error:  # the last net: whatever a library raises
        show_traceback()
        click.echo(f"linerwkv: {unexpected(error)}", err=True)
        return EXIT_BAD_INPUT
    return stopped if isinstance(stopped, int) else EXIT_DONE


def show_traceback() -> None:
    """With --debug, show where an error comes from."""
    if DEBUG in sys.argv:
        traceback.print_exc()


def unexpected(error: Exception) -> str:
    """One line of an error that no one foresaw: the command, which names its files, and what a library said of it."""
    words = " ".join(" ".join(sys.argv[1:]).split())
    said = textwrap.shorten(f"{type(error).__name__}: {one_line(error)}", LONGEST_REASON, placeholder=" ...")
    return f"{words}: {said} ({DEBUG} shows where)"


def main() -> None:
    """Entry point."""
    gc.disable()  # until the verb is loaded: searches while modules are made take a tenth of a start
    guarded(lambda: cli)


if __name__ == "__main__":
    main()
