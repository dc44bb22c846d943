"""The verb `linerwkv record`: a recorder by a configuration, as a service."""

import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import click

from runtime.codec.forms_encoder import loaded_forms
from runtime.command_options import debug_option
from runtime.errors import BadArgument, Incomplete, one_line
from runtime.target.downlink import opened_downlink
from runtime.target.flight_config import FlightConfig, read_config
from runtime.target.flight_recorder import FlightRecorder, told_lines
from runtime.target.line_buffer import LineBuffer
from runtime.target.line_frames import LineFrames
from runtime.target.line_sources import Source, opened_source
from runtime.target.service_notice import READY, STOPPING, Watchdog, notify
from runtime.target.telecommands import listening
from runtime.whole_output import replacing


@click.command("record")
@debug_option
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Only read the configuration.")
def record(config: Path, check: bool) -> None:
    """Record lines as CONFIG.toml says, until the source ends or the program is told to stop (docs/recorder.md)."""
    found = read_config(config)
    if check:
        click.echo(f"{config}: {len(found.forms)} forms, {found.buffer_lines} lines wait at most")
        return
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    run(found, stopping)


def run(config: FlightConfig, stopping: threading.Event) -> None:
    """Record until the source ends or `stopping` is set; lines that came are coded then. Raises LineRwkvError."""
    image = config.lines.image()
    with contextlib.ExitStack() as stack:
        loaded = stack.enter_context(loaded_forms(image, config.made_forms(), config.coding.max_errors))
        write: Callable[[str], object] = sys.stdout.write
        if config.telemetry.file is not None:
            try:
                write = stack.enter_context(config.telemetry.file.open("a", buffering=1)).write
            except OSError as error:
                raise BadArgument(f"telemetry {config.telemetry.file}: {error.strerror}") from error
        buffer, frames = LineBuffer(config.buffer_lines), LineFrames(config.lines)
        send = stack.enter_context(opened_downlink(config.downlink))
        recorder = FlightRecorder(config, image, loaded, buffer, frames, told_lines(write), send)
        if config.commands is not None:  # before the source: who sees that it is connected may command
            stack.enter_context(listening(config.commands.socket, recorder.do))
        source = stack.enter_context(opened_source(config.source, stopping))
        failed: list[Exception] = []
        reading = threading.Thread(target=read, args=(source, config, frames, buffer, stopping, failed), daemon=True)
        reading.start()
        notify(READY)
        recorder.tell({"ready": source.address})
        recorder.run(Between(config, recorder, stopping))
        notify(STOPPING)
        write_status(config, recorder)
        recorder.tell({"ended": recorder.status()})
        if failed:
            raise Incomplete(f"source {source.address}: {one_line(failed[0])}; the lines before it are kept")


def read(
    source: Source, config: FlightConfig, frames: LineFrames, buffer: LineBuffer, stopping: threading.Event,
    failed: list[Exception],
) -> None:  # fmt: skip
    """The thread that fills the buffer."""
    period = 1 / rate if (rate := config.source.lines_per_second) else 0.0
    due = time.monotonic()
    try:
        for found in frames.lines(source.take):
            if period:
                due += period
                stopping.wait(max(0.0, due - time.monotonic()))
            buffer.put(found, can_wait=source.can_wait)
    except Exception as error:  # the lines before it are recorded, whatever it is
        failed.append(error)
    finally:
        buffer.end()


class Between:
    """What is done between two lines: watchdog, status."""

    def __init__(self, config: FlightConfig, recorder: FlightRecorder, stopping: threading.Event) -> None:
        self.config, self.recorder, self.stopping = config, recorder, stopping
        self.watchdog, self.told_at, self.is_stopping = Watchdog(), float("-inf"), False

    def __call__(self) -> None:
        """Called often."""
        self.watchdog.beat()
        if self.stopping.is_set() and not self.is_stopping:
            self.is_stopping = True
            notify(STOPPING)
        if time.monotonic() - self.told_at >= self.config.telemetry.seconds:
            self.told_at = time.monotonic()
            write_status(self.config, self.recorder)


def write_status(config: FlightConfig, recorder: FlightRecorder) -> None:
    """Replace the status file; where that fails the lines go on."""
    if config.telemetry.status is not None:
        with contextlib.suppress(BadArgument), replacing(config.telemetry.status) as part:
            part.write_text(json.dumps(recorder.status()) + "\n")
