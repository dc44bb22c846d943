"""Which rate the shipped package reaches on every real scene, every byte counted, and whether each comes back.

LineRWKV is what `linerwkv compress` does by default: the INT8 network, the adaptive stage `best`, segments of 64 lines.
"""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import zstandard

from benchmarks.record import SCENES, save
from runtime.compression import compress_lines, decompress
from runtime.flight_package import SHIPPED, FlightPackage, open_package
from runtime.scene_reader import Scene, describe, open_scene
from runtime.stream_format import AdaptiveStage, PredictorKind

CHECKED_AT_ERROR = ("enmap_potsdam_a", "hyspecnet_dt4950_x03110438", "jasper_ridge", "samson")


def road(scene: Scene, package: FlightPackage | None, max_error: int, folder: Path) -> dict[str, float]:
    """Compress and restore; rate and wall-clock speeds. Fails where a sample is off by more than allowed."""
    stream = folder / "scene.lrwk"
    report = compress_lines(scene.lines(), describe(scene, None), stream, package, max_error=max_error)
    restored = decompress(stream, folder / "back.hdr", package)
    back = open_scene(folder / "back.hdr").samples.astype(np.int64)
    error = int(np.abs(back - scene.samples).max())
    assert error <= max_error, f"error {error}, allowed {max_error}"
    return {
        "rate": report.bits_per_sample,
        "encode": scene.samples.size / report.seconds / 1e6,
        "decode": scene.samples.size / restored.seconds / 1e6,
        "largest error": error,
    }


def coded_rate(scene: Scene, package: FlightPackage | None, stage: AdaptiveStage, folder: Path) -> float:
    """Bits per sample of another way to code, not restored: the network alone, or the adaptive stage alone."""
    predictor = PredictorKind.LINERWKV if package is not None else PredictorKind.RLS
    stream = folder / "other.lrwk"
    options: dict[str, Any] = {"predictor": predictor, "stage": stage}
    return compress_lines(scene.lines(), describe(scene, None), stream, package, **options).bits_per_sample


def zstd_rate(scene: Scene) -> float:
    """Bits per sample of zstd -19 on the raw lines."""
    data = np.ascontiguousarray(scene.samples).tobytes()
    return 8 * len(zstandard.ZstdCompressor(19).compress(data)) / scene.samples.size


def main() -> None:
    """One row a scene; NEON plots are small and of one site, and are given as their mean."""
    package = open_package(SHIPPED)
    manifest = json.loads((SCENES / "MANIFEST.json").read_text())
    rows: list[dict[str, Any]] = []
    plots: list[dict[str, Any]] = []
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for entry in manifest:
            scene = open_scene(SCENES / entry["path"])
            network = road(scene, package, 0, folder)
            row = {
                "scene": entry["name"],
                "split": entry["split"],
                "LineRWKV": network["rate"],
                "network alone": coded_rate(scene, package, AdaptiveStage.NONE, folder),
                "stage alone": coded_rate(scene, None, AdaptiveStage.BEST, folder),
                "DPCM": road(scene, None, 0, folder)["rate"],
                "zstd -19": zstd_rate(scene),
                "encode Ms/s": network["encode"],
                "decode Ms/s": network["decode"],
                "LineRWKV, error <= 3": "",
            }
            if entry["name"] in CHECKED_AT_ERROR:
                row["LineRWKV, error <= 3"] = round(road(scene, package, 3, folder)["rate"], 4)
            (plots if entry["name"].startswith("neon_mlbs") else rows).append(row)
            print(f"{time.perf_counter() - start:6.0f} s  {entry['name']}: {row['LineRWKV']:.3f}", flush=True)
    floats = [key for key, value in plots[0].items() if isinstance(value, float)]
    means = {key: float(np.mean([plot[key] for plot in plots])) for key in floats}
    rows.append({**plots[0], **means, "scene": f"neon_mlbs (mean of {len(plots)})"})
    facts = {"package": package.manifest["name"], "package_sha256": package.sha256.hex()}
    save("scenes", "python -m benchmarks.bench_scenes", rows, **facts)


if __name__ == "__main__":
    main()
