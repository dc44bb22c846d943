"""Streams whose metadata are any JSON, as a hostile sender makes them."""

from typing import Any

from runtime.codec.coding_options import coding_options
from runtime.codec.opened_encoder import opened_encoder
from runtime.stream.image_description import ImageDescription
from tests.linerwkv.conftest import N_BANDS, N_COLUMNS, Cube


def hostile_stream(lines: Cube, metadata: dict[str, Any]) -> bytes:
    """Sound but for its metadata."""
    image = ImageDescription(N_BANDS, N_COLUMNS, 12, False, metadata=metadata)
    with opened_encoder(coding_options({"predictor": "dpcm"}), image) as encoder:
        return encoder.header + b"".join(map(encoder.push, lines)) + encoder.finish()
