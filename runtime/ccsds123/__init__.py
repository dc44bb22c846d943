"""CCSDS 123.0-B-2: lossless and near-lossless compression of hyperspectral images, encoder and decoder."""

from runtime.ccsds123.decoder import decode, decode_lines
from runtime.ccsds123.encoder import LineEncoder, encode
from runtime.ccsds123.header import read_header
from runtime.ccsds123.parameters import Ccsds123Parameters

__all__ = ["Ccsds123Parameters", "LineEncoder", "decode", "decode_lines", "encode", "read_header"]
