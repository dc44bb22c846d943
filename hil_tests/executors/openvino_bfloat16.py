"""OpenVINO with leave to compute in bfloat16, which is not exact: for the test that the self-test refuses it."""

from pathlib import Path

from hil_tests.executors.openvino_executor import CONFIGURATION, OpenVinoCells
from runtime.cell.flight_package import open_package

BFLOAT16 = {**CONFIGURATION, "INFERENCE_PRECISION_HINT": "bf16", "EXECUTION_MODE_HINT": "PERFORMANCE"}


def load(source: Path) -> OpenVinoCells:
    """The cells of a flight package; in float32 where the processor has no bfloat16."""
    return OpenVinoCells(open_package(source), BFLOAT16)
