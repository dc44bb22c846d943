"""`linerwkv hil rehearse`: the method of an energy run on simulated boards whose true joules are known."""

import json
import sys

import click

from hil_tests.energy.rehearsal import rehearsal, summary
from runtime.command_options import EXIT_CHECK_FAILED, json_option

SLOW_HZ = 1.0
LEAST_WITHIN = 0.92
"""Of the cases: 1.95 standard deviations below 95 % where there are 200."""


@click.command("rehearse")
@click.option("--cases", default=200, show_default=True, type=click.IntRange(1), help="Random boards and meters.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@json_option
def rehearse_command(cases: int, seed: int, as_json: bool) -> None:
    """Measure simulated boards whose true joules are known; exit code 1 where the stated intervals do not hold.

    Meters have another clock, drift, noise and lost samples. As many cases again are sampled once a second: each of
    them must be called not adequate.
    """
    found, slow = summary(rehearsal(cases, seed)), summary(rehearsal(cases, seed, SLOW_HZ))
    n_sound = found["cases"] - found["flagged"]
    passed = found["within"] >= LEAST_WITHIN * n_sound and not found["beyond_3"] and slow["flagged"] == cases
    if as_json:
        click.echo(json.dumps({"passed": passed, "random": found, "1 Hz": slow}))
    else:
        click.echo(
            f"{found['within']} of {n_sound} cases within the stated 95 % interval, {found['beyond_3']} beyond three "
            f"times it, the farthest at {found['largest']:.2f} of it; {found['flagged']} called not adequate"
        )
        click.echo(f"sampled at 1 Hz: {slow['flagged']} of {cases} called not adequate")
        click.echo(f"simulated boards, seed {seed}: {'passed' if passed else 'failed'}")
    if not passed:
        sys.exit(EXIT_CHECK_FAILED)
