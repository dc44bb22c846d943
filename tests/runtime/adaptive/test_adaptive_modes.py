"""The adaptive stage where Python runs its kernels, and where compiled code checks every index."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TESTS, LANES = "tests/runtime/adaptive/test_adaptive_stage.py", "tests/runtime/kernels/test_lanes.py"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "tests"),
    [
        ("NUMBA_DISABLE_JIT", [f"{TESTS}::test_kernels_equal_the_reference_bit_for_bit", LANES]),
        ("NUMBA_BOUNDSCHECK", [f"{TESTS}::test_what_is_encoded_is_decoded"]),
    ],
)
def test_kernels_hold_without_compilation_and_with_checked_indices(mode: str, tests: list[str], tmp_path: Path) -> None:
    environment = os.environ | {mode: "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert " passed" in done.stdout
