"""Every coder of residuals goes with every stage, when it is asked for, and a decoder reads it."""

import io

import numpy as np
import pytest

from runtime.codec.coding_options import CODERS, CodingOptions, ResidualCoder
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import Encoder
from runtime.codec.stream_reader import StreamReader
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, Coder, PredictorKind, SampleType, SpecialKind
from runtime.stream.special_values import Special

WAYS = [(PredictorKind.DPCM, None), (PredictorKind.RLS, AdaptiveStage.FAST), (PredictorKind.RLS, AdaptiveStage.BEST)]
VOID, LIMIT = Special(-5), Special(300, SpecialKind.LIMIT)


@pytest.mark.parametrize("specials", [(), (VOID, LIMIT)])
@pytest.mark.parametrize("max_error", [0, 2])
@pytest.mark.parametrize("coder", [None, *ResidualCoder])
@pytest.mark.parametrize(("predictor", "stage"), WAYS)
def test_a_stream_has_the_coder_that_was_asked_for(
    predictor: PredictorKind, stage: AdaptiveStage | None, coder: ResidualCoder | None, max_error: int,
    specials: tuple[Special, ...],
) -> None:  # fmt: skip
    cube = np.random.default_rng(3).integers(280, 320, (9, 4, 15))
    if specials:
        cube[3:6, 1, 4:] = cube[7] = -5
    image = ImageDescription(4, 15, 10, False, 9, SampleType.INT16, specials=specials)
    options = CodingOptions(predictor, stage=stage, max_error=max_error, segment_lines=4, coder=coder)
    encoder = Encoder(image, options)
    stream = b"".join([encoder.header, *(encoder.push(line) for line in cube), encoder.finish()])
    reader = StreamReader(io.BytesIO(stream))
    segments = list(reader.segments())
    decoder = Decoder(reader.header)
    back = np.array([line for segment in segments for line in decoder.lines(*segment)])
    assert np.abs(back.astype(int) - cube).max() <= max_error
    found = {header.coder for header, _ in segments}
    if coder is not None:
        assert found == {CODERS[coder]}
    elif stage is AdaptiveStage.BEST:
        assert found == {Coder.RANGE}
    else:
        assert Coder.RANGE not in found
