"""URLs by fsspec: ranges are fetched, never the whole file."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import linerwkv
from runtime.errors import BadArgument
from tests.linerwkv.conftest import Cube

fsspec = pytest.importorskip("fsspec")


def test_a_url_is_read_by_ranges(stream: Path, cube: Cube, monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

    fetched: list[tuple[int, int]] = []
    data = stream.read_bytes()

    class RangeFile(AbstractBufferedFile):  # type: ignore[misc]  # fsspec has no types
        def _fetch_range(self, start: int, end: int) -> bytes:
            fetched.append((start, end))
            return data[start:end]

    class RangeSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
        protocol = "ranges"

        def info(self, path: str, **_: Any) -> dict[str, Any]:
            return {"name": path, "size": len(data), "type": "file"}

        def _open(self, path: str, mode: str = "rb", **options: Any) -> RangeFile:
            return RangeFile(self, path, mode, **options)

    fsspec.register_implementation("ranges", RangeSystem, clobber=True)
    image = linerwkv.open("ranges://scene.lrwk")
    fetched.clear()
    assert np.array_equal(image[9:12, 1], cube[9:12, 1])
    place = image.found.places[1]
    assert fetched == [(place.offset, place.end)]


def test_a_url_that_is_not_there_is_one_line() -> None:
    with pytest.raises(BadArgument, match=r"memory://no\.lrwk"):
        linerwkv.open("memory://no.lrwk")


class WithoutRanges(BaseHTTPRequestHandler):
    """Gives a file from its start only, of a size that it does not say."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * 100)

    def do_HEAD(self) -> None:  # a name of the library
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_a_server_without_ranges_is_one_line() -> None:
    pytest.importorskip("aiohttp")
    with ThreadingHTTPServer(("127.0.0.1", 0), WithoutRanges) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with pytest.raises(BadArgument, match=r"scene\.lrwk: Cannot seek"):
                linerwkv.open(f"http://127.0.0.1:{server.server_port}/scene.lrwk")
        finally:
            server.shutdown()
