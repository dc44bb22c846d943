"""General codecs that a user would try first, by imagecodecs, each with what suits it.

Image codecs get the bands below one another as one image (`stacked`) or as components of one image (`components`,
which JPEG XL may predict from one another); rows named `difference` code each band minus the one before it. Codecs of
bytes get the samples band by band (`bsq`) or pixel by pixel (`bip`). Of several settings the smallest result counts,
for each scene. Signed samples are shifted to begin at 0. A segment has a header of 18 bytes, and 4 bytes for the
length of each part.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
import numpy.typing as npt
from typing_extensions import override

from benchmarks.rate.codecs import Codec, Samples, Settings, cut
from runtime.images.scene_reader import Scene

Planes = npt.NDArray[np.uint16]
"""(Z, Y, X)."""
Part = bytes | bytearray
HEADER = struct.Struct("<BB3H2iH")  # setting, bit depth, Z, Y, X, smallest sample, smallest difference, parts
LENGTH = struct.Struct("<I")
COMPONENTS = 256  # that JPEG XL takes in one image
ORDERS = {"bsq": (0, 1, 2), "bip": (1, 2, 0)}
ZSTD_LEVEL, BLOSC_LEVEL = 19, 9
PREPROCESS = imagecodecs.AEC.FLAG.DATA_PREPROCESS
RSI = 4096
"""Blocks of CCSDS 121 between reference samples."""


class Layout(NamedTuple):
    """What a decoder knows of a segment before it decodes."""

    shape: tuple[int, int, int]
    """(Z, Y, X)."""
    depth: int
    """Bits of the largest value."""


class Peer(NamedTuple):
    """A codec of planes."""

    encode: Callable[[Planes, int, int, Settings], list[Part]]
    """Of planes, their depth, the maximum error and the settings."""
    decode: Callable[[list[Part], Layout, Settings], Planes]
    choices: list[Settings]


def encode_jpegls(planes: Planes, depth: int, max_error: int, settings: Settings) -> list[Part]:
    """JPEG-LS of the stacked bands, whose contexts continue from band to band."""
    return [imagecodecs.jpegls_encode(planes.reshape(-1, planes.shape[2]), level=max_error)]


def decode_jpegls(parts: list[Part], layout: Layout, settings: Settings) -> Planes:
    """The inverse."""
    return np.asarray(imagecodecs.jpegls_decode(parts[0]).reshape(layout.shape))


def encode_jpeg2000(planes: Planes, depth: int, max_error: int, settings: Settings) -> list[Part]:
    """Reversible JPEG 2000 with the bands as components, without the transform of three colours."""
    options: dict[str, Any] = {"level": 0, "reversible": True, "mct": False, "codecformat": "j2k", "numthreads": 1}
    return [imagecodecs.jpeg2k_encode(planes, planar=True, bitspersample=depth, **options)]


def decode_jpeg2000(parts: list[Part], layout: Layout, settings: Settings) -> Planes:
    """The inverse."""
    return np.asarray(imagecodecs.jpeg2k_decode(parts[0], planar=True, numthreads=1).reshape(layout.shape))


def encode_jpegxl(planes: Planes, depth: int, max_error: int, settings: Settings) -> list[Part]:
    """Lossless JPEG XL."""
    options = {"lossless": True, "effort": settings["effort"], "numthreads": 1, "usecontainer": False}
    if settings["bands"] == "stacked":
        return [imagecodecs.jpegxl_encode(planes.reshape(-1, planes.shape[2]), **options)]
    images = [planes[start : start + COMPONENTS] for start in range(0, len(planes), COMPONENTS)]
    return [imagecodecs.jpegxl_encode(image, planar=True, photometric="minisblack", **options) for image in images]


def decode_jpegxl(parts: list[Part], layout: Layout, settings: Settings) -> Planes:
    """The inverse."""
    planes = [imagecodecs.jpegxl_decode(part, numthreads=1).reshape(-1, *layout.shape[1:]) for part in parts]
    return np.concatenate(planes)


def ordered(planes: Planes, settings: Settings) -> Planes:
    """The samples in the order of the settings."""
    return np.ascontiguousarray(planes.transpose(ORDERS[settings["order"]]))


def restored(data: Part, layout: Layout, settings: Settings) -> Planes:
    """The planes of samples in the order of the settings."""
    axes = ORDERS[settings["order"]]
    return np.frombuffer(data, np.uint16).reshape([layout.shape[axis] for axis in axes]).transpose(np.argsort(axes))


def encode_ccsds121(planes: Planes, depth: int, max_error: int, settings: Settings) -> list[Part]:
    """CCSDS 121 with its preprocessor, which predicts each sample by the one before it."""
    options = {"flags": PREPROCESS, "blocksize": settings["block"], "rsi": RSI}
    return [imagecodecs.aec_encode(ordered(planes, settings), bitspersample=depth, **options)]


def decode_ccsds121(parts: list[Part], layout: Layout, settings: Settings) -> Planes:
    """The inverse."""
    n_bytes = 2 * int(np.prod(layout.shape))
    options = {"flags": PREPROCESS, "blocksize": settings["block"], "rsi": RSI}
    whole_blocks = n_bytes + 2 * settings["block"]
    data = imagecodecs.aec_decode(parts[0], bitspersample=layout.depth, out=whole_blocks, **options)
    return restored(bytes(data[:n_bytes]), layout, settings)


def encode_zstd(planes: Planes, depth: int, max_error: int, settings: Settings) -> list[Part]:
    """Zstandard; shuffled: all low bytes, then all high ones."""
    data = ordered(planes, settings).tobytes()
    if settings["shuffle"]:
        data = np.frombuffer(data, np.uint8).reshape(-1, 2).T.tobytes()
    return [imagecodecs.zstd_encode(data, level=ZSTD_LEVEL)]


def decode_zstd(parts: list[Part], layout: Layout, settings: Settings) -> Planes:
    """The inverse."""
    data = imagecodecs.zstd_decode(parts[0])
    if settings["shuffle"]:
        data = np.frombuffer(data, np.uint8).reshape(2, -1).T.tobytes()
    return restored(data, layout, settings)


def encode_blosc2(planes: Planes, depth: int, max_error: int, settings: Settings) -> list[Part]:
    """Blosc2 with Zstandard at its highest level."""
    options: dict[str, Any] = {"level": BLOSC_LEVEL, "compressor": "zstd", "typesize": 2, "numthreads": 1}
    return [imagecodecs.blosc2_encode(ordered(planes, settings).tobytes(), shuffle=settings["shuffle"], **options)]


def decode_blosc2(parts: list[Part], layout: Layout, settings: Settings) -> Planes:
    """The inverse."""
    return restored(imagecodecs.blosc2_decode(parts[0], numthreads=1), layout, settings)


def orders(**settings: Any) -> list[Settings]:
    """The settings with each order."""
    return [{"order": order, **settings} for order in ORDERS]


JPEGXL = [{"bands": "stacked", "effort": 3}, {"bands": "components", "effort": 7}]
PEERS = {
    "jpegls": Peer(encode_jpegls, decode_jpegls, [{}]),
    "jpeg2000": Peer(encode_jpeg2000, decode_jpeg2000, [{}]),
    "jpegxl": Peer(encode_jpegxl, decode_jpegxl, JPEGXL),
    "ccsds121": Peer(encode_ccsds121, decode_ccsds121, orders(block=16) + orders(block=64)),
    "zstd": Peer(encode_zstd, decode_zstd, orders(shuffle=False)),
    "zstd-shuffle": Peer(encode_zstd, decode_zstd, orders(shuffle=True)),
    "blosc2-shuffle": Peer(encode_blosc2, decode_blosc2, orders(shuffle="shuffle")),
    "blosc2-bitshuffle": Peer(encode_blosc2, decode_blosc2, orders(shuffle="bitshuffle")),
}
OF_DIFFERENCES = ("jpegls", "jpeg2000", "jpegxl")


@dataclass(frozen=True)
class PeerCodec(Codec):
    """A peer as a row: `Codec`."""

    peer: str
    is_of_differences: bool = False
    identity: str = ""

    @property
    @override
    def name(self) -> str:
        return f"{self.peer}-difference" if self.is_of_differences else self.peer

    @override
    def rounds(self, scene: Scene, max_error: int) -> list[list[Settings]]:
        return [PEERS[self.peer].choices]

    @override
    def encode(self, scene: Scene, max_error: int, segment_lines: int, settings: Settings) -> list[bytes]:
        assert max_error == 0 or (self.peer == "jpegls" and not self.is_of_differences)
        return [self.encode_segment(segment, max_error, settings) for segment in cut(scene.samples, segment_lines)]

    def encode_segment(self, samples: Samples, max_error: int, settings: Settings) -> bytes:
        """Header, lengths, parts."""
        lowest = int(samples.min())
        planes = np.ascontiguousarray(np.moveaxis(samples, 1, 0).astype(np.int32) - lowest).astype(np.uint16)
        least = 0
        if self.is_of_differences and len(planes) > 1:
            differences = (planes[1:] - planes[:-1]).view(np.int16)
            least = int(differences.min())
            planes[1:] = (differences.astype(np.int32) - least).astype(np.uint16)
        depth = max(1, int(planes.max()).bit_length())
        peer = PEERS[self.peer]
        parts = peer.encode(planes, depth, max_error, settings)
        header = HEADER.pack(peer.choices.index(settings), depth, *planes.shape, lowest, least, len(parts))
        return b"".join([header, *(LENGTH.pack(len(part)) for part in parts), *parts])

    @override
    def decode(self, parts: list[bytes]) -> Samples:
        return np.concatenate([self.decode_segment(part) for part in parts])

    def decode_segment(self, data: bytes) -> Samples:
        """The samples (Y, Z, X) of a segment."""
        choice, depth, n_bands, n_lines, n_columns, lowest, least, n_parts = HEADER.unpack_from(data)
        place = HEADER.size + n_parts * LENGTH.size
        parts: list[Part] = []
        for (length,) in LENGTH.iter_unpack(data[HEADER.size : place]):
            parts.append(data[place : place + length])
            place += length
        peer = PEERS[self.peer]
        planes = peer.decode(parts, Layout((n_bands, n_lines, n_columns), depth), peer.choices[choice])
        if self.is_of_differences:
            differences = planes.astype(np.int64)
            differences[1:] += least
            planes = np.cumsum(differences, axis=0).astype(np.uint16)
        return np.moveaxis(planes.astype(np.int32) + lowest, 0, 1)


def peer_codecs() -> list[PeerCodec]:
    """All peers."""
    return [
        PeerCodec(name, is_of_differences)
        for name in PEERS
        for is_of_differences in ((False, True) if name in OF_DIFFERENCES else (False,))
    ]
