"""The codec `linerwkv` of Zarr 3, an array's serializer: serializer=LineRwkvCodec(lines=64, ...)."""

import asyncio
from dataclasses import dataclass
from typing import Any, Self

from typing_extensions import override
from zarr.abc.codec import ArrayBytesCodec

from linerwkv.ground.chunk_coding import CODEC, ChunkCoding
from runtime.errors import BadArgument

NAMES = (CODEC, f"numcodecs.{CODEC}")
"""The second one is how VirtualiZarr names the codec of format 2 in references."""


@dataclass(frozen=True, init=False)
class LineRwkvCodec(ArrayBytesCodec):
    """A chunk is one segment; the words are the fields of `ChunkCoding`."""

    coding: ChunkCoding
    is_fixed_size = False

    def __init__(self, **config: Any) -> None:
        """Raises BadArgument."""
        object.__setattr__(self, "coding", ChunkCoding.from_config(config))

    @classmethod
    @override
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """From the metadata of an array. Raises BadArgument."""
        if data.get("name") not in NAMES:
            raise BadArgument(f"codec {data.get('name')}: allowed {' or '.join(NAMES)}")
        return cls(**data.get("configuration", {}))

    @override
    def to_dict(self) -> dict[str, Any]:
        """For the metadata of an array."""
        return {"name": CODEC, "configuration": self.coding.to_config()}

    @override
    def validate(self, *, shape: Any, dtype: Any, chunk_grid: Any) -> None:
        """Raise BadArgument where chunks or samples are not those of the configuration."""
        self.coding.check_chunk(tuple(chunk_grid.chunk_shape), dtype.to_native_dtype())

    @override
    async def _decode_single(self, chunk_bytes: Any, chunk_spec: Any) -> Any:
        cube = await asyncio.to_thread(self.coding.decode, chunk_bytes.to_bytes())
        return chunk_spec.prototype.nd_buffer.from_ndarray_like(cube)

    @override
    async def _encode_single(self, chunk_array: Any, chunk_spec: Any) -> Any:
        data = await asyncio.to_thread(self.coding.encode, chunk_array.as_numpy_array())
        return chunk_spec.prototype.buffer.from_bytes(data)

    @override
    def compute_encoded_size(self, input_byte_length: int, _: Any) -> int:
        raise NotImplementedError
