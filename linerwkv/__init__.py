"""The public face: streams as arrays, images to streams and back; thin over runtime/, and nothing that codes.

`open` gives an array-like, `compress` and `decompress` do whole images, `Encoder` and `Decoder` lines, `info` says what
a stream holds.
"""

from linerwkv.coding import Decoder, Encoder, compress, decompress, info
from linerwkv.stream_image import StreamImage
from runtime.errors import LineRwkvError

open = StreamImage  # noqa: A001  # as in other libraries of images

__all__ = ["Decoder", "Encoder", "LineRwkvError", "StreamImage", "compress", "decompress", "info", "open"]
