"""In which form the next segment is coded: a cheaper one while lines pile up, a dearer one again when there is room.

Forms are numbered from the dearest, 0, to the cheapest. The rule sees how full the buffer of lines is, and what it
decided before; nothing else. benchmarks/results/form_rule.md has what it does to bursts and jitter.
"""

from dataclasses import dataclass
from typing import NamedTuple

from runtime.errors import BadArgument


@dataclass(frozen=True)
class FormRule:
    """Shares of the buffer, 0..1, and segments. Raises BadArgument for what does not rise."""

    cheaper_at: float = 0.6  # From here on the next segment has the next cheaper form.
    dearer_at: float = 0.25  # Up to here the next dearer one
    last_resort_at: float = 0.9  # From here on the open segment ends at once, and the cheapest form follows.
    least_segments: int = 2  # Of a form before the next change, but by the last resort

    def __post_init__(self) -> None:
        """Hold the numbers against one another."""
        if not 0 <= self.dearer_at < self.cheaper_at <= self.last_resort_at <= 1:
            found = f"{self.dearer_at}, {self.cheaper_at}, {self.last_resort_at}"
            raise BadArgument(f"dearer_at, cheaper_at, last_resort_at: found {found}, allowed rising, 0..1")
        if self.least_segments < 1:
            raise BadArgument(f"least_segments: found {self.least_segments}, allowed 1 or more")


class FormHistory(NamedTuple):
    """What was decided."""

    form: int = 0  # Of the last segment that was begun
    n_segments: int = 0  # In this form, one after another


def next_form(rule: FormRule, history: FormHistory, fill: float, n_forms: int) -> FormHistory:
    """The form of the segment that begins now. fill: share of the buffer that waits, 0..1. n_forms: 1 or more."""
    form, cheapest = history.form, n_forms - 1
    if fill >= rule.last_resort_at:
        form = cheapest
    elif history.n_segments >= rule.least_segments:
        form += (fill >= rule.cheaper_at and form < cheapest) - (fill <= rule.dearer_at and form > 0)
    return FormHistory(form, history.n_segments + 1 if form == history.form else 1)


def must_end(rule: FormRule, history: FormHistory, fill: float, n_forms: int) -> bool:
    """Whether the open segment ends before the next line, so that the cheapest form takes that."""
    return fill >= rule.last_resort_at and history.form < n_forms - 1
