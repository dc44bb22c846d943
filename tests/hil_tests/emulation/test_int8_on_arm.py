"""An INT8 stream made here decodes on emulated ARM processors, and back."""

from tests.hil_tests.emulation.int8_elsewhere import ONNX_RUNTIME, StreamsElsewhere, at

pytestmark = at(("cortex-a53", ONNX_RUNTIME), ("neoverse-n1", ONNX_RUNTIME))


class TestOnArm(StreamsElsewhere):
    """Compiled there, under emulation."""
