"""In which form the next segment is coded: a cheaper one while lines pile up, a dearer one again when there is room.

Forms are numbered from the dearest, 0, to the cheapest. The rule sees how full the buffer of lines is, with a budget
how much of the processor the last segment took, and what it decided before; nothing else. The buffer goes first: no
budget makes a form dearer than it does. benchmarks/results/form_rule.md has what the rule does to bursts and jitter.
"""

from dataclasses import dataclass
from typing import NamedTuple

from runtime.errors import BadArgument

ROOM_OF_BUDGET = 0.6
"""Up to so much of the budget of processor share the next dearer form may follow."""


@dataclass(frozen=True)
class FormRule:
    """Shares of the buffer and of the processor, 0..1, and segments. Raises BadArgument for what does not rise."""

    cheaper_at: float = 0.6  # From here on the next segment has the next cheaper form.
    dearer_at: float = 0.25  # Up to here the next dearer one
    last_resort_at: float = 0.9  # From here on the open segment ends at once, and the cheapest form follows.
    least_segments: int = 2  # Of a form before the next change, but by the last resort
    processor_share: float | None = None
    """Budget of the cores that the process may use: above it the next segment has the next cheaper form."""

    def __post_init__(self) -> None:
        """Hold the numbers against one another."""
        if not 0 <= self.dearer_at < self.cheaper_at <= self.last_resort_at <= 1:
            found = f"{self.dearer_at}, {self.cheaper_at}, {self.last_resort_at}"
            raise BadArgument(f"dearer_at, cheaper_at, last_resort_at: found {found}, allowed rising, 0..1")
        if self.least_segments < 1:
            raise BadArgument(f"least_segments: found {self.least_segments}, allowed 1 or more")
        if self.processor_share is not None and not 0 < self.processor_share <= 1:
            raise BadArgument(f"processor_share: found {self.processor_share}, allowed above 0, up to 1")


class FormHistory(NamedTuple):
    """What was decided."""

    form: int = 0  # Of the last segment that was begun
    n_segments: int = 0  # In this form, one after another


def next_form(rule: FormRule, history: FormHistory, fill: float, n_forms: int, share: float = 0.0) -> FormHistory:
    """The form of the segment that begins now. fill: share of the buffer that waits, 0..1. n_forms: 1 or more.

    share: of the processor, that the last segment took, 0..1; without a budget it says nothing.
    """
    form, cheapest = history.form, n_forms - 1
    budget = rule.processor_share
    is_over = budget is not None and share > budget
    has_room = budget is None or share <= ROOM_OF_BUDGET * budget
    if fill >= rule.last_resort_at:
        form = cheapest
    elif history.n_segments >= rule.least_segments:
        form += (fill >= rule.cheaper_at or is_over) and form < cheapest
        form -= fill <= rule.dearer_at and has_room and history.form > 0
    return FormHistory(form, history.n_segments + 1 if form == history.form else 1)


def must_end(rule: FormRule, history: FormHistory, fill: float, n_forms: int) -> bool:
    """Whether the open segment ends before the next line, so that the cheapest form takes that."""
    return fill >= rule.last_resort_at and history.form < n_forms - 1
