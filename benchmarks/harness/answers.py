"""What each benchmark answers, in a sentence of its own figures: how its page begins.

Every answer is a function of the record, so that a page can be written again from its JSON file, and no sentence can
say another figure than the table below it.
"""

from collections.abc import Callable

from benchmarks.harness import rate_answers, speed_answers
from benchmarks.harness.answer_words import Record

ANSWERS: dict[str, Callable[[Record], str]] = {
    one.__name__: one
    for one in (
        rate_answers.checkpoint, rate_answers.cross_validation, rate_answers.expected_scale,
        rate_answers.features, rate_answers.filter_taps, rate_answers.finetune, rate_answers.flown_rule,
        rate_answers.form_rule,
        rate_answers.forms, rate_answers.network_choice, rate_answers.network_forms, rate_answers.packet_loss,
        rate_answers.prior_two_bands, rate_answers.segment_lines, rate_answers.simulated_training,
        rate_answers.special_values,
        speed_answers.adaptive_speed, speed_answers.against, speed_answers.archive, speed_answers.bank_step,
        speed_answers.cell_step, speed_answers.closing_line, speed_answers.flight_profile,
        speed_answers.golomb_speed, speed_answers.guard, speed_answers.int8_line, speed_answers.kernels_ahead,
        speed_answers.line_latency, speed_answers.live_threads,
        speed_answers.random_access, speed_answers.real_time, speed_answers.stage_parts, speed_answers.start,
        speed_answers.threads, speed_answers.training_step, speed_answers.two_images,
    )
}  # fmt: skip
"""By the name of a result, or its beginning: `checkpoint` answers for `checkpoint_paper`."""


def begin_of(name: str) -> str | None:
    """The key of ANSWERS for a result."""
    return next((begin for begin in ANSWERS if f"{name}_".startswith(f"{begin}_")), None)


def is_answered(name: str) -> bool:
    """Whether a result has a sentence, and so a page of `benchmarks.harness.page`."""
    return begin_of(name) is not None


def answer(name: str, record: Record) -> str:
    """The sentence of a result. Raises KeyError for one that answers nothing."""
    return ANSWERS[begin_of(name) or name](record)
