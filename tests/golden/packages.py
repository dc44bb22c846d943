"""The golden packages: random weights, a few recorded lines by the int64 reference, some thousand bytes each."""

import io
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from runtime.cell.flight_package import open_package
from runtime.cell.integer_cell import CellShape, pack_tensors
from runtime.codec.opened_encoder import Loaded
from runtime.executors.executors import make_executor
from tests.reference.random_cell import random_cell
from tests.runtime.cell.package_parts import Parts, manifest_of, sealed
from tests.runtime.prediction.test_flight_predictor import conformance

MADE = (2026, 1, 1, 0, 0, 0)  # equal parts give an equal file
ORIGIN = {"data": "random weights"}


class Made(NamedTuple):
    """What a package is there for, and its files."""

    shows: str
    parts: Callable[[], Parts]


def random_package(name: str, *sizes: int) -> Parts:
    """An int8 package; sizes: those of `CellShape`. Its recorded lines are fewer than an export makes."""
    from export.integer_package import integer_package_parts  # needs onnx, which decoding does not

    shape = CellShape(*sizes)
    cell = random_cell(shape, seed=1)
    parts = integer_package_parts(cell, name, ORIGIN, ORIGIN)
    recorded = conformance(cell, n_lines=3, n_bands=shape.group + (shape.group + 1) // 2, n_columns=3)
    manifest, (n_lines, n_bands, n_columns) = manifest_of(parts), recorded.taps.shape[:3]
    parts["conformance.bin"], table = pack_tensors(recorded.tensors())
    manifest["conformance"] |= {"n_lines": n_lines, "n_bands": n_bands, "n_columns": n_columns, "tensors": table}
    return sealed(parts, manifest)


def float_package(name: str) -> Parts:
    """A float package of the smallest network."""
    import torch

    from export.package_writer import package_parts
    from model.network.config import NetworkConfig
    from tests.model.network.test_network_properties import random_network

    return package_parts(random_network(NetworkConfig(features=4), torch.float32), name, ORIGIN)


def loaded(path: Path) -> Loaded:
    """A package, and what runs it, tested."""
    package = open_package(path)
    return Loaded(package, make_executor(package))


def zipped(parts: Parts) -> bytes:
    """One file, packed as `export` does not."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name, MADE), part, zipfile.ZIP_DEFLATED, 9)
    return data.getvalue()


PACKAGES = {
    "group-4": Made("int8-v2, four bands a group", partial(random_package, "group-4", 4, 8, 2, 1, 8, 1)),
    "group-16": Made(
        "int8-v2, sixteen bands a group, odd sizes, two blocks, no band convolution",
        partial(random_package, "group-16", 16, 5, 1, 2, 5, 0),
    ),
    "group-1": Made(
        "int8-v2, one band a group, the smallest sizes, two band convolutions",
        partial(random_package, "group-1", 1, 4, 1, 1, 4, 2),
    ),
    "float": Made("float32", partial(float_package, "float")),
}
