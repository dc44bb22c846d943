"""The codec `linerwkv` of numcodecs, for arrays of Zarr's format 2: compressor=LineRwkvCodec(lines=64, ...)."""

from typing import Any

import numcodecs.abc
from numcodecs.compat import ensure_bytes, ensure_ndarray_like, ndarray_copy
from typing_extensions import override

from linerwkv.ground.chunk_coding import CODEC, ChunkCoding
from runtime.errors import BadArgument


class LineRwkvCodec(numcodecs.abc.Codec):
    """A chunk is one segment; the words are the fields of `ChunkCoding`."""

    codec_id = CODEC

    def __init__(self, **config: Any) -> None:
        """Raises BadArgument."""
        self.coding = ChunkCoding.from_config(config)

    @override
    def encode(self, buf: Any) -> bytes:
        """The bytes of a whole chunk (lines, bands, columns).

        Raises BadArgument for another shape or type, or an order other than C: Zarr tells a codec of format 2 of
        neither, and would give another array's samples.
        """
        return self.coding.encode(self.checked(buf))

    @override
    def decode(self, buf: Any, out: Any = None) -> Any:
        """The samples (lines, bands, columns). Raises LineRwkvError, as for `encode` where `out` does not take them."""
        if out is not None:
            self.checked(out)
        return ndarray_copy(self.coding.decode(ensure_bytes(buf)), out)

    def checked(self, buf: Any) -> Any:
        """A chunk as an array of three axes. Raises BadArgument where it is not of the configuration.

        Zarr 2 leaves out axes of length 1 that an index is of.
        """
        chunk, shape = ensure_ndarray_like(buf), self.coding.shape
        is_same = [n for n in chunk.shape if n != 1] == [n for n in shape if n != 1]
        self.coding.check_chunk(shape if is_same else chunk.shape, chunk.dtype)
        if not chunk.flags.c_contiguous:
            raise BadArgument(f"codec {CODEC}: a chunk in order F or with gaps, allowed order C")
        return chunk.reshape(shape)

    @override
    def get_config(self) -> dict[str, Any]:
        """For the metadata of an array."""
        return {"id": CODEC, **self.coding.to_config()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LineRwkvCodec) and self.coding == other.coding

    def __hash__(self) -> int:
        return hash(self.coding)

    def __repr__(self) -> str:
        return f"LineRwkvCodec({', '.join(f'{name}={value!r}' for name, value in self.coding.to_config().items())})"
