"""The tensors of several cells in one file, each once."""

import onnx
from onnx.external_data_helper import set_external_data

WEIGHTS = "weights.bin"
INLINE_BYTES = 64  # smaller tensors stay in the graph: shape inference and optimisers want to see them
ALIGNMENT_BYTES = 64


def share_weights(cells: list[onnx.ModelProto]) -> bytes:
    """Move the tensors of all cells into one block of bytes, equal ones only once, and point the cells at it."""
    block = bytearray()
    offsets: dict[bytes, int] = {}
    for cell in cells:
        for tensor in cell.graph.initializer:
            data = onnx.numpy_helper.to_array(tensor).tobytes()
            if len(data) < INLINE_BYTES:
                continue
            if data not in offsets:
                block += bytes(-len(block) % ALIGNMENT_BYTES)
                offsets[data] = len(block)
                block += data
            tensor.ClearField("float_data")
            tensor.raw_data = data
            set_external_data(tensor, WEIGHTS, offsets[data], len(data))
            tensor.ClearField("raw_data")
    return bytes(block)
