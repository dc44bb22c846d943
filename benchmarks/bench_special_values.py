"""What flags of special values save and cost: real scenes as they are, clipped, masked, and simulated raw ones.

Coded by the adaptive stage alone (`rls`, best), every stream decoded and compared. `ideal` has the flags at the length
that their probabilities alone would give, counted in floating point in each context of the format.
"""

import io
import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from click.testing import CliRunner

from benchmarks.harness.record import SCENES, save
from model.sensors.simulate_command import simulate
from runtime.codec.coding_options import CodingOptions
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import Encoder
from runtime.codec.stream_reader import StreamReader
from runtime.coders.flag_contexts import N_LEVELS, N_NEIGHBOURS, level_of, neighbours
from runtime.coders.special_flags import FlagReader
from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import Scene, open_scene
from runtime.kernels.kernel_cache import njit
from runtime.segments.special_segments import HEAD
from runtime.stream.depth import bit_depth
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, PredictorKind, SampleType, SpecialKind
from runtime.stream.sample_map import PLAIN
from runtime.stream.special_values import Special

Cube = npt.NDArray[Any]
NODATA = -9999
SHARES = (0.01, 0.05, 0.10)
BEST = CodingOptions(predictor=PredictorKind.RLS)
FAST = CodingOptions(predictor=PredictorKind.RLS, stage=AdaptiveStage.FAST)


def scenes() -> Iterator[tuple[str, Cube]]:
    """Of both shared folders; of the plots of one site every tenth."""
    for folder in (SCENES, SCENES.with_name("scenes_more")):
        paths = [path for path in sorted(folder.glob("**/*.hdr")) if "neon" not in path.stem or path.stem.endswith("0")]
        yield from ((path.stem, open_scene(path).read()) for path in paths)


def variants(cube: Cube) -> Iterator[tuple[str, Cube, dict[str, Any]]]:
    """Name, samples and metadata: as it is, the brightest samples clipped, a tilted border and single pixels masked."""
    yield "as it is", cube, {}
    for share in SHARES:
        yield f"clipped {share:.0%}", np.minimum(cube, int(np.quantile(cube, 1 - share))).astype(cube.dtype), {}
    y, x = np.indices((cube.shape[0], cube.shape[2]))
    place = (x + 0.3 * y) / (cube.shape[2] + 0.3 * cube.shape[0])
    for share in SHARES:
        is_void = (place < np.quantile(place, 0.8 * share)) | (np.random.default_rng(1).random(y.shape) < 0.2 * share)
        masked = np.where(is_void[:, None, :], NODATA, cube).astype(np.int16 if cube.max() < 1 << 15 else np.int32)
        yield f"masked {share:.0%}", masked, {"data ignore value": str(NODATA)}
    if cube.min() >= 0 and cube.max() < 1 << 12:
        yield "times 16", (cube.astype(np.uint16) << 4), {}


def simulated(folder: Path) -> Iterator[tuple[str, Cube]]:
    """Raw scenes of two sensors, exposed as they are meant to be, and so that the brightest samples saturate."""
    sensors = {"enmap": SCENES / "enmap_potsdam_a.hdr", "prisma": SCENES / "jasper_ridge.hdr"}
    for sensor, source in sensors.items():
        bright = float(np.quantile(open_scene(source).read(), 0.995))
        for exposure in (0.6, 2.5):
            into = folder / f"{sensor}_{exposure}"
            words = [sensor, str(source), "-o", str(into), "--lines", "256", "--columns", "128"]
            done = CliRunner().invoke(simulate, [*words, "--scale", str(bright / exposure)], standalone_mode=False)
            if done.exception is not None:
                raise done.exception
            for path in sorted(into.glob("*.hdr")):
                yield f"{path.stem}, bright {exposure}", open_scene(path).read()


@njit(cache=True)
def ideal_bits(marks: Any, before: Any, rates: Any, counts: Any) -> Any:
    """Bits of the flags of a line (Z, X) by adaptive probabilities without limits; counts: (contexts, 2)."""
    bits = 0.0
    for z in range(marks.shape[0]):
        level = level_of(rates[z])
        for x in range(marks.shape[1]):
            where = N_NEIGHBOURS * level + neighbours(z, x, marks, before)
            is_set = 1 if marks[z, x] else 0
            bits -= math.log2((counts[where, is_set] + 0.5) / (counts[where, 0] + counts[where, 1] + 1.0))
            counts[where, is_set] += 1.0
    return bits


