"""One measurement: a codec on a scene, decoded and compared before its figures count."""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from benchmarks.rate.codecs import Codec, Samples, Settings
from benchmarks.rate.scenes import Entry
from runtime.codec.coding_options import DEFAULT_SEGMENT_LINES
from runtime.errors import LineRwkvError
from runtime.images.scene_reader import Scene
from runtime.process_memory import memory_mib, peak_memory_mib

Result = TypeVar("Result")
ROUNDS = 5
ENOUGH_S = 0.5
"""Work that took so long in all its rounds is not repeated."""
DEFAULT, ONE = "segments", "one"
"""Lengths of segments: the default of 64 lines, and the whole scene."""


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """What the work returns, and the smallest thread CPU time of a round in s."""
    times: list[float] = []
    while True:
        start = time.thread_time()
        result = work()
        times.append(time.thread_time() - start)
        if len(times) == ROUNDS or sum(times) > ENOUGH_S:
            return result, min(times)


def smallest(codec: Codec, scene: Scene, max_error: int) -> Settings:
    """The settings that make a scene smallest in one segment; the first of several."""

    def size(settings: Settings) -> int:
        return sum(map(len, codec.encode(scene, max_error, len(scene.samples), settings)))

    best: Settings = {}
    for tried in codec.rounds(scene, max_error):
        best = min(({**best, **changes} for changes in tried), key=size) if len(tried) > 1 else {**best, **tried[0]}
    return best


def quality(original: Samples, restored: Samples) -> dict[str, Any]:
    """Largest error, PSNR over the scene's range in dB (none where nothing differs), spectral angles in degrees."""
    error = restored.astype(np.int64) - original
    mean_square = float(np.mean(error.astype(np.float64) ** 2))
    angles = spectral_angles(original, restored)
    peak = int(original.max()) - int(original.min())
    return {
        "error": int(np.abs(error).max()),
        "psnr_db": round(10 * np.log10(peak**2 / mean_square), 3) if mean_square else None,
        "angle_mean_deg": round(float(angles.mean()), 5),
        "angle_max_deg": round(float(angles.max()), 4),
    }


def spectral_angles(original: Samples, restored: Samples) -> npt.NDArray[np.float64]:
    """Degrees between the spectra of each pixel (Y, X); 0 where both are black, 90 where one is.

    By the tangent of half the angle, because the cosine of small angles is 1.
    """
    one, other = (samples.astype(np.float64) for samples in (original, restored))
    lengths = [np.sqrt((spectra**2).sum(axis=1, keepdims=True)) for spectra in (one, other)]
    one, other = (spectra / np.where(length, length, 1) for spectra, length in zip((one, other), lengths, strict=True))
    across, along = (np.sqrt((spectra**2).sum(axis=1)) for spectra in (one - other, one + other))
    return np.asarray(np.degrees(2 * np.arctan2(across, along)), np.float64)


def checked(codec: Codec, scene: Scene, parts: list[bytes], max_error: int) -> tuple[Samples, float]:
    """The restored scene and the seconds of decoding; raises where a sample is off by more than allowed."""
    restored, seconds = timed(lambda: codec.decode(parts))
    if restored.shape != scene.samples.shape:
        raise LineRwkvError(f"{codec.name}: shape {restored.shape} came back, allowed {scene.samples.shape}")
    error = int(np.abs(restored.astype(np.int64) - scene.samples).max())
    if error > max_error:
        raise LineRwkvError(f"{codec.name}: a sample is off by {error}, allowed {max_error}")
    return restored, seconds


def measure(codec: Codec, scene: Scene, max_error: int) -> dict[str, Any]:
    """Rates in bits per sample, all bytes counted, speeds in Msamples/s at the default length, quality."""
    few = Scene(scene.samples[:2], scene.metadata)  # compiles and opens what the first call would
    codec.decode(codec.encode(few, max_error, 2, smallest(codec, few, max_error)))
    settings = smallest(codec, scene, max_error)
    n_samples = scene.samples.size
    parts, encode_s = timed(lambda: codec.encode(scene, max_error, DEFAULT_SEGMENT_LINES, settings))
    restored, decode_s = checked(codec, scene, parts, max_error)
    rates = {DEFAULT: rate(parts, n_samples)}
    if len(scene.samples) > DEFAULT_SEGMENT_LINES:
        parts = codec.encode(scene, max_error, len(scene.samples), settings)
        restored, _ = checked(codec, scene, parts, max_error)
    return {
        "samples": n_samples,
        "settings": settings,
        "rate": rates | {ONE: rate(parts, n_samples)},
        "encode": round(n_samples / encode_s / 1e6, 3),
        "decode": round(n_samples / decode_s / 1e6, 3),
        **(quality(scene.samples, restored) if max_error else {}),
    }


def rate(parts: list[bytes], n_samples: int) -> float:
    """Bits per sample."""
    return round(8 * sum(map(len, parts)) / n_samples, 5)


def memory_here(codec: Codec, entry: Entry, settings: Settings) -> dict[str, float]:
    """MiB of this process at most while it encodes and decodes a scene, and how much more than before."""
    scene = entry.open()
    before = memory_mib() or 0.0
    codec.decode(codec.encode(scene, 0, DEFAULT_SEGMENT_LINES, settings))
    peak = peak_memory_mib() or 0.0
    return {"peak_mib": round(peak, 1), "above_start_mib": round(peak - before, 1)}


def memory(codec: Codec, entry: Entry, settings: Settings) -> dict[str, float]:
    """As `memory_here`, in another process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(memory_here, codec, entry, settings).result()
