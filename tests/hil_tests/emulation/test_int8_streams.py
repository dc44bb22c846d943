"""The streams that int8_elsewhere.py hands to other places are of the network and the stage."""

import pytest

from tests.hil_tests.emulation.int8_elsewhere import STAGES, Trusted


@pytest.mark.slow
def test_the_stage_and_the_cell_take_part(trusted: Trusted) -> None:
    """The streams differ with the stage, and are shorter than the samples: not every line is plain."""
    sizes = {stage: trusted.stream(stage).stat().st_size for stage in STAGES}
    assert len(set(sizes.values())) == len(STAGES)
    assert max(sizes.values()) < trusted.samples.nbytes
