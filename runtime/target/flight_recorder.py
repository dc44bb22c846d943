"""The recorder: lines from the buffer to segments of the form that the rule says, to files, packets and telemetry."""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from runtime.codec.forms_encoder import FormsEncoder, LoadedForms
from runtime.errors import BadArgument, Corrupt, Incomplete
from runtime.process_memory import peak_memory_mib
from runtime.stream.image_description import ImageDescription
from runtime.stream.telemetry import SegmentTelemetry
from runtime.target.downlink import Send
from runtime.target.event_counters import EventCounters, restarts
from runtime.target.flight_config import FlightConfig
from runtime.target.flight_tables import AUTO
from runtime.target.form_rule import FormHistory, must_end, next_form
from runtime.target.kept_segments import KeptSegments
from runtime.target.line_buffer import LineBuffer
from runtime.target.line_frames import FoundLine, LineFrames
from runtime.target.package_update import PackageUpdates
from runtime.target.processor_share import ShareMeter
from runtime.target.stream_files import StreamFiles
from runtime.target.telecommands import Command, FormCommand, MaxErrorCommand, PackageCommand
from runtime.target.told_lines import Tell
from runtime.usable_cores import usable_cores


class FlightRecorder:
    """One thread calls `run`; commands come from others."""

    def __init__(
        self, config: FlightConfig, image: ImageDescription, loaded: LoadedForms, buffer: LineBuffer,
        frames: LineFrames, tell: Tell, send: Send,
    ) -> None:  # fmt: skip
        self.config, self.image = config, image
        self.updates = PackageUpdates(config.packages, image, loaded, config.coding.max_errors, tell)
        self.buffer, self.frames, self.tell = buffer, frames, tell
        self.names = [form.name for form in loaded.forms]
        self.events = EventCounters()
        self.files = StreamFiles(*config.recorded(), send)
        self.kept = KeptSegments(self.files, tell, self.events)
        self.encoder: FormsEncoder | None = None
        self.held: FoundLine | None = None  # Taken from the buffer before there was room for a stream
        self.history = FormHistory()
        self.meter, self.share = ShareMeter(usable_cores()), 0.0  # Of the processor, by the last segment
        self.lock = threading.Lock()
        self.form, self.max_error = config.coding.form, config.coding.max_errors[0]
        self.is_asked = True
        self.n_lines = self.n_lost = self.n_refused = self.n_not_recorded = self.n_segments = 0

    @property
    def loaded(self) -> LoadedForms:
        """What codes segments now."""
        return self.updates.loaded

    def run(self, between: Callable[[], None], stopping: threading.Event) -> None:
        """Record until the buffer ends; `between` is called between any two pieces of work.

        Raises Incomplete: it is stopping, and the disk or the quota takes no more.
        """
        while True:
            between()
            if self.kept.why_waiting and not self.kept.try_again(at_once=stopping.is_set()) and self.is_asked:
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
        if not self.kept.why_waiting:
            self.end_stream()
        while self.kept.why_waiting and not self.kept.try_again(at_once=stopping.is_set()) and not stopping.is_set():
            between()
            stopping.wait(0.1)
        if self.kept.why_waiting:
            n_lines = self.n_lines - self.kept.n_lines_written + len(self.buffer.lines) + (self.held is not None)
            why = self.kept.why_waiting
            self.kept.give_up()
            raise Incomplete(f"at least {n_lines} lines are lost: {why}")

    def take(self, found: FoundLine) -> None:
        """Code a line, or hold it until there is room for its stream."""
        self.held = None
        if not self.is_asked:
            self.n_not_recorded += 1
            self.end_stream()
            return
        for line in (found, found._replace(n_lost=0, has_begun_again=False)):
            try:
                self.code(line)
                return
            except Corrupt as error:
                self.lose_segment(error)

    def code(self, found: FoundLine) -> None:
        """Code a line in the open stream or a new one. Raises Corrupt: a segment and its backup were damaged."""
        if self.encoder is not None and (found.has_begun_again or self.is_full(self.encoder)):
            self.end_stream()
        encoder = self.encoder or self.begin_stream()
        if encoder is None:
            self.held = found
            return
        if found.has_begun_again:
            self.events.add("counter_restarts")
            self.tell({"counter": "has begun again"})
        if found.n_lost:
            self.n_lost += found.n_lost
            self.tell({"gap": found.n_lost, "line": encoder.n_lines})
            self.kept.keep(encoder.skip(found.n_lost))
        self.kept.keep(self.chosen(encoder))
        n_clipped = encoder.codes.n_clipped
        try:
            data = encoder.push(*found.recorded)
            self.n_lines += 1
            self.events.add("samples_clipped", encoder.codes.n_clipped - n_clipped)
        except BadArgument as error:  # a sample beyond the depth: the line is a gap
            self.n_refused += 1
            self.tell({"refused": str(error), "line": encoder.n_lines})
            data = encoder.skip(1)
        self.kept.keep(data)

    def is_full(self, encoder: FormsEncoder) -> bool:
        """Whether the stream ends before the next segment."""
        is_full = self.files.n_bytes >= self.config.output.rotate_bytes
        return encoder.is_between_segments and (is_full or self.updates.is_due(self.history.form))

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
        if not self.kept.begin():
            return None
        self.meter.take()
        self.encoder = self.updates.encoder(self.history.form, self.max_error, self.on_segment)
        self.kept.keep(self.encoder.header)
        return self.encoder

    def end_stream(self) -> None:
        """End the open stream, if there is one."""
        if self.encoder is None:
            return
        has_lines = self.encoder.n_segments > 0 or not self.encoder.is_between_segments
        if has_lines:
            try:
                self.kept.keep(self.encoder.finish())
            except Corrupt as error:
                self.lose_segment(error)
                return
        self.encoder = None
        self.kept.close(is_kept=has_lines)

    def lose_segment(self, error: Corrupt) -> None:
        """A segment and its backup were damaged: the lines go on in a new stream."""
        self.abandon_stream()
        self.events.add("segments_lost")
        self.tell({"segment_lost": str(error)})

    def abandon_stream(self) -> None:
        """Close the open file as it is, with its whole segments and without an end."""
        self.encoder = None
        self.kept.abandon()

    def on_segment(self, segment: SegmentTelemetry) -> None:
        """Note a segment until it is on the disk."""
        self.n_segments += 1
        self.share = self.meter.take()
        form = self.history.form if self.encoder is None else self.encoder.chosen[0]
        self.events.add_segment(segment, self.loaded.forms[form].options.predictor)
        self.kept.pieces.append({
            **segment.to_dict(), "form": self.names[form], "max_error": segment.header.coding.max_error,
            "fill": round(self.buffer.fill, 3), "processor_share": round(self.share, 3),
        })  # fmt: skip

    def status(self) -> dict[str, Any]:
        """How it stands."""
        open_file = self.files.recording
        path = None if open_file is None else open_file.path.name
        return {
            "time": round(time.time(), 3), "recording": self.is_asked, "why_waiting": self.kept.why_waiting,
            "file": path, "lines": self.n_lines, "segments": self.n_segments, "form": self.names[self.history.form],
            "form_asked": self.form, "max_error": self.max_error, "fill": round(self.buffer.fill, 3),
            "waiting_lines": len(self.buffer.lines),
            "largest_fill": round(self.buffer.largest / self.buffer.n_lines, 3),
            "processor_share": round(self.share, 3), "lost": self.n_lost, "repeated": self.frames.n_repeated,
            "dropped": self.buffer.n_dropped, "refused": self.n_refused,
            "not_recorded": self.n_not_recorded, "skipped_bytes": self.frames.n_skipped_bytes,
            "bytes": self.files.n_bytes, "peak_mib": None if (peak := peak_memory_mib()) is None else round(peak, 1),
            "events": {**self.events.counts, **restarts(self.loaded.encoders.values())},
            "package_update": self.updates.phase,
        }  # fmt: skip

    def do(self, name: str, command: Command) -> dict[str, Any]:
        """A command; it holds from the next segment on. Raises BadArgument."""
        added = self.updates.begin(command) if isinstance(command, PackageCommand) else {}
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
        return added
