"""Named starting points of the command line; every parameter can still be changed (keys: dictionary.py)."""

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    # full mode and wide sums suit calibrated images, which are the most common (4.1)
    "lossless": {},
    # below about 2 bits per sample the hybrid coder's low-entropy codes matter
    "near-lossless": {"coder": "hybrid", "fidelity": "absolute", "a": 2},
    # no use of the western neighbour and the fewest products (4.1): for pipelines in hardware; a CPU gains nothing
    "fast": {"mode": "reduced", "local_sum": "narrow_neighbor", "P": 2},
}
