"""Executors as functions from named arrays to named arrays: the interface to whatever runs a graph."""

from typing import Any, Protocol

import numpy.typing as npt

AnyArray = npt.NDArray[Any]
Arrays = dict[str, AnyArray]


class ArrayExecutor(Protocol):
    """Runs a graph on named arrays. Keeps nothing between calls."""

    provider: str  # What runs it, with its version and device, for people
    sha256: str  # Of what it runs, in hexadecimal: the identity of a flight package, or the SHA-256 of an ONNX file

    def run(self, inputs: dict[str, AnyArray]) -> dict[str, AnyArray]:
        """All outputs of the graph by name. Raises LineRwkvError where the inputs do not fit it."""
