"""Segments of different forms in one stream, by two networks and without, decode to the lines that came."""

import io
from pathlib import Path

import numpy as np
import pytest

from runtime.codec.coding_options import CodingOptions
from runtime.codec.decoder import Decoder
from runtime.codec.forms_encoder import Form, FormsEncoder, loaded_forms
from runtime.codec.stream_reader import StreamReader
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, PredictorKind
from runtime.stream.segment_header import NO_PACKAGE

LINES = np.random.default_rng(1).integers(0, 1 << 10, (12, 8, 6))
IMAGE = ImageDescription(8, 6, 10, is_signed=False)
NONE, LENGTH = AdaptiveStage.NONE, 3
FORMS = [
    Form("large", CodingOptions(stage=NONE, segment_lines=LENGTH, package=Path("flight-large"))),
    Form("flight", CodingOptions(stage=NONE, segment_lines=LENGTH)),
    Form("dpcm", CodingOptions(PredictorKind.DPCM, segment_lines=LENGTH)),
]  # fmt: skip


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_every_form_and_error_is_in_one_stream_and_streams_follow_one_another(n_threads: int) -> None:
    with loaded_forms(IMAGE, FORMS, [0, 2], n_threads) as loaded:
        for order in ([(0, 0), (1, 0), (2, 0), (1, 2)], [(2, 2), (1, 0), (0, 2), (0, 0)]):
            encoder = FormsEncoder(IMAGE, loaded, *order[0])
            data = encoder.header
            for y, line in enumerate(LINES):
                if y % LENGTH == 0:
                    assert encoder.is_between_segments
                    data += encoder.use(*order[y // LENGTH])
                data += encoder.push(line)
            data += encoder.finish()
            reader = StreamReader(io.BytesIO(data))
            segments = list(reader.segments())
            decoder = Decoder(reader.header, loaded.packages)
            assert [package.sha256 for package in loaded.packages] == [one.sha256 for one in reader.header.packages]
            for (form, max_error), (header, payload) in zip(order, segments, strict=True):
                assert header.coding.package_index == (NO_PACKAGE if form == 2 else form)
                assert header.coding.max_error == max_error
                lines = np.array(list(decoder.lines(header, payload)))
                assert np.abs(lines - LINES[header.first_line : header.next_line]).max() <= max_error


def test_an_open_segment_ends_where_the_form_changes() -> None:
    with loaded_forms(IMAGE, FORMS[2:], [0]) as loaded:
        encoder = FormsEncoder(IMAGE, loaded, 0, 0)
        data = encoder.header + encoder.push(LINES[0])
        assert not encoder.is_between_segments
        data += encoder.use(0, 0) + encoder.push(LINES[1]) + encoder.finish()
    assert [one.header.n_lines for one in StreamReader(io.BytesIO(data)).segments()] == [1, 1]
