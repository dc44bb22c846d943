"""The verbs that work over archives: linerwkv archive verify, decode, statistics, transcode."""

import functools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from runtime.command_options import EXIT_CHECK_FAILED, json_option, note
from runtime.usable_cores import usable_cores

LEDGER = "ledger.jsonl"
OPTIONS = (
    click.argument("sources", metavar="FILE...", nargs=-1, required=True),
    click.option("--scheduler", metavar="ADDRESS", help="Of Dask, tcp://HOST:PORT; default: processes here."),
    click.option("--workers", "n_workers", type=click.IntRange(1), default=usable_cores,
        show_default="all cores allowed", help="Processes of this machine, each of one thread."),
    click.option("--ledger", type=click.Path(path_type=Path),
        help=f"Remembers finished files, so that the same command goes on; default: {LEDGER} in the output, if any."),
    json_option,
)  # fmt: skip
package_option = click.option(
    "--package", "packages", multiple=True, help="Flight package of the streams, a path; others are found."
)
output_option = click.option(
    "-o", "--output", "folder", required=True, type=click.Path(path_type=Path, file_okay=False),
    help="A folder; files are named as their sources.",
)  # fmt: skip


def over_archives(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that all four verbs have."""
    return functools.reduce(lambda made, option: option(made), reversed(OPTIONS), command)


@click.command()
@over_archives
@package_option
def verify(sources: tuple[str, ...], packages: tuple[str, ...], **where: Any) -> None:
    """Decode every FILE, a stream or its URL, and hold all of it against its checksums."""
    run("verify", sources, lambda _: {"packages": absolute(packages)}, **where)


@click.command()
@over_archives
@output_option
@package_option
@click.option("--format", "form", type=click.Choice(["hdr", "tif", "npy", "zarr"]), default="hdr", show_default=True)
def decode(sources: tuple[str, ...], folder: Path, packages: tuple[str, ...], form: str, **where: Any) -> None:
    """Restore the image of every FILE, a stream or its URL, into a folder."""

    def options(source: str) -> dict[str, Any]:
        return {"output": output_of(folder, source, form), "packages": absolute(packages)}

    run("decode", sources, options, folder, **where)


@click.command()
@over_archives
@package_option
def statistics(sources: tuple[str, ...], packages: tuple[str, ...], **where: Any) -> None:
    """Smallest, largest and mean sample of each band of every FILE, a stream or its URL, and lines that it lacks."""
    run("statistics", sources, lambda _: {"packages": absolute(packages)}, **where)


@click.command()
@over_archives
@output_option
@package_option
@click.option("--ccsds123", "is_ccsds123", is_flag=True, help="What is no stream is an image of CCSDS 123.0-B-2.")
@click.option("--fill", type=float, help="Of lines that a stream lacks, where it declares no value for such samples.")
@click.option("--predictor", type=click.Choice(["linerwkv", "rls", "ccsds123", "dpcm"]), help="Default: linerwkv.")
@click.option("--stage", type=click.Choice(["none", "fast", "best"]), help="Adaptive stage; default: best, if any.")
@click.option("--segment-lines", type=int, help="Lines of each segment; default 64.")
@click.option("--encode-package", help="Flight package that codes; default: flight.")
def transcode(
    sources: tuple[str, ...], folder: Path, packages: tuple[str, ...], is_ccsds123: bool, fill: float | None,
    predictor: str | None, stage: str | None, segment_lines: int | None, encode_package: str | None, **where: Any,
) -> None:  # fmt: skip
    """Make of every FILE a lossless stream with regular segments, in a folder.

    FILE is an image that `linerwkv compress` reads, an image of CCSDS 123, or a stream. A stream gets its name when it
    was decoded and all samples and records are those of FILE.
    """
    package = None if encode_package is None else absolute([encode_package])[0]
    words = {"predictor": predictor, "stage": stage, "segment_lines": segment_lines, "package": package}
    whole = int(fill) if fill is not None and fill.is_integer() else fill

    def options(source: str) -> dict[str, Any]:
        return {
            "output": output_of(folder, source, "lrwk"), "words": words, "is_ccsds123": is_ccsds123, "fill": whole,
            "packages": absolute(packages),
        }  # fmt: skip

    from runtime.codec.coding_options import coding_options

    coding_options(words)
    run("transcode", sources, options, folder, **where)


def absolute(paths: Sequence[str]) -> list[str]:
    """Paths for processes elsewhere; what is none is a name."""
    return [str(Path(path).absolute()) if Path(path).exists() else path for path in paths]


def output_of(folder: Path, source: str, suffix: str) -> str:
    """The name of a source in a folder."""
    return str(folder.absolute() / f"{Path(source).stem}.{suffix}")


def run(
    operation: str, sources: Sequence[str], options: Callable[[str], dict[str, Any]], folder: Path | None = None, *,
    scheduler: str | None, n_workers: int, ledger: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Work, print the report; exit code 1 where a file has an error. Raises BadArgument before any work."""
    from linerwkv.ground.archive_files import place_of
    from linerwkv.ground.archive_report import report_text
    from linerwkv.ground.archive_work import Task, checked_tasks, files_of_source, work

    places = list(dict.fromkeys(map(place_of, sources)))
    tasks = [Task(place, options(place), files_of_source(operation, place)) for place in places]
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        ledger = ledger or folder / LEDGER
    checked_tasks(tasks, ledger)
    outcomes = work(operation, tasks, ledger, scheduler, n_workers)
    failed = [one for one in outcomes if one["error"] is not None]
    if as_json:
        click.echo(json.dumps({"operation": operation, "files": outcomes, "failed": len(failed)}))
    else:
        click.echo(report_text(operation, outcomes))
    for one in outcomes:
        for told in one.get("notes", ()):
            note(f"{one['source']}: {told}")
    for one in failed:
        click.echo(f"linerwkv: {one['source']}: {one['error']}", err=True)
    if failed:
        sys.exit(EXIT_CHECK_FAILED)
