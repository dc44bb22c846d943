"""What can be done to a target that is a machine of its own, and must not be done to the computer of a user."""

from typing import Protocol, runtime_checkable

from hil_tests.faults.fault_failed import NotPossible
from hil_tests.targets.target import Target


@runtime_checkable
class Linked(Protocol):
    """A target that is reached by a link."""

    def cut_link(self) -> None:
        """No byte is passed either way until `restore_link`."""

    def restore_link(self) -> None:
        """Pass bytes again, and connect. Raises TargetFailed."""


def is_whole_machine(target: Target) -> bool:
    """Whether the target has a power switch and a clock that are ours to use."""
    return bool(getattr(target, "is_whole_machine", False))


def need_whole_machine(target: Target, what: str) -> None:
    """Raises NotPossible where `what` of the target is not ours to change."""
    if not is_whole_machine(target):
        raise NotPossible(f"{what} of {target.name} is not ours to change")
