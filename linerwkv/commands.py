"""The verbs of the ground, which the command `linerwkv` finds by entry points."""

import json
import sys
from pathlib import Path

import click

from linerwkv.ground.archive_commands import decode, statistics, transcode, verify
from runtime.codec.chosen_output import numbers_of, run_of
from runtime.command_options import EXIT_BAD_INPUT, EXIT_CHECK_FAILED, json_option, note, tell_missing

package_paths = click.option(
    "--package", "package_paths", type=click.Path(path_type=Path), multiple=True,
    help="Flight package of the stream, more if given more than once; others are found.",
)  # fmt: skip


@click.command()
@click.argument("source", metavar="STREAM")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="A name ending in .png.")
@click.option("--lines", metavar="A:B", help="Only lines A to B - 1; the segments that have them are read.")
@click.option("--bands", metavar="R,G,B", help="Counted from 0; default: by wavelengths, or default bands.")
@package_paths
@json_option
def quicklook(
    source: str, output: Path, lines: str | None, bands: str | None, package_paths: tuple[Path, ...], as_json: bool
) -> None:
    """Write a picture of STREAM, a file or URL; missing lines are magenta, exit code 1 where damage is the reason."""
    from linerwkv.quicklook import quicklook as draw
    from linerwkv.stream_image import StreamImage

    with StreamImage(source, missing="fill") as image:
        n_lines, n_bands, _ = image.shape
    look = draw(
        source, output, None if lines is None else run_of(lines, n_lines, "lines"),
        None if bands is None else numbers_of(bands, n_bands, "bands"), package_paths,
    )  # fmt: skip
    if as_json:
        click.echo(json.dumps({
            "lines": [look.lines.start, look.lines.stop - 1], "bands": look.bands,
            "missing_lines": look.missing_lines, "missing_from": look.missing_from,
        }))  # fmt: skip
    else:
        click.echo(
            f"{output}: lines {look.lines.start}..{look.lines.stop - 1}, bands {', '.join(map(str, look.bands))}"
        )
    tell_missing(look.missing_lines)
    if look.missing_from is not None:
        click.echo(f"linerwkv: lines from {look.missing_from} on may be missing: the end of the stream is", err=True)
    if look.missing_from is not None or (look.is_damaged and look.missing_lines):
        sys.exit(EXIT_CHECK_FAILED)


@click.group()
def archive() -> None:
    """Work over archives of streams: by Dask on many files, and by an index without a second copy."""


for verb in (decode, statistics, transcode, verify):
    archive.add_command(verb)


@archive.command("index")
@click.argument("sources", metavar="STREAM...", nargs=-1, required=True)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Ends in .json or .parquet.")
@json_option
def index_streams(sources: tuple[str, ...], output: Path, as_json: bool) -> None:
    """Write Kerchunk references: each STREAM, a file or URL, is an array of Zarr whose chunks are its segments.

    Streams with irregular segments are named and left out, exit code 1.
    """
    from linerwkv.ground.archive_index import archive_index, write_index

    index = archive_index(sources)
    for text in index.notes:
        note(text)
    for text in index.refused:
        click.echo(f"linerwkv: {text}", err=True)
    if len(index.refused) == len(sources):
        sys.exit(EXIT_BAD_INPUT)
    write_index(index, output, sources)
    n_chunks = sum(isinstance(one, list) for one in index.references.values())
    values = {"arrays": len(sources) - len(index.refused), "chunks": n_chunks, "refused": index.refused}
    click.echo(json.dumps(values) if as_json else f"{output}: {values['arrays']} arrays, {n_chunks} chunks")
    if index.refused:
        sys.exit(EXIT_CHECK_FAILED)
