"""What a stream says of itself, as plain values."""

from pathlib import Path
from typing import Any

from runtime.codec.compression import open_input
from runtime.codec.decoder import StreamReader


def stream_info(path: Path) -> dict[str, Any]:
    """Header and segments of a stream. Raises Corrupt, Truncated or TooNew for one that is not sound."""
    with open_input(path) as file:
        reader = StreamReader(file)
        segments = [
            {
                "first_line": segment.first_line,
                "lines": segment.n_lines,
                "predictor": segment.predictor.name.lower(),
                "arithmetic": segment.arithmetic.name.lower(),
                "stage": segment.stage.name.lower(),
                "coder": segment.coder.name.lower(),
                "bytes": segment.n_payload_bytes,
            }
            for segment, _ in reader.segments()
        ]
    header, end = reader.header, reader.end
    assert end is not None  # segments() ends in no other way
    float32_note = " (decodes on the machine that made it only)" if header.arithmetic.name == "FLOAT32" else ""
    return {
        "header": {
            "lines": end.n_lines,
            "bands": header.n_bands,
            "columns": header.n_columns,
            "bit_depth": header.depth,
            "signed": header.is_signed,
            "max_error": header.max_error,
            "quantisation": header.quantisation.name.lower().replace("_", "-") if header.max_error else None,
            "sample_type": header.sample_type.name.lower(),
            "arithmetic": header.arithmetic.name.lower() + float32_note,
            "package": header.package_sha256.hex() if any(header.package_sha256) else None,
            "metadata": header.metadata,
        },
        "segments": segments,
    }
