"""Packages by hash: in folders and behind URLs, found by whatever decodes, never another under the name."""

import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from runtime.cell.flight_package import FORMER, SHIPPED, open_package
from runtime.cell.package_store import VARIABLE, add_package, known_packages, listed, stored_package, zipped
from runtime.codec.compression import needed_packages
from runtime.codec.decoder import Decoder
from runtime.commands.cli import cli
from runtime.errors import BadArgument, Corrupt
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import Arithmetic, PredictorKind
from runtime.stream.segment_header import SegmentCoding
from runtime.stream.stream_header import PackageName, StreamHeader
from tests.runtime.cell.package_parts import shipped_parts


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, ["package", *map(str, words)])


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A package that is not shipped."""
    folder = tmp_path / "other"
    folder.mkdir()
    parts = shipped_parts()
    parts["manifest.json"] = json.dumps({**json.loads(parts["manifest.json"]), "name": "other"}).encode()
    for name, data in parts.items():
        (folder / name).write_bytes(data)
    return folder


def test_packages_that_were_shipped_before_are_there_under_their_hash() -> None:
    former = sorted(FORMER.iterdir())
    assert former and all(f"{open_package(path).sha256.hex()}.zip" == path.name for path in former)
    assert {path.stem for path in former} < {identity for identity, _ in listed()}


def test_a_package_is_found_by_its_hash(other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    monkeypatch.setenv(VARIABLE, f"{first}; {second}")
    identity = open_package(other).sha256
    assert known_packages([identity]) == []
    assert add_package(other, str(second)) == str(second / f"{identity.hex()}.zip")
    (found,) = known_packages([identity])
    assert found.sha256 == identity
    assert found.source == second / f"{identity.hex()}.zip"
    header = StreamHeader(ImageDescription(1, 1, 8, False), (PackageName(Arithmetic.INT8_V2, identity),))
    assert [package.sha256 for package in needed_packages(header, [])] == [identity]
    assert zipped(other) == zipped(found.source)
    other.rename(first.parent / "x")
    first.mkdir()
    (first.parent / "x").rename(first / identity.hex())
    assert known_packages([identity])[0].source == first / identity.hex()


def test_what_is_missing_is_one_line_with_hash_and_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "store"))
    header = StreamHeader(ImageDescription(1, 1, 8, False), (PackageName(Arithmetic.INT8_V2, bytes(32)),))
    coding = SegmentCoding(PredictorKind.LINERWKV, package_index=0)
    decoder = Decoder(header, needed_packages(header, []))
    with pytest.raises(BadArgument, match=f"{'0' * 64}.*looked for in the shipped packages, {tmp_path}/store"):
        decoder.codec(coding, "segment at line 0")


def test_another_package_under_the_name_is_refused(
    other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (tmp_path / f"{'ab' * 32}.zip").write_bytes(zipped(other))
    with pytest.raises(Corrupt, match="which is not its name"):
        stored_package(bytes.fromhex("ab" * 32))


def test_a_url_is_a_store(other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory: Any = fsspec.filesystem("memory")
    folder = tmp_path / "kept"
    monkeypatch.setenv(VARIABLE, f"memory://packages;{folder}")
    identity = open_package(other).sha256
    assert stored_package(identity) is None
    add_package(other)
    found = stored_package(identity)
    assert found is not None and found.source == folder / f"{identity.hex()}.zip"
    memory.pipe_file(f"/packages/{'cd' * 32}.zip", zipped(other))
    with pytest.raises(Corrupt, match="holds the package"):
        stored_package(bytes.fromhex("cd" * 32))
    assert not (folder / f"{'cd' * 32}.zip").exists()
    memory.rm("/packages", recursive=True)


def test_the_commands_add_list_and_get(other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "store"))
    identity = open_package(other).sha256.hex()
    assert run("add", other).output == f"{tmp_path}/store/{identity}.zip\n"
    rows = json.loads(run("list", "--json").output)
    assert {"sha256": identity, "place": f"{tmp_path}/store/{identity}.zip"} in rows
    assert open_package(SHIPPED).sha256.hex() in {row["sha256"] for row in rows}
    assert run("get", identity[:12], "-o", tmp_path / "got.zip").exit_code == 0
    assert open_package(tmp_path / "got.zip").sha256.hex() == identity
    assert "found none, looked for in" in str(run("get", "0" * 12, "-o", tmp_path / "no.zip").exception)
    assert "allowed 8 to 64 hexadecimal digits" in str(run("get", "xyz", "-o", tmp_path / "no.zip").exception)


def test_the_public_face_finds_it(other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import linerwkv

    cube = np.random.default_rng(0).integers(0, 4096, (3, 4, 6)).astype(np.uint16)
    with linerwkv.Encoder(4, 6, 12, package=other, network="always") as encoder:
        data = encoder.header + b"".join(map(encoder.push, cube)) + encoder.finish()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "store"))
    with pytest.raises(BadArgument, match="looked for in"):
        linerwkv.open(io.BytesIO(data))[0]
    add_package(other)
    assert np.array_equal(linerwkv.open(io.BytesIO(data))[:], cube)


def test_threads_that_need_the_same_package_fetch_it_once(
    other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsspec = pytest.importorskip("fsspec")
    folder = tmp_path / "kept"
    monkeypatch.setenv(VARIABLE, f"memory://threads;{folder}")
    add_package(other)
    identity = open_package(other).sha256
    all_ask = threading.Barrier(8, timeout=30)

    def ask(_: int) -> Any:
        all_ask.wait()
        return stored_package(identity)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(ask, range(8)))
    assert [package.source for package in found] == [folder / f"{identity.hex()}.zip"] * 8
    assert [path.name for path in folder.iterdir()] == [f"{identity.hex()}.zip"]
    fsspec.filesystem("memory").rm("/threads", recursive=True)
    kept = stored_package(identity)
    assert kept is not None and kept.sha256 == identity


class Refusing(BaseHTTPRequestHandler):
    """Answers with the number at the begin of the path."""

    def do_GET(self) -> None:
        self.send_error(int(self.path.split("/")[1]))

    do_HEAD = do_PUT = do_POST = do_GET  # noqa: N815  # names of the library

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_a_server_that_does_not_give_is_one_line_and_404_is_not_there(
    other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("aiohttp")
    monkeypatch.delenv("http_proxy", raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        for status in (403, 500):
            monkeypatch.setenv(VARIABLE, f"{url}/{status};{tmp_path / 'kept'}")
            for ask in (lambda: stored_package(bytes(32)), lambda: list(listed()), lambda: add_package(other)):
                with pytest.raises(BadArgument, match=f"package store {url}/{status}"):
                    ask()
        monkeypatch.setenv(VARIABLE, f"{url}/404;{tmp_path / 'kept'}")
        assert stored_package(bytes(32)) is None
        server.shutdown()
    with pytest.raises(BadArgument, match="package store http"):
        stored_package(bytes(32))


def test_a_folder_that_cannot_be_made_is_one_line(other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fsspec")
    (tmp_path / "file").touch()
    monkeypatch.setenv(VARIABLE, f"memory://unkept;{tmp_path}/file/kept")
    add_package(other)
    with pytest.raises(BadArgument, match="kept: Not a directory"):
        stored_package(open_package(other).sha256)
