"""An INT8 stream made here decodes on emulated x86 and by other executors, and back: tests of int8_elsewhere.py."""

from tests.hil_tests.emulation.int8_elsewhere import (  # noqa: F401  # tests, and fixtures that they need
    ONNX_RUNTIME,
    OPENVINO,
    PYTORCH,
    at,
    made,
    test_our_stream_decodes_there,
    test_the_stream_made_there_is_ours_byte_for_byte,
    test_verify_finds_every_setting_equal_there,
    trusted,
)

pytestmark = at(
    ("Haswell-noTSX", ONNX_RUNTIME), ("SandyBridge", ONNX_RUNTIME), ("OpenVINO", OPENVINO), ("PyTorch", PYTORCH)
)
