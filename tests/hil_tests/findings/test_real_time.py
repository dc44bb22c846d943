"""What a speed means for imagers that fly."""

import math

import pytest

from hil_tests.findings.real_time import IMAGERS, real_time_sentence, real_times


def test_the_speed_that_an_imager_needs_is_real_time_for_it() -> None:
    for imager in IMAGERS:
        assert imager.reached(imager.msamples_per_s).share == pytest.approx(1)
        assert imager.reached(imager.msamples_per_s / 4).lines_per_s == pytest.approx(imager.lines_per_s / 4)


def test_enmap_needs_51_megasamples_a_second() -> None:
    assert IMAGERS[0].name == "EnMAP"
    assert IMAGERS[0].msamples_per_s == pytest.approx(51.52)


def test_the_sentence_names_those_that_are_met_and_the_one_that_is_farthest() -> None:
    assert real_time_sentence(0.5) == (
        "0.5 Msamples/s: real time for none of these imagers; DESIS needs 112 times the speed"
    )
    assert "real time for HYPSO-1; DESIS" in real_time_sentence(2)
    assert real_time_sentence(1000).endswith("EnMAP, PRISMA, EMIT, DESIS, HYPSO-1")
    assert all(one.share > 1 for one in real_times(1000))


@pytest.mark.parametrize("speed", [0.0, math.nan])
def test_no_speed_is_told(speed: float) -> None:
    assert real_time_sentence(speed) == "no speed was measured: real time is not known"
