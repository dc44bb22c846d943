"""Scenes that are simulated from: what the command names, their samples and wavelengths."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model.scenes.data_config import DataConfig
from model.scenes.scene_cache import mappable
from model.scenes.scene_list import all_entries, lines_of
from model.scenes.stream_scene import is_stream
from model.sensors.band_centres import BandCentres, band_centres
from runtime.codec.compression import open_input
from runtime.codec.stream_reader import StreamReader
from runtime.errors import BadArgument, LineRwkvError
from runtime.images.scene_reader import open_numbers

HASH_BLOCK = 1 << 20


@dataclass(frozen=True)
class SceneSource:
    """A scene on disk; small."""

    name: str
    path: Path
    split: str
    group: str
    centres: BandCentres
    lines: tuple[int, int] | None
    """First line, and the one after the last, where the scene is a part of its file."""
    files: tuple[Path, ...]
    """That it is read from."""
    cache: Path
    """Folder for what is converted."""
    scale_factor: float | None
    """The value that is reflectance 1, where the header says it."""
    ignored: float | None
    """The value of pixels without data, where the header says it."""
    n_lines: int
    n_columns: int

    def samples(self) -> npt.NDArray[Any]:
        """(Y, Z', X) of any type of number, mapped from the disk where that can be; bands by wavelength later."""
        path = self.path
        if is_stream(path):
            path = mappable(path, self.cache)
        samples = open_numbers(path).samples
        return samples if self.lines is None else samples[slice(*self.lines)]

    def sha256(self) -> str:
        """Of the bytes of all its files."""
        digest = hashlib.sha256()
        for path in self.files:
            with path.open("rb") as file:
                while block := file.read(HASH_BLOCK):
                    digest.update(block)
        return digest.hexdigest()


def scene_sources(paths: list[Path], spread: tuple[float, float] | None) -> list[SceneSource]:
    """The scenes of files, folders of scenes and manifests. Raises BadArgument.

    spread: first and last wavelength, nm, of scenes that state none.
    """
    found = [source for path in paths for source in sources_of(path, spread)]
    names: set[str] = set()
    for source in found:
        if source.name in names:
            raise BadArgument(f"two scenes are named {source.name}: give their folder, or a manifest")
        names.add(source.name)
    return found


def sources_of(path: Path, spread: tuple[float, float] | None) -> list[SceneSource]:
    """The scenes of one argument."""
    data = DataConfig(str(path))
    entries = all_entries(path, data)
    if not entries:
        raise BadArgument(f"{path} has no scenes")
    return [opened(entry, Path(data.cache), spread) for entry in entries]


def opened(entry: dict[str, Any], cache: Path, spread: tuple[float, float] | None) -> SceneSource:
    """What an entry's file says of itself. Raises BadArgument that names the scene."""
    path = Path(entry["path"])
    try:
        shape, metadata, files = described(path, cache)
        centres = band_centres(path, metadata, shape[1], str(entry.get("sensor", "")), spread)
    except LineRwkvError as error:
        raise BadArgument(f"scene {entry['name']}: {error}") from error
    lines = lines_of(entry, shape[0])
    scale_factor, ignored = (number_of(metadata.get(key)) for key in ("reflectance scale factor", "data ignore value"))
    return SceneSource(
        name=entry["name"].replace("/", "__"),
        path=path,
        split=entry["split"],
        group=str(entry["group"]),
        centres=centres,
        lines=lines,
        files=files,
        cache=cache,
        scale_factor=scale_factor if scale_factor and scale_factor > 0 else None,
        ignored=ignored,
        n_lines=lines[1] - lines[0] if lines else shape[0],
        n_columns=shape[2],
    )


def described(path: Path, cache: Path) -> tuple[tuple[int, ...], dict[str, Any], tuple[Path, ...]]:
    """Shape (Y, Z', X), metadata and files of a scene; a stream is decoded into `cache`. Raises LineRwkvError."""
    if is_stream(path):
        with open_input(path) as file:
            metadata = StreamReader(file).header.image.metadata
        return open_numbers(mappable(path, cache)).shape, metadata, (path,)
    scene = open_numbers(path)
    if scene.source.dtype.kind not in "iuf":
        raise BadArgument(f"{path}: samples are {scene.source.dtype}, allowed real numbers")
    if len(scene.shape) != 3 or 0 in scene.shape:
        raise BadArgument(f"{path}: shape {scene.shape}, allowed (lines, bands, columns) of at least 1 each")
    return scene.shape, scene.metadata, scene.files or (path,)


def number_of(text: Any) -> float | None:
    """A finite number that a header has; None where it is none."""
    try:
        number = float(text)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None
