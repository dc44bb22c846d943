"""The options of a command line that say how raw lines without a header lie; all programs that read such share them."""

import functools
from collections.abc import Callable
from typing import Any

import click

from runtime.images.line_form import LineForm
from runtime.images.line_frame import LineFrame
from runtime.images.packed_samples import PACKINGS, BitOrder
from runtime.images.raw_lines import RawLayout
from runtime.stream.sample_map import LARGEST_STEP, SampleMap

NEEDED = "--bands, --columns and --bit-depth"
OPTIONS = (
    click.option("--bit-depth", type=click.IntRange(8, 16),
        help="Bits per sample; raw lines of a pipe need them, or --packing; else found by a scan."),
    click.option("--bands", type=int, help="Bands of a raw line; with --columns a file is read without a header."),
    click.option("--columns", type=int, help="Columns of a raw line."),
    click.option("--dtype", help="Type of raw samples: uint8, <i2, >u2 and other integers; default: <u2."),
    click.option("--packing", type=click.Choice([*map(str, PACKINGS)]),
        help="Bits of a raw sample that is packed, unsigned, without gaps across bytes."),
    click.option("--bit-order", type=click.Choice([one.value for one in BitOrder]),
        help="First bit of packed bytes; default: msb."),
    click.option("--interleave", type=click.Choice(["bil", "bip", "bsq"]),
        help="Of raw lines; bsq of a file only; default: bil."),
    click.option("--row-alignment", type=int, metavar="BITS",
        help="Each band's row of a raw line is padded to a multiple; default: 1, no padding."),
    click.option("--line-alignment", type=int, metavar="BITS",
        help="The samples of each raw line are padded to a multiple; default: 8."),
    click.option("--line-header", type=int, metavar="BYTES",
        help="Bytes before the samples of each raw line, which are part of its record; default: 0."),
    click.option("--line-trailer", type=int, metavar="BYTES", help="The same after them; default: 0."),
    click.option("--offset", type=int, metavar="BYTES", help="Bytes before the first raw line; default: 0."),
    click.option("--sample-step", type=click.IntRange(1, LARGEST_STEP),
        help="Samples of a pipe are multiples of it, added to --sample-offset: 16 for 12 bits in the upper of 16."),
    click.option("--sample-offset", type=int, help="The least that samples of a pipe can be, for --sample-step."),
)  # fmt: skip


def raw_words(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which is called with `layout: RawLayout | None` and `bit_depth: int | None`.

    No layout: none of its options was given.
    """

    @functools.wraps(command)
    def called(
        *, bit_depth: int | None, bands: int | None, columns: int | None, dtype: str | None, packing: str | None,
        bit_order: str | None, interleave: str | None, row_alignment: int | None, line_alignment: int | None,
        line_header: int | None, line_trailer: int | None, offset: int | None,
        sample_step: int | None, sample_offset: int | None, **values: Any,
    ) -> Any:  # fmt: skip
        others = {
            "dtype": dtype, "packing": packing, "bit-order": bit_order, "interleave": interleave,
            "row-alignment": row_alignment, "line-alignment": line_alignment, "line-header": line_header,
            "line-trailer": line_trailer, "offset": offset, "sample-step": sample_step, "sample-offset": sample_offset,
        }  # fmt: skip
        given = [f"--{name}" for name, value in others.items() if value is not None]
        if bands is None or columns is None:
            if given or bands is not None or columns is not None:
                what = given[0] if given else "--columns" if bands is None else "--bands"
                raise click.UsageError(f"{what} is of raw lines, which need {NEEDED}")
            return command(layout=None, bit_depth=bit_depth, **values)
        if packing is not None and dtype is not None:
            raise click.UsageError("--dtype with --packing, allowed one of them: packed samples are unsigned")
        if bit_order is not None and packing is None:
            raise click.UsageError("--bit-order without --packing, which it is of")
        form = LineForm(
            None if packing is None else int(packing), BitOrder(bit_order or BitOrder.MSB),
            1 if row_alignment is None else row_alignment, 8 if line_alignment is None else line_alignment, offset or 0,
        )  # fmt: skip
        frame = LineFrame(line_header or 0, line_trailer or 0)
        codes = SampleMap(sample_offset or 0, sample_step or 1)
        layout = RawLayout(bands, columns, dtype or "<u2", interleave or "bil", form, frame, codes)
        return command(layout=layout, bit_depth=bit_depth or form.packing, **values)

    return functools.reduce(lambda made, option: option(made), reversed(OPTIONS), called)


def pipe_layout(layout: RawLayout | None, bit_depth: int | None) -> tuple[RawLayout, int]:
    """What the lines of a pipe need. Raises UsageError where it was not given."""
    if layout is None or bit_depth is None:
        raise click.UsageError(f"a pipe needs {NEEDED}")
    return layout, bit_depth
