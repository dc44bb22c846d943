"""All golden streams."""

from tests.golden import coding_cases, defence_cases, image_cases, stream_cases, value_cases
from tests.golden.case import Case

ROOMS = (coding_cases, value_cases, stream_cases, defence_cases, image_cases)
CASES: dict[str, Case] = {name: case for room in ROOMS for name, case in room.CASES.items()}
