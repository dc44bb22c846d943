"""The verbs that make streams of images and images of streams, and show what a stream holds."""

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from runtime.codec.coding_options import CodingOptions
from runtime.codec.coding_words import coding_words
from runtime.command_options import (
    EXIT_BAD_INPUT,
    EXIT_CHECK_FAILED,
    MOST_TOLD,
    axes_option,
    executor_option,
    json_option,
    note,
    note_not_carried,
    tell_missing,
    threads_option,
    trust_option,
)
from runtime.errors import BadArgument, Corrupt, Foreign, LineRwkvError, Truncated, naming, one_line
from runtime.images.raw_lines import RawLayout
from runtime.images.raw_words import pipe_layout, raw_words
from runtime.images.special_words import special_option
from runtime.output_checks import PIPE, check_outputs
from runtime.standard_streams import standard_input

MOST_HEX = 32
"""Bytes of a record that are printed for people."""


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("output", metavar="OUT", type=click.Path(path_type=Path))
@coding_words()
@raw_words
@axes_option
@special_option
@threads_option
@json_option
def compress(
    source: Path, output: Path, options: CodingOptions, layout: RawLayout | None, bit_depth: int | None,
    axes: str | None, specials: tuple[int | float, ...], n_threads: int, as_json: bool,
) -> None:  # fmt: skip
    """Compress an image: ENVI, GeoTIFF, HDF5 or NetCDF, .npy, raw lines, or `-` for such from a pipe.

    FILE.nc:/PATH names a dataset of HDF5 or NetCDF; a folder is one of an EnMAP or DESIS product. --bands and --columns
    say that IN is raw lines without a header.
    """
    from runtime.codec.compression import compress_lines
    from runtime.codec.kept_lines import Line
    from runtime.images.image_of_scene import describe
    from runtime.images.raw_lines import describe_pipe, recorded_lines
    from runtime.images.raw_scene import open_raw, recorded, skipped_bytes, unread_header
    from runtime.images.scene_reader import not_carried, open_scene

    files: tuple[Path, ...] = (PIPE,)
    lines: Iterator[Line]
    if source == PIPE:
        layout, depth = pipe_layout(layout, bit_depth)
        if axes is not None:
            raise click.UsageError("--axes is of HDF5 and NetCDF, a pipe has --interleave")
        image, lines = describe_pipe(layout, depth, specials), recorded_lines(standard_input(), layout)
        note_not_carried(source, skipped_bytes(layout))
    else:
        scene = open_scene(source, axes, has_floats=True) if layout is None else open_raw(source, layout)
        files = scene.files
        if layout is not None and axes is not None:
            raise click.UsageError("--axes is of HDF5 and NetCDF, raw lines have --interleave")
        if layout is not None and (unread := unread_header(source)):
            note(f"{source}: read by --bands and --columns, not by {unread}")
        check_outputs([output], files)  # before the scan of all samples
        with naming(source, BadArgument):
            image, lines = describe(scene, bit_depth, options.out_of_range, specials), recorded(scene)
        if options.max_error and image.file_type.is_float:
            note(f"{source}: the maximum error is {options.max_error} times the scale of the samples: {image.allowed}")
        for text in scene.notes:
            note(f"{source}: {text}")
        note_not_carried(source, not_carried(scene, image))
    report = compress_lines(lines, image, output, options, inputs=files, n_threads=n_threads, is_live=source == PIPE)
    show(report.to_dict(), as_json, to_stderr=output == PIPE)
    for text in report.notes:
        note(text)
    if report.failure is not None:
        raise report.failure


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("output", metavar="[OUT]", type=click.Path(path_type=Path), required=False)
@click.option("-o", "--output", "named_output", type=click.Path(path_type=Path), help="OUT, by a word of its own.")
@click.option("--lines", metavar="A:B", help="Only lines A to B - 1; the segments that have them are read.")
@click.option("--bands", metavar="N,N:M", help="Only these bands, counted from 0, in this order.")
@click.option("--columns", metavar="A:B", help="Only columns A to B - 1.")
@click.option(
    "--package",
    "package_paths",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Flight package of the stream, more if given more than once; those that are shipped are found.",
)
@trust_option
@executor_option
@click.option("--salvage", is_flag=True, help="Give back every intact segment; exit code 1 where lines are missing.")
@click.option("--fill", type=int, default=0, show_default=True, help="Samples of lines that are missing.")
@click.option("--with-records", is_flag=True, help="To a pipe: raw frames, each line with its header and trailer.")
@threads_option
@json_option
def decompress(
    source: Path, output: Path | None, named_output: Path | None, lines: str | None, bands: str | None,
    columns: str | None, package_paths: tuple[Path, ...], trust: Path | None, executor: str, salvage: bool, fill: int,
    with_records: bool, n_threads: int, as_json: bool,
) -> None:  # fmt: skip
    """Restore an image as ENVI (OUT.hdr), GeoTIFF (OUT.tif), OUT.npy, OUT.zarr, or `-`: raw little-endian BIL lines.

    Where lines are missing, OUT.lines.json says which; records of lines are in OUT.records.bin and OUT.records.json.
    """
    from runtime.cell.flight_package import open_package
    from runtime.codec.chosen_output import decompress_chosen
    from runtime.codec.compression import decompress as decompress_stream
    from runtime.codec.compression import decompress_salvaged

    if (output is None) == (named_output is None):
        raise click.UsageError("an output is given once: OUT, or -o OUT")
    output = output or named_output or PIPE
    if with_records and output != PIPE:
        raise click.UsageError("--with-records is for an output -; beside OUT.hdr records have files of their own")
    packages = [open_package(path, trust) for path in package_paths]
    n_threads = 1 if source == PIPE else n_threads  # lines come out as they come in
    restore = decompress_salvaged if salvage else partial(decompress_stream, n_threads=n_threads)
    if (words := (lines, bands, columns)) != (None, None, None):
        restore = partial(decompress_chosen, words=words, salvage=salvage, n_threads=n_threads)
    try:
        report = restore(source, output, packages, executor, fill, with_records=with_records, trust=trust)
    except (Corrupt, Truncated) as error:
        advice = "" if salvage or isinstance(error, Foreign) else "; --salvage gives what is intact"
        raise type(error)(f"{error}{advice}") from error
    is_whole = words == (None, None, None)  # else bytes and seconds are of segments, and the image of a part
    show(report.to_dict(), as_json, to_stderr=output == PIPE, has_rate=is_whole)
    for text in report.notes[:MOST_TOLD]:
        note(text)
    tell_missing(report.missing_lines, in_output=f" and {fill} in the output", more=", --json lists all")
    if report.missing_from is not None:
        where = f"lines from {report.missing_from} on"
        click.echo(
            f"linerwkv: {where} may be missing: the end of the stream is, which says how many there were", err=True
        )
    if salvage and (report.missing_lines or report.missing_from is not None or report.n_lost_records):
        sys.exit(EXIT_CHECK_FAILED)


