"""What it costs to cut a stream into segments that decode by themselves."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.harness.record import SCENES, save
from runtime.cell.flight_package import SHIPPED, open_package
from runtime.codec.coding_options import CodingOptions
from runtime.codec.compression import compress_lines
from runtime.codec.network_choice import NetworkUse
from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import open_scene

NAMES = ("enmap_potsdam_a", "hyspecnet_dt4950_x03110438", "jasper_ridge", "samson")
LENGTHS = (16, 32, 64)
ALWAYS = CodingOptions(network=NetworkUse.ALWAYS)


def main() -> None:
    """Bits per sample at each segment length; the last column has the whole scene in one segment."""
    package = open_package(SHIPPED)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        for scene_name in NAMES:
            scene = open_scene(SCENES / f"{scene_name}.hdr")
            image = describe(scene, None)
            rates = {
                length: compress_lines(
                    scene.lines(),
                    image,
                    Path(name) / "s",
                    replace(ALWAYS, segment_lines=length),
                )
                for length in {*LENGTHS, image.n_lines}
            }
            row: dict[str, Any] = {"scene": scene_name, "lines": image.n_lines}
            row |= {f"{length} lines": rates[length].bits_per_sample for length in LENGTHS}
            rows.append({**row, "one segment": rates[image.n_lines].bits_per_sample})
    save("segment_lines", "python -m benchmarks.bench_segment_lines", rows, package_sha256=package.sha256.hex())


if __name__ == "__main__":
    main()
