"""A recorder that is given lines one by one, signed packages to send to it, and the streams that it leaves."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.cell.flight_package import SHIPPED, FlightPackage, open_package
from runtime.cell.signing import sign_package, write_keys
from runtime.codec.decoder import Decoder
from runtime.codec.salvage import salvage
from runtime.images.line_frame import RecordedLine
from runtime.images.raw_lines import describe_pipe
from runtime.target.flight_recorder import FlightRecorder
from runtime.target.line_buffer import LineBuffer
from runtime.target.line_frames import FoundLine, LineFrames
from runtime.target.package_boot import Notes, booted_forms
from runtime.target.package_slots import PackageSlots, SlotState
from runtime.target.telecommands import PackageCommand
from tests.runtime.cell.package_parts import manifest_of, random_parts, sealed, shipped_parts
from tests.runtime.target.recorded_frames import config_of

N_BANDS, N_COLUMNS, SEGMENT_LINES = 5, 7, 3
NET, RLS = "my net", "rls"
STEPS = np.random.default_rng(3).integers(-9, 10, (60, N_BANDS, N_COLUMNS)).cumsum(0)
LINES = (STEPS + 1000 + 40 * np.arange(N_BANDS)[:, None]).astype(np.uint16)


@dataclass(frozen=True)
class Ground:
    """Who signs packages."""

    folder: Path

    @classmethod
    def made(cls, folder: Path) -> "Ground":
        """With a key of its own."""
        folder.mkdir()
        write_keys(folder / "ops", "operations")
        return cls(folder)

    @property
    def trust(self) -> Path:
        return self.folder / "ops.toml"

    def package(self, name: str, parts: dict[str, bytes], key: str | None = "ops") -> FlightPackage:
        """A package of these files under a name, so that it is another one; key None: nobody signs it."""
        folder = self.folder / name
        folder.mkdir()
        for file, data in sealed(parts, {**manifest_of(parts), "name": name}).items():
            (folder / file).write_bytes(data)
        if key is not None:
            sign_package(folder, self.folder / f"{key}.key")
        return open_package(folder)

    def good(self, name: str = "good") -> FlightPackage:
        """The network that is shipped."""
        return self.package(name, shipped_parts())

    def bad(self, name: str = "bad") -> FlightPackage:
        """A network of random weights."""
        return self.package(name, random_parts())


def text_of(folder: Path, trust: Path, package: object, options: str = 'stage = "none"', more: str = "") -> str:
    """A configuration: a form with a network, and one without."""
    return f"""
[source]
kind = "file"
[lines]
bands = {N_BANDS}
columns = {N_COLUMNS}
bit_depth = 12
[coding]
segment_lines = {SEGMENT_LINES}
max_errors = [0, 2]
form = "{NET}"
[output]
folder = "{folder / "out"}"
[packages]
folder = "{folder / "slots"}"
trust = "{trust}"
trial_segments = 2
[[forms]]
name = "{NET}"
package = "{package}"
{options}
[[forms]]
name = "{RLS}"
predictor = "rls"
{more}"""


class Flight:
    """A recorder, what it told, and what it was sent."""

    def __init__(self, recorder: FlightRecorder, told: list[dict[str, Any]]) -> None:
        self.recorder, self.told = recorder, told
        self.sent: list[npt.NDArray[Any]] = []

    def send(self, n_lines: int) -> None:
        """The next lines."""
        for line in LINES[len(self.sent) : len(self.sent) + n_lines]:
            self.sent.append(line)
            self.recorder.take(FoundLine(RecordedLine(line, b"")))

    def command(self, path: Path, form: str = NET) -> dict[str, Any]:
        """Send a package and wait for the end of its check."""
        answer = self.recorder.do("package", PackageCommand(form=form, file=str(path)))
        thread = self.recorder.updates.thread
        assert thread is not None
        thread.join()
        return answer

    @property
    def states(self) -> list[str]:
        """Of updates, as they were told."""
        return [one["state"] for one in self.told if "state" in one]

    @property
    def last(self) -> dict[str, Any]:
        """The last that was told of updates."""
        return [one for one in self.told if "state" in one][-1]

    @property
    def runs(self) -> FlightPackage:
        """The package of the form with a network."""
        return self.recorder.loaded.packages[self.recorder.loaded.rows[0]]


@contextlib.contextmanager
def flight(text: str) -> Iterator[Flight]:
    """A recorder of a configuration, until the end of the block, which ends its stream."""
    config, told, notes = config_of(text), list[dict[str, Any]](), Notes()
    image = describe_pipe(config.lines.layout(), config.lines.bit_depth)
    with booted_forms(config.packages, image, config.made_forms(), config.coding.max_errors, notes) as loaded:
        told += notes
        buffer, frames = LineBuffer(config.buffer_lines), LineFrames(config.lines)
        recorder = FlightRecorder(config, image, loaded, buffer, frames, told.append, lambda packets: None)
        try:
            yield Flight(recorder, told)
            recorder.end_stream()
        finally:
            recorder.updates.close()


@dataclass(frozen=True)
class Stream:
    """What one file gives back."""

    lines: list[npt.NDArray[Any]]
    named: list[bytes]
    """Identities of the packages of its table."""
    predictors: list[str]


def streams(folder: Path, *packages: FlightPackage) -> list[Stream]:
    """Of all files, whole or not, by all their whole segments; by these packages and the shipped one."""
    found = []
    for path in sorted((folder / "out").glob("*.lrwk")):
        data = path.read_bytes()
        if not data:
            continue
        stream = salvage(data)
        decoder = Decoder(stream.header, [open_package(SHIPPED), *packages])
        lines = [line for header, payload in stream.segments for line in decoder.lines(header, payload)]
        named = [one.sha256 for one in stream.header.packages]
        found.append(Stream(lines, named, [one.header.coding.predictor.name for one in stream.segments]))
    return found


def all_lines(found: list[Stream]) -> npt.NDArray[Any]:
    """Of streams, one after another."""
    return np.array([line for stream in found for line in stream.lines])


def slot_state(folder: Path, form: str = NET) -> SlotState:
    """What the slots of a form say, of a recorder of `text_of`."""
    return PackageSlots(folder / "slots", form).read()
