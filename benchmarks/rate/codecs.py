"""What every row of the rate benchmark is: a codec that makes bytes of a scene and a scene of the bytes.

Here: CCSDS 123.0-B-2 with anchor and tuned parameters, and the streams of `linerwkv compress`.
"""

import functools
import io
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from runtime.ccsds123 import Ccsds123Parameters, decode, encode
from runtime.cell.flight_package import open_package
from runtime.codec.coding_options import CodingOptions
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import Encoder
from runtime.codec.network_choice import NetworkUse
from runtime.codec.opened_encoder import Loaded, opened_encoder
from runtime.codec.stream_reader import StreamReader
from runtime.commands.ccsds123_commands import depth_and_sign
from runtime.executors.executors import make_executor
from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import Scene
from runtime.stream.kinds import AdaptiveStage, PredictorKind, Quantisation

Samples = npt.NDArray[np.integer[Any]]
"""(Y, Z, X)."""
Settings = dict[str, Any]

GRID: dict[str, tuple[Any, ...]] = {
    "P": (3, 6, 15),
    "v": ((-1, 3), (1, 5), (3, 7), (-1, 6)),
    "log2_tinc": (6, 8),
    "extra_depth": (0, 2, 4),
}
"""v: (v_min, v_max). extra_depth: bits that D lies above the scene's depth, which slows the weights down as v does."""
THETA, EIGHTHS = 3, (0, 2, 4, 6)
"""phi and psi, of which near-lossless coding tries all pairs at the best point of the grid."""
GAMMAS = (6, 7, 8)
"""gamma*, which it tries then."""


class Codec(Protocol):
    """Encodes and decodes scenes; a value, so that another process can be handed it."""

    @property
    def name(self) -> str:
        """The row's name."""

    @property
    def identity(self) -> str:
        """What a figure depends on beside the name: the sha256 of a package, the version of a format."""

    def rounds(self, scene: Scene, max_error: int) -> list[list[Settings]]:
        """Settings that are tried for a scene: the best of a round is added to those of the rounds before."""

    def encode(self, scene: Scene, max_error: int, segment_lines: int, settings: Settings) -> list[bytes]:
        """Streams of the scene, cut so that any `segment_lines` lines decode by themselves."""

    def decode(self, parts: list[bytes]) -> Samples:
        """The scene, from the bytes alone."""


def cut(samples: Samples, segment_lines: int) -> list[Samples]:
    """The scene in segments of so many lines, the last one shorter."""
    return [samples[start : start + segment_lines] for start in range(0, len(samples), segment_lines)]


@dataclass(frozen=True)
class Ccsds123Codec(Codec):
    """CCSDS 123.0-B-2: one image a segment."""

    coder: str
    is_tuned: bool
    identity: str = ""

    @property
    @override
    def name(self) -> str:
        return f"ccsds123-{'tuned' if self.is_tuned else 'anchor'}-{self.coder.replace('_', '-')}"

    @override
    def rounds(self, scene: Scene, max_error: int) -> list[list[Settings]]:
        """The anchor has P = 3, v = -1..3, t_inc = 2^6 and D the scene's own depth."""
        fidelity = {"fidelity": "absolute", "a": max_error} if max_error else {}
        anchor = {"coder": self.coder, **depth_and_sign(scene, None, None), **fidelity}
        if not self.is_tuned:
            return [[anchor]]
        grid = []
        for n_previous, (first, last), interval, extra in itertools.product(*GRID.values()):
            point = {"P": n_previous, "vmin": first, "vmax": last, "log2_tinc": interval, "D": anchor["D"] + extra}
            grid.append({**anchor, **point})
        pairs = itertools.product(EIGHTHS, EIGHTHS)
        representatives = [{"theta": THETA, "phi": phi, "psi": psi} for phi, psi in pairs]
        return [grid, representatives, [{"gamma_star": gamma} for gamma in GAMMAS]] if max_error else [grid]

    @override
    def encode(self, scene: Scene, max_error: int, segment_lines: int, settings: Settings) -> list[bytes]:
        parts = []
        for segment in cut(scene.samples, segment_lines):
            n_lines, n_bands, n_columns = segment.shape
            parameters = Ccsds123Parameters.from_dict({**settings, "Nx": n_columns, "Ny": n_lines, "Nz": n_bands})
            parts.append(encode(np.moveaxis(segment, 1, 0), parameters))
        return parts

    @override
    def decode(self, parts: list[bytes]) -> Samples:
        return np.moveaxis(np.concatenate([decode(part) for part in parts], axis=1), 0, 1)


CODING = 2
"""What predicts and codes samples, which decides a row's rate; the stream's version 3 only changed what lies around."""


@functools.cache
def opened(folder: Path) -> Loaded:
    """A package and its executor, which passed the self-test."""
    package = open_package(folder)
    return Loaded(package, make_executor(package))


@dataclass(frozen=True)
class StreamCodec(Codec):
    """What `linerwkv compress` writes, the ENVI header's metadata included."""

    label: str
    predictor: PredictorKind
    stage: AdaptiveStage
    folder: Path | None = None
    """Of the flight package; none for the adaptive stage alone."""
    quantisation: Quantisation = Quantisation.IN_LOOP
    """Where near-lossless streams round."""

    @property
    @override
    def name(self) -> str:
        return self.label

    @property
    @override
    def identity(self) -> str:
        """A stage that learns otherwise has another number."""
        package = "" if self.folder is None else open_package(self.folder).sha256.hex()
        return f"stream {CODING}, stage {self.stage:d}, {package}".removesuffix(", ")

    @override
    def rounds(self, scene: Scene, max_error: int) -> list[list[Settings]]:
        """Nothing to try."""
        return []

    def encoder(self, scene: Scene, max_error: int, segment_lines: int) -> Encoder:
        """A new encoder."""
        options = CodingOptions(
            predictor=self.predictor, stage=self.stage, max_error=max_error, quantisation=self.quantisation,
            segment_lines=segment_lines, network=NetworkUse.ALWAYS,
        )  # fmt: skip
        loaded = None if self.folder is None else opened(self.folder)
        with opened_encoder(options, describe(scene, None), loaded=loaded) as encoder:
            return encoder

    @override
    def encode(self, scene: Scene, max_error: int, segment_lines: int, settings: Settings) -> list[bytes]:
        encoder = self.encoder(scene, max_error, segment_lines)
        return [b"".join([encoder.header, *(encoder.push(line) for line in scene.lines()), encoder.finish()])]

    @override
    def decode(self, parts: list[bytes]) -> Samples:
        reader = StreamReader(io.BytesIO(parts[0]))
        loaded = None if self.folder is None else opened(self.folder)
        packages, make = ([], make_executor) if loaded is None else ([loaded.package], lambda _: loaded.executor)
        decoder = Decoder(reader.header, packages, make)
        return np.array([line for segment, payload in reader.segments() for line in decoder.lines(segment, payload)])
