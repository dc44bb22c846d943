"""What the report of a quantization says of each layer and of each memory, one row each."""

from typing import Any

import numpy as np

from model.network.flight_network import FlightNetwork
from quantize.calibration import LayerStatistics
from runtime.cell.integer_cell import LARGEST_SUM, IntegerCell


def layer_rows(
    network: FlightNetwork,
    statistics: dict[str, LayerStatistics],
    cell: IntegerCell,
    n_finer: dict[str, int],
    saturated: dict[str, tuple[float, float]],
) -> list[dict[str, Any]]:
    """Shift, weights, ranges, clipped and saturated shares, largest sum of each layer."""
    rows = []
    sums = cell.largest_sums()
    for name, layer in cell.layers.items():
        seen = statistics[name]
        rows.append(
            {
                "layer": name,
                "shift": [int(layer.shift.min()), int(layer.shift.max())],
                "largest_weight": int(np.abs(layer.weight.astype(int)).max()),
                "channels_with_clipped_weights": n_finer[name],
                "channels_at_zero": seen.dead_channels(network.get_submodule(name).activation),  # type: ignore[arg-type]  # a module's attribute
                "float_range": [seen.lowest, seen.highest],
                "float_clipped": [seen.at_low / seen.n, seen.at_high / seen.n],
                "int8_saturated": list(saturated[name]),
                "largest_sum": sums[name],
                "largest_sum_share": sums[name] / LARGEST_SUM,
            }
        )
    return rows


def memory_rows(cell: IntegerCell) -> list[dict[str, Any]]:
    """Rates and largest sum of each memory."""
    return [
        {
            "memory": f"blocks.{i}.memory",
            "rates": [f"{m}/{1 << e}" for m, e in zip(memory.mantissa.tolist(), memory.exponent.tolist(), strict=True)],
            "largest_sum": memory.largest_sum,
            "largest_sum_share": memory.largest_sum / LARGEST_SUM,
        }
        for i, memory in enumerate(cell.memories)
    ]
