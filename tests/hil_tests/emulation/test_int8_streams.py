"""The streams that int8_elsewhere.py hands to other places are of the network and the stage."""

import pytest

from tests.hil_tests.emulation.int8_elsewhere import (  # noqa: F401  # a test, and its fixture
    test_the_stage_and_the_cell_take_part,
    trusted,
)

pytestmark = pytest.mark.slow