@click.command()
@click.argument("sources", metavar="FILE...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--records", "only_records", is_flag=True, help="Print the records of lines in place of these.")
@json_option
def info(sources: tuple[Path, ...], only_records: bool, as_json: bool) -> None:
    """Print the header and the segments of streams, after checking every checksum; of a cut one as far as it goes.

    --json: an object on a line for each. The exit code is 2 where one of them is not sound.
    """
    from runtime.codec.stream_info import stream_info_so_far, stream_records
    from runtime.commands.info_text import info_text

    if only_records:
        for source in sources:
            show_records(stream_records(source), as_json)
        return
    n_wrong = 0
    for source in sources:
        try:
            description, error = stream_info_so_far(source)
        except LineRwkvError as found:
            description, error = {}, found
        wrong = None if error is None else one_line(error)
        if as_json and (description or len(sources) > 1):
            click.echo(json.dumps({"file": str(source), **description, "error": wrong}))
        elif description:
            click.echo(info_text(source, description))
        if wrong is not None:
            click.echo(f"linerwkv: {wrong}", err=True)
            n_wrong += 1
    if n_wrong:
        sys.exit(EXIT_BAD_INPUT)


def show_records(records: Iterator[tuple[int, bytes]], as_json: bool) -> None:
    """Print the records of lines."""
    for y, record in records:
        shown = record.hex() if as_json else cut_hex(record)
        values = {"line": y, "bytes": len(record), "hex": shown}
        click.echo(json.dumps(values) if as_json else f"line {y:<8} {len(record)} bytes  {shown}")


def cut_hex(data: bytes) -> str:
    """The first bytes in hexadecimal."""
    return data[:MOST_HEX].hex() + ("..." if len(data) > MOST_HEX else "")


def show(values: dict[str, Any], as_json: bool, *, to_stderr: bool, has_rate: bool = True) -> None:
    """Print a report; to standard error where standard output carries data."""
    line = "{lines} lines x {bands} bands x {columns} columns"
    if has_rate:
        line += ": {bytes:,} bytes, {bits_per_sample} bits per sample, {msamples_per_s} Msamples/s"
    if values["segments_with_network"] is not None:
        line += ", network in {segments_with_network} of {segments} segments"
    click.echo(json.dumps(values) if as_json else line.format(**values), err=to_stderr)
