"""The options of a command line that say how an image is coded and defended; all programs that code share them."""

import functools
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from runtime.codec.coding_options import CodingOptions, coding_options
from runtime.command_options import executor_option, package_option, trust_option

OPTIONS = (
    click.option("--predictor", type=click.Choice(["linerwkv", "rls", "ccsds123", "dpcm", "plain"]),
        help="Default: linerwkv; plain: no prediction, samples in their bits each, lossless whatever --max-error is."),
    click.option("--stage", type=click.Choice(["none", "fast", "best"]), help="Adaptive stage; default: best, if any."),
    click.option("--max-error", type=click.IntRange(0), help="Largest error of any sample; default 0, lossless."),
    click.option("--quantisation", type=click.Choice(["in-loop", "prequantised"]),
        help="Where --max-error rounds: residuals or samples; default: in-loop; float32 packages allow prequantised."),
    click.option("--coder", type=click.Choice(["golomb", "hybrid", "range"]),
        help="Of residuals; golomb and hybrid are the standard's, which hardware has; default: range with best."),
    click.option("--network", type=click.Choice(["auto", "always"]),
        help="auto: segments go without the network where trials show that it does not gain; default auto."),
    click.option("--segment-lines", type=int, help="Lines that decode by themselves; default 64."),
    click.option("--isolate", is_flag=True, help="Run the executor in a worker process that may hang or die alone."),
    click.option("--line-deadline", type=click.FloatRange(0, min_open=True),
        help="Seconds that the worker of --isolate has for a line; then it is killed and restarted; default 10."),
    click.option("--guard", type=click.Choice(["off", "checks", "proof"]),
        help="Against flipped bits in memory: checksums and self-tests, or each segment decoded before it is sent."),
    click.option("--telemetry", type=click.Path(path_type=Path),
        help="A JSON line for each segment; -: standard output, standard error where the stream goes there."),
    click.option("--out-of-range", type=click.Choice(["stop", "clip"]),
        help="A sample beyond the bit depth ends a pipe's stream after the line before, or is clipped; default stop."),
    executor_option,
    package_option,
    trust_option,
)  # fmt: skip


def coding_words(**fixed: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options, but those of `fixed`, to a command, which is called with one `options: CodingOptions`."""
    names = {field.name for field in fields(CodingOptions)} - set(fixed)

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def called(*, package_path: Path | None, **values: Any) -> Any:
            words = {name: values.pop(name) for name in names & set(values)}
            return command(options=coding_options({**words, "package": package_path, **fixed}), **values)

        return functools.reduce(lambda made, option: option(made), reversed(OPTIONS), called)

    return decorated
