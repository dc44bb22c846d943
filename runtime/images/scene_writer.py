"""Decoded lines as an ENVI image: band interleaved by line, little-endian, the original metadata."""

import os
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.errors import BadArgument
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import SampleType

DTYPES: dict[SampleType, np.dtype[Any]] = {
    SampleType.UINT8: np.dtype("u1"),
    SampleType.INT16: np.dtype("<i2"),
    SampleType.UINT16: np.dtype("<u2"),
}


def raw_line(line: npt.NDArray[np.integer[Any]], sample_type: SampleType) -> bytes:
    """One line (Z, X) as little-endian bytes, band after band."""
    return line.astype(DTYPES[sample_type]).tobytes()


class EnviWriter:
    """Context manager: append lines; the image appears under its name only when the block ends without an error."""

    def __init__(self, header_path: Path, image: ImageDescription) -> None:
        if header_path.suffix.lower() != ".hdr":
            raise BadArgument(f"output {header_path}: allowed a name ending in .hdr (the data goes beside it)")
        self.header_path = header_path
        self.data_path = header_path.with_suffix(".bil")
        self.image = image
        self.n_lines = 0
        self.temporary_data = self.data_path.with_name(f".{self.data_path.name}.{os.getpid()}")
        self.temporary_header = header_path.with_name(f".{os.getpid()}.{header_path.name}")

    def __enter__(self) -> "EnviWriter":
        try:
            self.file = self.temporary_data.open("wb")
        except OSError as error:
            raise BadArgument(f"output {self.header_path}: {error.strerror}") from error
        return self

    def append(self, line: npt.NDArray[np.integer[Any]]) -> None:
        """Write one line (Z, X)."""
        self.file.write(raw_line(line, self.image.file_type))
        self.n_lines += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()
        if kind is None:
            self.write_header()
            self.temporary_data.replace(self.data_path)
            self.temporary_header.replace(self.header_path)
        self.temporary_data.unlink(missing_ok=True)
        self.temporary_header.unlink(missing_ok=True)

    def write_header(self) -> None:
        """The ENVI header, the stream's metadata in it."""
        import spectral

        structure = {
            "lines": self.n_lines,
            "samples": self.image.n_columns,
            "bands": self.image.n_bands,
            "header offset": 0,
            "file type": "ENVI Standard",
            "data type": int(self.image.file_type),
            "interleave": "bil",
            "byte order": 0,
        }
        spectral.envi.write_envi_header(str(self.temporary_header), {**self.image.metadata, **structure})
