"""Rate, speed and memory of LineRWKV and of what else there is, on every scene (make bench-rate).

    python -m benchmarks.rate                                   # what is missing in results/rate.json
    python -m benchmarks.rate --rows 'ccsds*' --scenes 'abu_*'  # some rows on some scenes
    python -m benchmarks.rate --package new=runs/package --checkpoint paper=runs/paper/best.ckpt
    python -m benchmarks.rate --check                           # whether the figures are what they must be

Each measurement is kept when it is made; the next run continues. Packages that cross_validation.json lists are measured
too. Another package, stream version or number of a stage is measured again by itself; after any other change of a codec
use --redo.
"""

import json
import time
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from benchmarks.harness.record import RESULTS
from benchmarks.harness.reference_loop import loop_msteps_per_s
from benchmarks.rate import store as rate_store
from benchmarks.rate.check import check
from benchmarks.rate.measure import measure, memory
from benchmarks.rate.rows import MAX_ERRORS, FloatNetwork, Row, Trained, all_rows, listed_packages
from benchmarks.rate.scenes import Entry, entries, matches
from benchmarks.rate.store import Key
from benchmarks.rate.tables import markdown
from hil_tests.findings.provenance import head

MEMORY_SCENE = "hyspecnet_dt4950_x03110438"
"""Where peak memory is measured, lossless."""
LOOP_IS_FRESH_S = 60


class Yardstick:
    """The machine, and the reference loop timed within the last minute."""

    def __init__(self) -> None:
        self.head = head()
        self.timed_at = float("-inf")
        self.loop = 0.0

    def msteps_per_s(self) -> float:
        """Of the reference loop."""
        if time.monotonic() - self.timed_at > LOOP_IS_FRESH_S:
            self.loop, self.timed_at = round(loop_msteps_per_s(), 1), time.monotonic()
        return self.loop


def pairs(values: tuple[str, ...]) -> dict[str, Path]:
    """NAME=PATH options."""
    found = {}
    for value in values:
        name, separator, path = value.partition("=")
        if not separator or not Path(path).exists():
            raise click.BadParameter(f"{value!r}, allowed NAME=PATH of something that is there")
        found[name] = Path(path).resolve()
    return found


def packages(given: dict[str, Path]) -> list[Trained]:
    """Those of cross_validation.json; a given package takes the place of one of the same name."""
    listed = {package.name: package for package in listed_packages()}
    for name, folder in given.items():
        old = listed.get(name)
        listed[name] = Trained(name, folder, old.unseen, old.measured) if old else Trained(name, folder)
    return list(listed.values())


def cell(row: Row, entry: Entry, max_error: int, yardstick: Yardstick) -> dict[str, Any]:
    """One measurement."""
    loop = yardstick.msteps_per_s()
    if isinstance(row.codec, FloatNetwork):
        return {**row.seen(entry.name), **row.codec.measure(entry.open())}
    values = {**row.seen(entry.name), **measure(row.codec, entry.open(), max_error), "loop_msteps_per_s": loop}
    if entry.name == MEMORY_SCENE and max_error == 0:
        values |= memory(row.codec, entry, values["settings"])
    return values


def run(rows: list[Row], scenes: list[Entry], max_errors: tuple[int, ...], output: Path, redo: bool) -> list[Key]:
    """Measure what is missing; the keys of all cells that were asked for."""
    results = rate_store.load(output)
    yardstick = Yardstick()
    identities = {row.codec.name: row.codec.identity for row in rows}
    wanted = [
        (row, entry, max_error)
        for row in rows
        for max_error in max_errors
        for entry in scenes
        if row.is_measured(entry.name, max_error)
    ]
    keys = [Key(row.codec.name, entry.name, max_error) for row, entry, max_error in wanted]
    with tqdm(total=len(wanted), unit="cell", disable=None) as bar:
        for key, (row, entry, max_error) in zip(keys, wanted, strict=True):
            identity = identities[row.codec.name]
            bar.set_description(f"{row.codec.name} {entry.name} {max_error or ''}")
            if redo or rate_store.find(results, key, identity) is None:
                rate_store.add(output, key, identity, yardstick.head, cell(row, entry, max_error, yardstick))
            bar.update()
    return keys


@click.command(help=__doc__)
@click.option("--rows", multiple=True, default=("*",), metavar="PATTERN", help="Rows by name; --list prints them.")
@click.option("--scenes", multiple=True, default=("*",), metavar="PATTERN", help="Scenes by name.")
@click.option("--max-error", "max_errors", multiple=True, type=int, default=MAX_ERRORS, help="Some of them only.")
@click.option("--package", "given", multiple=True, metavar="NAME=FOLDER", help="A flight package.")
@click.option("--checkpoint", "floats", multiple=True, metavar="NAME=FILE", help="A float network (needs torch).")
@click.option("--output", type=click.Path(path_type=Path), default=RESULTS / "rate.json", show_default=True)
@click.option("--redo", is_flag=True, help="Measure again what is there.")
@click.option("--list", "is_list", is_flag=True, help="Print the names of the rows.")
@click.option("--check", "is_check", is_flag=True, help="Measure nothing; exit code 1 where a criterion fails.")
@click.option("--json", "as_json", is_flag=True, help="Print the measurements that were asked for as JSON.")
def main(
    rows: tuple[str, ...],
    scenes: tuple[str, ...],
    max_errors: tuple[int, ...],
    given: tuple[str, ...],
    floats: tuple[str, ...],
    output: Path,
    redo: bool,
    is_list: bool,
    is_check: bool,
    as_json: bool,
) -> None:
    """Measure, store, print."""
    if is_check:
        raise SystemExit(0 if check(rate_store.load(output)) else 1)
    chosen = [row for row in all_rows(packages(pairs(given)), pairs(floats)) if matches(row.codec.name, rows)]
    if is_list:
        click.echo("\n".join(row.codec.name for row in chosen))
        return
    keys = run(chosen, [entry for entry in entries() if matches(entry.name, scenes)], max_errors, output, redo)
    results = rate_store.load(output)
    output.with_suffix(".md").write_text(markdown(results))
    if as_json:
        click.echo(json.dumps([results.measurements[key] for key in keys]))
    else:
        click.echo(f"{output}, {output.with_suffix('.md')}")


if __name__ == "__main__":
    main()
