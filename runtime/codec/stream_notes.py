"""What whoever keeps a finished stream, or what came out of one, should know of it, in words."""

from collections.abc import Sequence
from pathlib import Path

from runtime.codec.stream_encoder import StreamEncoder
from runtime.images.envi_entries import one_line_of
from runtime.images.restored_image import beside_samples
from runtime.output_checks import PIPE
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import Arithmetic


def notes_of(encoder: StreamEncoder) -> tuple[str, ...]:
    """Each a line, of an encoder that has finished."""
    notes = []
    if any(package.arithmetic is Arithmetic.FLOAT32 for package in encoder.packages):
        notes.append("the package is float32: the stream decodes on this machine only, with the same libraries")
    if encoder.n_fallbacks:
        notes.append(f"{encoder.n_fallbacks} segments fell back to ccsds123, --telemetry says why")
    return (*notes, *clip_notes(encoder))


def clip_notes(encoder: StreamEncoder) -> tuple[str, ...]:
    """The one of samples that were clipped, or none."""
    if not encoder.codes.n_clipped:
        return ()
    codes = encoder.codes
    return (f"{codes.n_clipped} samples beyond the bit depth were clipped, the first: {codes.first_clipped}",)


def output_notes(output: Path, image: ImageDescription, not_carried: Sequence[str]) -> tuple[str, ...]:
    """What is left out where lines go to standard output, or that a file cannot hold."""
    if output == PIPE:
        words = beside_samples(image)
        return (f"raw lines have no header; not carried: {', '.join(words)}",) if words else ()
    return (f"{output}: not carried: {', '.join(map(one_line_of, not_carried))}",) if not_carried else ()
