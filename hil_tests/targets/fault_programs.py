"""The programs that make faults, brought to a target: the wheel of the runtime has none of them."""

from hil_tests.places.place import REPOSITORY
from hil_tests.targets.target import Target

PROGRAMS = ("hil_tests/__init__.py", "hil_tests/fault_programs")
"""Their paths in the checkout and on the target."""


def put_fault_programs(target: Target) -> None:
    """Copy them there. Raises TargetFailed."""
    for part in PROGRAMS:
        target.put(REPOSITORY / part, part)
