"""What is known of an image before its first line, and what the header of its stream says."""

from dataclasses import dataclass, field
from typing import Any

from runtime.cell.flight_package import FlightPackage
from runtime.segments.segment_codecs import default_quantisation
from runtime.stream.stream_format import NO_PACKAGE, Arithmetic, PredictorKind, Quantisation, SampleType, StreamHeader


@dataclass(frozen=True)
class ImageDescription:
    """What an encoder must be told."""

    n_bands: int
    n_columns: int
    depth: int
    """Bits per sample, 8..16."""
    is_signed: bool
    n_lines: int = 0
    """0: not known."""
    sample_type: SampleType = SampleType.INT16
    metadata: dict[str, Any] = field(default_factory=dict)
    """Carried through as JSON: wavelengths and other entries of the ENVI header."""


def stream_header(
    image: ImageDescription,
    predictor: PredictorKind,
    package: FlightPackage | None,
    max_error: int,
    quantisation: Quantisation | None,
) -> StreamHeader:
    """The header of an image coded by a predictor, which may need a package.

    quantisation: None is the predictor's default; it says nothing where nothing is lost, or CCSDS 123 quantises.
    """
    if max_error == 0 or predictor is PredictorKind.CCSDS123:
        quantisation = Quantisation.PREQUANTISED
    elif quantisation is None:
        quantisation = default_quantisation(predictor, package)
    return StreamHeader(
        image.n_bands,
        image.n_columns,
        image.n_lines,
        image.depth,
        image.is_signed,
        max_error,
        image.sample_type,
        Arithmetic.NONE if package is None else Arithmetic.of(package.arithmetic),
        NO_PACKAGE if package is None else package.sha256,
        image.metadata,
        quantisation,
    )
