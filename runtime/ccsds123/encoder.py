"""Encoding: a whole image at once, or line by line in bounded memory."""

import numpy as np

from runtime.ccsds123.block_adaptive import BlockAdaptiveEncoder
from runtime.ccsds123.body import IndexEncoder
from runtime.ccsds123.coder_parameters import Hybrid, SampleAdaptive
from runtime.ccsds123.header import write_header
from runtime.ccsds123.hybrid import HybridEncoder
from runtime.ccsds123.line_predictor import IntArray, LinePredictor
from runtime.ccsds123.order import line_piece, pieces
from runtime.ccsds123.parameters import Ccsds123Parameters
from runtime.ccsds123.sample_adaptive import SampleAdaptiveEncoder
from runtime.errors import BadArgument


def encode(samples: IntArray, parameters: Ccsds123Parameters) -> bytes:
    """The compressed image.

    samples: (Z, Y, X) integers of any width, s_min <= s <= s_max. Raises BadArgument where they do not fit
    `parameters`, or where `parameters` lack a table.
    """
    image = parameters.image
    samples = np.asarray(samples)
    if samples.shape != (image.n_bands, image.n_lines, image.n_columns):
        expected = (image.n_bands, image.n_lines, image.n_columns)
        raise BadArgument(f"samples have shape {samples.shape}, the parameters say {expected} (Z, Y, X)")
    if not image.is_sequential:
        encoder = LineEncoder(parameters)
        lines = [encoder.push(samples[:, y]) for y in range(image.n_lines)]
        return b"".join([*lines, encoder.finish()])
    predictor = LinePredictor(complete(parameters))
    mapped = np.empty(samples.shape, np.uint32)
    for y in range(image.n_lines):
        mapped[:, y] = predictor.encode(samples[:, y])
    by_band = mapped.reshape(image.n_bands, -1)
    header, coder = write_header(parameters), index_encoder(parameters)
    for piece in pieces(image):
        coder.put(by_band[piece.bands, piece.times], piece)
    coder.finish()
    return padded(header, coder.writer.finish(), image.word_bytes)


class LineEncoder:
    """Encoder of a band-interleaved image whose lines arrive one by one; memory is bounded by a line.

    `push` each line in order, then `finish`; the bytes they return, joined, are the compressed image. Raises
    BadArgument for band-sequential order, which needs the whole image.
    """

    def __init__(self, parameters: Ccsds123Parameters) -> None:
        if parameters.image.is_sequential:
            raise BadArgument("order is BSQ, which cannot be encoded line by line; allowed BI")
        self.parameters = complete(parameters)
        self._predictor = LinePredictor(self.parameters)
        self._coder = index_encoder(self.parameters)
        self._unsent = write_header(self.parameters)
        self._n_sent = 0

    def push(self, line: IntArray) -> bytes:
        """The bytes that are complete after the next line. line: (Z, X) integers, s_min <= s <= s_max."""
        y = self._predictor.next_line
        if y == self.parameters.image.n_lines:
            raise BadArgument(f"line {y} is one too many, the parameters say Ny = {y}")
        self._start_period(y)
        self._coder.put(self._predictor.encode(line), line_piece(self.parameters.image, y))
        return self._send(self._coder.writer.take())

    def finish(self) -> bytes:
        """The last bytes, fill bits included."""
        image = self.parameters.image
        if self._predictor.next_line != image.n_lines:
            raise BadArgument(f"{self._predictor.next_line} lines were pushed, the parameters say Ny = {image.n_lines}")
        self._coder.finish()
        last = self._send(self._coder.writer.finish())
        return last + bytes(-self._n_sent % image.word_bytes)

    def _start_period(self, y: int) -> None:
        quantization = self.parameters.quantization
        if quantization.period_exponent is None or not quantization.starts_period(y):
            return
        period = y >> quantization.period_exponent
        for limit in quantization.limits:
            self._coder.put_limits(list(limit.periods[period]), limit.n_bits)
        self._predictor.set_limits([limit.periods[period] for limit in quantization.limits])

    def _send(self, body: bytes | memoryview) -> bytes:
        sent, self._unsent = self._unsent + body, b""
        self._n_sent += len(sent)
        return sent


def complete(parameters: Ccsds123Parameters) -> Ccsds123Parameters:
    """The same parameters; BadArgument where a table or the limits of a period are lacking."""
    quantization = parameters.quantization
    if quantization.period_exponent is not None and not all(limit.periods for limit in quantization.limits):
        raise BadArgument("a_periods or r_periods are missing, periodic updating needs them to encode")
    return parameters.with_tables({})


def index_encoder(parameters: Ccsds123Parameters) -> IndexEncoder:
    """The entropy coder that `parameters` choose."""
    coder = parameters.coder
    if isinstance(coder, SampleAdaptive):
        return SampleAdaptiveEncoder(coder, parameters.image)
    if isinstance(coder, Hybrid):
        return HybridEncoder(coder, parameters.image)
    return BlockAdaptiveEncoder(coder, parameters.image)


def padded(header: bytes, body: memoryview, word_bytes: int) -> bytes:
    """Header and body with zeros up to a whole output word (5.2.2)."""
    return b"".join([header, body, bytes(-(len(header) + len(body)) % word_bytes)])
