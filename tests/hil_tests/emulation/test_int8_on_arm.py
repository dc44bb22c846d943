"""An INT8 stream made here decodes on emulated ARM processors, and back: tests of int8_elsewhere.py."""

from tests.hil_tests.emulation.int8_elsewhere import (  # noqa: F401  # tests, and fixtures that they need
    ONNX_RUNTIME,
    at,
    made,
    test_our_stream_decodes_there,
    test_the_stream_made_there_is_ours_byte_for_byte,
    test_verify_finds_every_setting_equal_there,
    trusted,
)

pytestmark = at(("cortex-a53", ONNX_RUNTIME), ("neoverse-n1", ONNX_RUNTIME))
