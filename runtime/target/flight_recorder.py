"""The recorder: lines from the buffer to segments of the form that the rule says, to files, packets and telemetry."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from runtime.codec.forms_encoder import FormsEncoder, LoadedForms
from runtime.errors import BadArgument, Incomplete
from runtime.stream.image_description import ImageDescription
from runtime.stream.telemetry import SegmentTelemetry
from runtime.target.downlink import Send
from runtime.target.flight_config import AUTO, FlightConfig
from runtime.target.form_rule import FormHistory, must_end, next_form
from runtime.target.line_buffer import LineBuffer
from runtime.target.line_frames import FoundLine, LineFrames
from runtime.target.processor_share import ShareMeter
from runtime.target.stream_files import StreamFiles
from runtime.target.telecommands import Command, FormCommand, MaxErrorCommand
from runtime.usable_cores import usable_cores

RETRY_S = 1.0
"""From one try to write what the disk or the quota refused to the next."""
Tell = Callable[[dict[str, Any]], None]
"""Writes one object of telemetry."""


class FlightRecorder:
    """One thread calls `run`; commands come from others."""

    def __init__(
        self, config: FlightConfig, image: ImageDescription, loaded: LoadedForms, buffer: LineBuffer,
        frames: LineFrames, tell: Tell, send: Send,
    ) -> None:  # fmt: skip
        self.config, self.image, self.loaded = config, image, loaded
        self.buffer, self.frames, self.tell = buffer, frames, tell
        self.names = [form.name for form in loaded.forms]
        self.files = StreamFiles(*config.recorded(), send)
        self.encoder: FormsEncoder | None = None
        self.pieces: list[dict[str, Any]] = []  # Telemetry of segments that are not on the disk yet
        self.history = FormHistory()
        self.meter, self.share = ShareMeter(usable_cores()), 0.0  # Of the processor, by the last segment
        self.lock = threading.Lock()
        self.form, self.max_error = config.coding.form, config.coding.max_errors[0]
        self.is_asked = True
        self.held: FoundLine | None = None  # Taken from the buffer before there was room for a stream
        self.why_waiting, self.tried_at = "", 0.0  # What the disk or the quota said last, and when
        self.n_lines = self.n_lost = self.n_refused = self.n_not_recorded = self.n_segments = self.n_written = 0

    def run(self, between: Callable[[], None], stopping: threading.Event) -> None:
        """Record until the buffer ends; `between` is called between any two pieces of work.

        Raises Incomplete: it is stopping, and the disk or the quota takes no more.
        """
        while True:
            between()
            if self.why_waiting and not self.try_again() and self.is_asked:
                if stopping.is_set():
                    break
                stopping.wait(0.1)
                continue
            found = self.held or self.buffer.take(0.1)
            if found is not None:
                self.take(found)
            elif self.buffer.has_ended and not self.buffer.lines:
                break
            elif not self.is_asked:
                self.end_stream()
        self.end_stream()
        while self.why_waiting and not stopping.is_set():
            between()
            stopping.wait(0.1)
            self.try_again()
        if self.why_waiting:
            n_lines = self.n_lines - self.n_written + len(self.buffer.lines) + (self.held is not None)
            raise Incomplete(f"{n_lines} lines are lost: {self.why_waiting}")

    def take(self, found: FoundLine) -> None:
        """Code a line, or hold it until there is room for its stream."""
        self.held = None
        if not self.is_asked:
            self.n_not_recorded += 1
            self.end_stream()
            return
        if self.encoder is not None and (found.has_begun_again or self.is_full(self.encoder)):
            self.end_stream()
        encoder = self.encoder or self.begin_stream()
        if encoder is None:
            self.held = found
            return
        if found.has_begun_again:
            self.tell({"counter": "has begun again"})
        data = b""
        if found.n_lost:
            self.n_lost += found.n_lost
            self.tell({"gap": found.n_lost, "line": encoder.n_lines})
            data += encoder.skip(found.n_lost)
        data += self.chosen(encoder)
        try:
            data += encoder.push(*found.recorded)
            self.n_lines += 1
        except BadArgument as error:  # a sample beyond the depth: the line is a gap
            self.n_refused += 1
            self.tell({"refused": str(error), "line": encoder.n_lines})
            data += encoder.skip(1)
        self.keep(data)

    def is_full(self, encoder: FormsEncoder) -> bool:
        """Whether the stream ends before the next segment."""
        return encoder.is_between_segments and self.files.n_bytes >= self.config.output.rotate_bytes

    def chosen(self, encoder: FormsEncoder) -> bytes:
        """Choose how the line that comes is coded; what is complete now."""
        rule, n_forms, fill = self.config.rule, len(self.names), self.buffer.fill
        with self.lock:
            form, max_error = self.form, self.max_error
        is_free = form == AUTO
        if not (encoder.is_between_segments or (is_free and must_end(rule, self.history, fill, n_forms))):
            return b""
        if is_free:
            self.history = next_form(rule, self.history, fill, n_forms, self.share)
        else:
            self.history = FormHistory(self.names.index(form))
        return encoder.use(self.history.form, max_error)

    def begin_stream(self) -> FormsEncoder | None:
        """Open a file and its encoder; None: the disk or the quota takes none now."""
        if self.files.waiting:
            return None
        try:
            path = self.files.begin()
        except BadArgument as error:
            self.wait_for_room(error)
            return None
        self.meter.take()
        self.encoder = FormsEncoder(self.image, self.loaded, self.history.form, self.max_error, self.on_segment)
        self.tell({"file": path.name})
        self.keep(self.encoder.header)
        return self.encoder

    def end_stream(self) -> None:
        """End the open stream, if there is one."""
        if self.encoder is None:
            return
        has_lines = self.encoder.n_segments > 0 or not self.encoder.is_between_segments
        if has_lines:
            self.keep(self.encoder.finish())
        self.files.close(is_kept=has_lines)
        self.encoder = None
        self.tell_ended()

    def tell_ended(self) -> None:
        """Say which streams and packets do not change any more."""
        while self.files.ended:
            recording = self.files.ended.pop(0)
            self.tell({"file_ended": recording.path.name, "bytes": recording.n_bytes})

    def keep(self, data: bytes) -> None:
        """Put what is complete on the disk, then tell of it; where the disk refuses, it waits."""
        if data:
            self.files.append(data)
        self.write()

    def write(self) -> bool:
        """Whether all that is complete is on the disk and told of now."""
        try:
            self.files.flush()
        except BadArgument as error:
            self.wait_for_room(error)
            return False
        if self.why_waiting:
            self.why_waiting = ""
            self.tell({"resumed": self.n_lines})
        for piece in self.pieces:
            self.n_written += piece["lines"]
            self.tell({**piece, "bytes": self.files.n_bytes})
        self.pieces.clear()
        self.tell_ended()
        return True

    def wait_for_room(self, error: BadArgument) -> None:
        """Nothing is coded until the disk and the quota take what is there: lines stay in the buffer."""
        if not self.why_waiting:
            self.tell({"waiting": str(error)})
        self.why_waiting, self.tried_at = str(error), time.monotonic()

    def try_again(self) -> bool:
        """Whether there is room now; looked at once in RETRY_S."""
        return time.monotonic() - self.tried_at >= RETRY_S and self.write()

    def on_segment(self, segment: SegmentTelemetry) -> None:
        """Note a segment until it is on the disk."""
        self.n_segments += 1
        self.share = self.meter.take()
        form = self.history.form if self.encoder is None else self.encoder.chosen[0]
        self.pieces.append({
            **segment.to_dict(), "form": self.names[form], "max_error": segment.header.coding.max_error,
            "fill": round(self.buffer.fill, 3), "processor_share": round(self.share, 3),
        })  # fmt: skip

    def status(self) -> dict[str, Any]:
        """How it stands."""
        open_file = self.files.recording
        path = None if open_file is None else open_file.path.name
        return {
            "time": round(time.time(), 3), "recording": self.is_asked, "why_waiting": self.why_waiting, "file": path,
            "lines": self.n_lines, "segments": self.n_segments, "form": self.names[self.history.form],
            "form_asked": self.form, "max_error": self.max_error, "fill": round(self.buffer.fill, 3),
            "waiting_lines": len(self.buffer.lines),
            "largest_fill": round(self.buffer.largest / self.buffer.n_lines, 3),
            "processor_share": round(self.share, 3), "lost": self.n_lost, "repeated": self.frames.n_repeated,
            "dropped": self.buffer.n_dropped, "refused": self.n_refused,
            "not_recorded": self.n_not_recorded, "skipped_bytes": self.frames.n_skipped_bytes,
        }  # fmt: skip

    def do(self, name: str, command: Command) -> dict[str, Any]:
        """A command; it holds from the next segment on. Raises BadArgument."""
        with self.lock:
            if isinstance(command, FormCommand):
                if command.form not in (AUTO, *self.names):
                    allowed = ", ".join((AUTO, *self.names))
                    raise BadArgument(f"command form: key form: found {command.form[:60]!r}, allowed {allowed}")
                self.form = command.form
            elif isinstance(command, MaxErrorCommand):
                if command.max_error not in (allowed_errors := self.config.coding.max_errors):
                    allowed = ", ".join(map(str, allowed_errors))
                    raise BadArgument(f"command max_error: found {command.max_error}, allowed {allowed}")
                self.max_error = command.max_error
            elif name in ("start", "stop"):
                self.is_asked = name == "start"
        told = {"command": name, **{key: value for key, value in asdict(command).items() if value is not None}}
        if name == "status":
            return self.status()
        self.tell(told)
        return {}


def told_lines(write: Callable[[str], object]) -> Tell:
    """Telemetry as JSON lines; what cannot be written any more costs no line of the imager."""
    lock = threading.Lock()

    def tell(values: dict[str, Any]) -> None:
        with lock:
            try:
                write(json.dumps({"time": round(time.time(), 3), **values}) + "\n")
            except OSError:
                return

    return tell
