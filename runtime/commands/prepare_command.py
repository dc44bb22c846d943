"""The verb that compiles kernels before they are needed: in the build of an image, at the install on a board."""

import json
import warnings
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import click

from runtime.codec.coding_options import CodingOptions
from runtime.codec.coding_words import coding_words
from runtime.command_options import json_option

N_BANDS, N_COLUMNS, DEPTH = 8, 16, 12  # of an image whose lines bring the types that larger ones do


def every_way(options: CodingOptions) -> Iterator[CodingOptions]:
    """Every predictor with each of its stages, without an error and with one in each place; the rest as given."""
    from runtime.stream.kinds import PredictorKind, Quantisation
    from runtime.stream.segment_header import allowed_stages

    errors = [(0, None), *product((2,), Quantisation)]
    for predictor in PredictorKind:
        for stage, (max_error, quantisation) in product(allowed_stages(predictor), errors):
            chosen = replace(options, predictor=predictor, stage=stage)
            yield replace(chosen, max_error=max_error, quantisation=quantisation)


@click.command()
@coding_words(index=False)
@click.option("--all", "is_all", is_flag=True, help="For every predictor, stage and place of an error (minutes).")
@json_option
def prepare(options: CodingOptions, is_all: bool, as_json: bool) -> None:
    """Compile what coding and decoding by these options need, and say where the kernels lie."""
    from runtime.codec.opened_encoder import opened_encoder
    from runtime.errors import BadArgument, Notice
    from runtime.kernels.kernel_cache import cache_folder
    from runtime.stream.image_description import ImageDescription
    from runtime.stream.kinds import SpecialKind
    from runtime.stream.special_values import Special

    specials = (Special(0), Special((1 << DEPTH) - 1, SpecialKind.LIMIT))
    image = ImageDescription(N_BANDS, N_COLUMNS, DEPTH, is_signed=False, specials=specials)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Notice)  # a cache that cannot be written is all that can fail here
            for way in every_way(options) if is_all else (options,):
                with opened_encoder(way, image, is_live=True):
                    pass
    except Notice as notice:
        raise BadArgument(str(notice)) from None
    folder = cache_folder()
    sizes = [file.stat().st_size for file in folder.rglob("*.nbc")]
    found = {"folder": str(folder), "kernels": len(sizes), "bytes": sum(sizes)}
    click.echo(json.dumps(found) if as_json else "{folder}: {kernels} kernels, {bytes:,} bytes".format(**found))
