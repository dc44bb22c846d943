"""One raw scene of a sensor, simulated line by line and written: memory is a line and what is fixed in the detector."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from model.sensors.detector_pattern import DetectorPattern
from model.sensors.exposure import Exposure
from model.sensors.field import Keystone
from model.sensors.landscape import Landscape, Values
from model.sensors.line_record import LineRecords
from model.sensors.response import Response
from model.sensors.scene_source import SceneSource
from model.sensors.sensor import Sensor
from model.sensors.tilted_grid import NO_DATA, grid_sizes, gridded_lines
from runtime.images.sample_file import SampleFile
from runtime.images.scene_writer import writing_envi
from runtime.whole_output import replacing, unfinished

DTYPE = np.dtype("<u2")
LINES_SUFFIX, RECORDS_SUFFIX, FRAMES_SUFFIX = (".hdr", ".bil"), ".records.bin", ".frames.bin"


@dataclass(frozen=True)
class Simulation:
    """All that decides what is made of a scene."""

    sensor: Sensor
    values: Values = "reflectance"
    scale: float | None = None
    n_lines: int | None = None
    n_columns: int | None = None
    seed: int = 0
    raw: bool = False
    """Write the lines as the instrument sends them, too: each after its record, in FRAMES_SUFFIX."""

    def frames(self, source: SceneSource) -> tuple[int, int]:
        """Lines and columns that the instrument sees."""
        return self.n_lines or source.n_lines, self.n_columns or source.n_columns

    def image(self, source: SceneSource) -> tuple[int, int]:
        """Lines and columns of the image, which is the frames or a grid."""
        sizes = self.frames(source)
        return grid_sizes(self.sensor.grid, *sizes) if self.sensor.grid.angle else sizes

    def names(self, name: str) -> list[str]:
        """Files of a simulated scene, the header first."""
        suffixes = [*LINES_SUFFIX]
        if self.sensor.record.bytes and not self.sensor.grid.angle:
            suffixes.append(RECORDS_SUFFIX)
        return [name + suffix for suffix in (*suffixes, *([FRAMES_SUFFIX] if self.raw else []))]


def generator_of(seed: int, *words: Any) -> np.random.Generator:
    """A stream of random numbers of its own for each use, which these words name."""
    digest = hashlib.sha256(json.dumps([seed, *words]).encode()).digest()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(int.from_bytes(digest, "big"))))


class SimulatedLines:
    """Lines (Z, X) of counts, and their records, in the order of time."""

    def __init__(self, simulation: Simulation, source: SceneSource) -> None:
        """Raises BadArgument for a scene without values."""
        sensor, seed = simulation.sensor, simulation.seed
        own = generator_of(seed, "landscape", source.name)
        self.n_lines, n_columns = sizes = simulation.frames(source)
        self.landscape = Landscape(source, simulation.values, simulation.scale, sizes, own)
        self.response = Response(sensor, source.centres.centres, n_columns)
        self.keystone = Keystone(sensor.detectors, n_columns)
        pattern = DetectorPattern(sensor, n_columns, generator_of(seed, "detector", sensor.name))
        self.exposure = Exposure(sensor, pattern, generator_of(seed, "noise", sensor.name, source.name))
        self.records = LineRecords(sensor, generator_of(seed, "records", sensor.name, source.name))

    def __iter__(self) -> Iterator[tuple[bytes, Any]]:
        """Record and counts of each line."""
        for y in range(self.n_lines):
            electrons = self.keystone.displaced(self.response.electrons(self.landscape.line(y)))
            yield self.records.next(), self.exposure.counts(electrons)


def write_scene(
    simulation: Simulation, source: SceneSource, folder: Path, name: str, done: Callable[[int], object]
) -> None:
    """Write the files of `simulation.names(name)` into a folder; `done` is called after each line with 1.

    Raises BadArgument; then the image does not have its name.
    """
    lines, grid = SimulatedLines(simulation, source), simulation.sensor.grid
    n_bands = simulation.sensor.n_bands
    sizes = n_bands, simulation.image(source)[1]
    with contextlib.ExitStack() as outputs:
        image = outputs.enter_context(
            writing_envi(folder / f"{name}.hdr", sizes, DTYPE, header_of(simulation.sensor, source))
        )
        beside = {}
        for file in simulation.names(name)[len(LINES_SUFFIX) :]:
            part = outputs.enter_context(replacing(folder / file))
            beside[file] = outputs.enter_context(part.open("wb"))
        records, frames = beside.get(name + RECORDS_SUFFIX), beside.get(name + FRAMES_SUFFIX)
        if not grid.angle:
            run(lines, image, records, frames, done)
            return
        ungridded = outputs.enter_context(unfinished(folder / f"{name}.ungridded"))
        with ungridded.open("wb") as file_of_lines:
            run(lines, SampleFile(file_of_lines, DTYPE), records, frames, done)
        n_lines, n_columns = simulation.frames(source)
        for line in gridded_lines(np.memmap(ungridded, DTYPE, "r", shape=(n_lines, n_bands, n_columns)), grid):
            image.append(line)


def run(
    lines: SimulatedLines,
    image: SampleFile,
    records: BinaryIO | None,
    frames: BinaryIO | None,
    done: Callable[[int], object],
) -> None:
    """Simulate all lines and write them wherever they are wanted."""
    for record, counts in lines:
        image.append(counts)
        if records is not None:
            records.write(record)
        if frames is not None:
            frames.write(record + counts.astype(DTYPE).tobytes())
        done(1)


def header_of(sensor: Sensor, source: SceneSource) -> dict[str, Any]:
    """What the ENVI header says beside the structure."""
    what = f"simulated raw counts of {sensor.title or sensor.name}, made from scene {source.name}"
    return {
        "description": f"{what}, laid on a tilted grid" if sensor.grid.angle else what,
        "data ignore value": str(NO_DATA) if sensor.grid.angle else None,
        "sensor type": f"simulated {sensor.name}",
        "wavelength units": "Nanometers",
        "wavelength": [f"{centre:.3f}" for centre in sensor.centres],
        "fwhm": [f"{width:.3f}" for width in sensor.widths],
    }
