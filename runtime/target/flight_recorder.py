"""The recorder: lines from the buffer to segments of the form that the rule says, to files, packets and telemetry."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from runtime.codec.forms_encoder import FormsEncoder, LoadedForms
from runtime.errors import BadArgument
from runtime.stream.image_description import ImageDescription
from runtime.stream.telemetry import SegmentTelemetry
from runtime.target.downlink import Send
from runtime.target.flight_config import AUTO, FlightConfig
from runtime.target.form_rule import FormHistory, must_end, next_form
from runtime.target.line_buffer import LineBuffer
from runtime.target.line_frames import FoundLine, LineFrames
from runtime.target.stream_files import StreamFiles
from runtime.target.telecommands import Command, FormCommand, MaxErrorCommand

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
        self.files = StreamFiles(config.output, config.packets, send)
        self.encoder: FormsEncoder | None = None
        self.pieces: list[dict[str, Any]] = []  # Telemetry of segments that are not on the disk yet
        self.history = FormHistory()
        self.lock = threading.Lock()
        self.form, self.max_error = config.coding.form, config.coding.max_errors[0]
        self.is_asked, self.why_stopped = True, ""
        self.n_lines = self.n_lost = self.n_refused = self.n_not_recorded = self.n_segments = 0

    def run(self, between: Callable[[], None]) -> None:
        """Record until the buffer ends; `between` is called between any two pieces of work."""
        while True:
            between()
            found = self.buffer.take(0.1)
            if found is not None:
                self.guarded(lambda found=found: self.take(found))  # type: ignore[misc]
            elif self.buffer.has_ended and not self.buffer.lines:
                break
            elif not self.is_asked:
                self.guarded(self.end_stream)
        self.guarded(self.end_stream)

    def guarded(self, work: Callable[[], None]) -> None:
        """Where the disk or the quota refuses, stop recording and say so; a command starts it again."""
        try:
            work()
        except BadArgument as error:
            self.close_files(is_whole=False)
            self.encoder, self.is_asked, self.why_stopped = None, False, str(error)
            self.pieces.clear()
            self.tell({"stopped": str(error)})

    def take(self, found: FoundLine) -> None:
        """Code a line. Raises BadArgument: the disk, the quota."""
        if not self.is_asked:
            self.n_not_recorded += 1
            self.end_stream()
            return
        if self.encoder is not None and (found.has_begun_again or self.is_full(self.encoder)):
            self.end_stream()
        if found.has_begun_again:
            self.tell({"counter": "has begun again"})
        encoder = self.encoder or self.begin_stream()
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
            self.history = next_form(rule, self.history, fill, n_forms)
        else:
            self.history = FormHistory(self.names.index(form))
        return encoder.use(self.history.form, max_error)

    def begin_stream(self) -> FormsEncoder:
        """Open a file and its encoder."""
        path = self.files.begin()
        self.encoder = FormsEncoder(self.image, self.loaded, self.history.form, self.max_error, self.on_segment)
        self.files.append(self.encoder.header)
        self.tell({"file": path.name})
        return self.encoder

    def end_stream(self) -> None:
        """End the open stream, if there is one."""
        if self.encoder is None:
            return
        has_lines = self.encoder.n_segments > 0 or not self.encoder.is_between_segments
        if has_lines:
            self.keep(self.encoder.finish())
        self.close_files(is_whole=True, is_kept=has_lines)
        self.encoder = None

    def close_files(self, *, is_whole: bool, is_kept: bool = True) -> None:
        """Close the open stream and its packets, which do not change any more, and say so."""
        recording = self.files.recording
        self.files.close(is_kept=is_kept)
        if recording is not None and recording.n_bytes and is_kept:
            self.tell({"file_ended": recording.path.name, "bytes": recording.n_bytes, "whole": is_whole})

    def keep(self, data: bytes) -> None:
        """Put what is complete on the disk, then tell of it."""
        if data:
            self.files.append(data)
        for piece in self.pieces:
            self.tell({**piece, "bytes": self.files.n_bytes})
        self.pieces.clear()

    def on_segment(self, segment: SegmentTelemetry) -> None:
        """Note a segment until it is on the disk."""
        self.n_segments += 1
        form = self.history.form if self.encoder is None else self.encoder.chosen[0]
        self.pieces.append({
            **segment.to_dict(), "form": self.names[form], "max_error": segment.header.coding.max_error,
            "fill": round(self.buffer.fill, 3),
        })  # fmt: skip

    def status(self) -> dict[str, Any]:
        """How it stands."""
        open_file = self.files.recording
        path = None if open_file is None else open_file.path.name
        return {
            "time": round(time.time(), 3), "recording": self.is_asked, "why_stopped": self.why_stopped, "file": path,
            "lines": self.n_lines, "segments": self.n_segments, "form": self.names[self.history.form],
            "form_asked": self.form, "max_error": self.max_error, "fill": round(self.buffer.fill, 3),
            "largest_fill": round(self.buffer.largest / self.buffer.n_lines, 3), "lost": self.n_lost,
            "repeated": self.frames.n_repeated, "dropped": self.buffer.n_dropped, "refused": self.n_refused,
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
                self.is_asked, self.why_stopped = name == "start", "" if name == "start" else "by command"
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
