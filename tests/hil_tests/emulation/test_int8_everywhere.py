"""An INT8 stream made here decodes on emulated x86 and by other executors, and back."""

from tests.hil_tests.emulation.int8_elsewhere import ONNX_RUNTIME, OPENVINO, PYTORCH, StreamsElsewhere, at

pytestmark = at(
    ("Haswell-noTSX", ONNX_RUNTIME), ("SandyBridge", ONNX_RUNTIME), ("OpenVINO", OPENVINO), ("PyTorch", PYTORCH)
)


class TestElsewhere(StreamsElsewhere):
    """Compiled here, or not compiled."""
