"""The verb `linerwkv record`: a recorder by a configuration, as a service."""

import contextlib
import json
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import click

from runtime.command_options import debug_option
from runtime.errors import BadArgument, Incomplete, one_line
from runtime.target.downlink import opened_downlink
from runtime.target.flight_config import FlightConfig, read_config
from runtime.target.flight_recorder import FlightRecorder
from runtime.target.housekeeping import opened_housekeeping
from runtime.target.later_compression import compress_later
from runtime.target.line_buffer import LineBuffer
from runtime.target.line_frames import LineFrames
from runtime.target.line_sources import Source, opened_source
from runtime.target.memory_control import control_memory
from runtime.target.package_boot import Notes, booted_forms
from runtime.target.service_notice import READY, STOPPING, Watchdog, notify
from runtime.target.telecommands import listening
from runtime.target.told_lines import opened_telemetry
from runtime.whole_output import replacing


@click.command("record")
@debug_option
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Only read the configuration.")
@click.option("--compress-later", "later", is_flag=True, help="Compress what was recorded, as its table `later` says.")
def record(config: Path, check: bool, later: bool) -> None:
    """Record lines as CONFIG.toml says, until the source ends or the program is told to stop (docs/recorder.md)."""
    found = read_config(config)
    if check:
        click.echo(f"{config}: {len(found.forms)} forms, {found.buffer_lines} lines wait at most")
        return
    if later:
        with opened_telemetry(found.telemetry.file) as tell:
            compress_later(found, tell)
        return
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    run(found, stopping)


def run(config: FlightConfig, stopping: threading.Event) -> None:
    """Record until the source ends or `stopping` is set; lines that came are coded then. Raises LineRwkvError."""
    image = config.lines.image()
    with contextlib.ExitStack() as stack:
        forms, errors, notes = config.made_forms(), config.coding.max_errors, Notes()
        loaded = stack.enter_context(
            booted_forms(config.packages, image, forms, errors, notes, config.coding.n_threads)
        )
        tell = stack.enter_context(opened_telemetry(config.telemetry.file))
        buffer, frames = LineBuffer(config.buffer_lines), LineFrames(config.lines)
        send = stack.enter_context(opened_downlink(config.downlink))
        recorder = FlightRecorder(config, image, loaded, buffer, frames, tell, send)
        stack.callback(recorder.updates.close)
        for note in notes:
            recorder.tell(note)
        housekeeping = opened_housekeeping(config.housekeeping, recorder.status, recorder.names, send)
        make_due, make_packet = stack.enter_context(housekeeping)
        control_memory(config.memory)
        if config.commands is not None:  # before the source: who sees that it is connected may command
            stack.enter_context(listening(config.commands.socket, recorder.do))
        source = stack.enter_context(opened_source(config.source, stopping))
        failed: list[Exception] = []
        reading = threading.Thread(target=read, args=(source, config, frames, buffer, stopping, failed), daemon=True)
        try:
            reading.start()
        except RuntimeError as error:
            raise BadArgument(f"memory.limit_mib: {error}, allowed room for threads") from None
        notify(READY)
        recorder.tell({"ready": source.address})
        try:
            recorder.run(Between(config, recorder, stopping, make_due), stopping)
        except MemoryError:
            recorder.abandon_stream()
            found = f"out of memory at line {recorder.n_lines} (memory.limit_mib: {config.memory.limit_mib or 'none'})"
            raise BadArgument(f"{found}; the segments that were whole before it are kept") from None
        finally:
            notify(STOPPING)
            write_status(config, recorder)
            make_packet()
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
    """What is done between two lines: watchdog, status, housekeeping."""

    def __init__(
        self, config: FlightConfig, recorder: FlightRecorder, stopping: threading.Event, make_due: Callable[[], None]
    ) -> None:
        self.config, self.recorder, self.stopping, self.make_due = config, recorder, stopping, make_due
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
        self.make_due()


def write_status(config: FlightConfig, recorder: FlightRecorder) -> None:
    """Replace the status file; where that fails the lines go on."""
    if config.telemetry.status is not None:
        with contextlib.suppress(BadArgument), replacing(config.telemetry.status) as part:
            part.write_text(json.dumps(recorder.status()) + "\n")