def flag_bits(stream: bytes) -> tuple[int, float]:
    """Bits of heads and flags of a stream, and of the same flags ideally."""
    reader = StreamReader(io.BytesIO(stream))
    image, spent, ideal = reader.header.image, 0, 0.0
    for header, payload in reader.segments():
        if not header.coding.has_specials:
            continue
        _, n_flags, n_bits = HEAD.unpack_from(payload)
        spent += 8 * (HEAD.size + n_flags + n_bits)
        flags = FlagReader(
            payload[HEAD.size : HEAD.size + n_flags], image.n_bands, image.n_columns, len(image.specials)
        )
        counts = np.zeros((N_LEVELS * N_NEIGHBOURS, 2))
        for _ in range(header.n_lines):
            before, rates = flags.state.before.copy(), flags.state.rates.copy()
            marks = flags.take()
            if marks is not None:
                ideal += float(ideal_bits(marks, before, rates, counts))
    return spent, ideal


def coded(cube: Cube, image: ImageDescription, options: CodingOptions) -> bytes:
    """A stream."""
    encoder = Encoder(image, options)
    return b"".join([encoder.header, *(encoder.push(line) for line in cube), encoder.finish()])


def check(cube: Cube, stream: bytes) -> None:
    """Raise AssertionError where a stream does not give back the samples."""
    reader = StreamReader(io.BytesIO(stream))
    decoder = Decoder(reader.header)
    lines = [line for segment, payload in reader.segments() for line in decoder.lines(segment, payload)]
    np.testing.assert_array_equal(np.array(lines), cube)


def row(scene: str, variant: str, cube: Cube, metadata: dict[str, Any]) -> dict[str, Any]:
    """Bits per sample without special values, with them, with ideal flags."""
    after = describe(Scene(cube, metadata), None)
    lowest, highest = int(cube.min()), int(cube.max())
    plain = replace(after, depth=bit_depth(lowest, highest), is_signed=lowest < 0, values=PLAIN, specials=())
    streams = [coded(cube, image, BEST) for image in (plain, after)]
    for stream in streams:
        check(cube, stream)
    before, now = (8 * len(stream) / cube.size for stream in streams)
    spent, ideal = flag_bits(streams[1])
    best = now - (spent - ideal) / cube.size
    special = " ".join(map(str, after.specials)) or "none" if after.values.is_plain else f"step {after.values.step}"
    found = {"scene": scene, "variant": variant, "special": special}
    is_small = before - best < 0.005 or not after.specials
    share = None if is_small else round((before - now) / (before - best), 3)
    return {**found, "before": before, "with flags": now, "ideal": best, "saved": before - now, "of ideal": share}


def seconds(cube: Cube, image: ImageDescription, options: CodingOptions) -> float:
    """Thread CPU time of coding."""
    start = time.thread_time()
    coded(cube, image, options)
    return time.thread_time() - start


def cost(cube: Cube) -> dict[str, float]:
    """Thread CPU time with limits that no sample has, by that without; the smallest of nine each, in turn."""
    image = ImageDescription(cube.shape[1], cube.shape[2], 16, is_signed=False)
    limits = (Special(0, SpecialKind.LIMIT), Special(65535, SpecialKind.LIMIT))
    with_limits = replace(image, sample_type=SampleType.UINT16, specials=limits)
    found = {}
    for name, options in (("best", BEST), ("fast", FAST)):
        times = [(seconds(cube, image, options), seconds(cube, with_limits, options)) for _ in range(10)][1:]
        found[f"time of {name}"] = round(min(t for _, t in times) / min(t for t, _ in times), 3)
    return found


def main() -> None:
    """Every scene and variant."""
    rows = [row(name, *variant) for name, cube in scenes() for variant in variants(cube)]
    with tempfile.TemporaryDirectory() as folder:
        rows += [row(name, "simulated raw", cube, {}) for name, cube in simulated(Path(folder))]
    worst = max(-found["saved"] for found in rows)
    shares = [found["of ideal"] for found in rows if found["of ideal"] is not None]
    cube = open_scene(SCENES / "jasper_ridge.hdr").read().astype(np.uint16) + 100
    command = "python -m benchmarks.bench_special_values"
    save("special_values", command, rows, most_lost=round(worst, 4), least_of_ideal=min(shares), **cost(cube))


if __name__ == "__main__":
    main()
