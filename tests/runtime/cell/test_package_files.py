"""Files of a package are bounded before they are unpacked, whatever folder or zip says of them."""

import os
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from runtime.cell.flight_package import SHIPPED, open_package
from runtime.cell.package_files import LARGEST_BYTES, LARGEST_FILES, read_parts
from runtime.errors import BadArgument, Corrupt, LineRwkvError
from tests.runtime.cell.package_parts import shipped_parts


def zipped(path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in shipped_parts().items():
            archive.writestr(name, data)
    return path


def peak_of_refusal(path: Path) -> int:
    """Bytes that were allocated at most while the package was refused."""
    tracemalloc.start()
    try:
        with pytest.raises(Corrupt) as found:
            open_package(path)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert "\n" not in str(found.value)
    return peak


def test_folder_and_zip_hold_the_same(tmp_path: Path) -> None:
    assert read_parts(SHIPPED) == read_parts(zipped(tmp_path / "p.zip")) == shipped_parts()


def test_a_zip_that_grows_is_refused_before_it_does(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "p.zip")
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"notes{number}.txt", bytes(40 << 20))
    assert sum(entry.file_size for entry in zipfile.ZipFile(bomb).infolist()) < LARGEST_BYTES
    assert peak_of_refusal(bomb) < 8 << 20
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_STORED) as archive, archive.open("zeros", "w") as part:
        for _ in range(LARGEST_BYTES >> 22):
            part.write(bytes(1 << 22))
    assert peak_of_refusal(bomb) < 8 << 20


def test_a_zip_of_many_entries_is_refused_by_its_directory(tmp_path: Path) -> None:
    path = zipped(tmp_path / "p.zip")
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(LARGEST_FILES):
            archive.writestr(f"{number}", b"")
    with pytest.raises(Corrupt, match=f"more than {LARGEST_FILES} files"):
        read_parts(path)
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(5000):
            archive.writestr(f"many{number}", b"")
    with pytest.raises(Corrupt, match="zip directory of"):
        read_parts(path)


def test_names_that_stand_twice_and_other_methods_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "p.zip")
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("weights.bin", b"others")
    with pytest.raises(Corrupt, match=r"'weights\.bin' is there twice"):
        read_parts(path)
    with pytest.raises(Corrupt, match="is of method 12, allowed 0, 8"):
        read_parts(zipped(tmp_path / "bzip2.zip", zipfile.ZIP_BZIP2))


def test_any_damage_of_a_zip_is_one_line_or_the_same_package(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "p.zip").read_bytes()
    identity = open_package(tmp_path / "p.zip").sha256
    places = [*range(0, len(whole), len(whole) // 60), *range(len(whole) - 500, len(whole), 3)]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        (tmp_path / "d.zip").write_bytes(damaged)
        try:
            assert open_package(tmp_path / "d.zip").sha256 == identity
        except LineRwkvError as error:
            assert "\n" not in str(error)
    for n_bytes in (0, 3, 21, 22, 1000, len(whole) - 1):
        (tmp_path / "d.zip").write_bytes(whole[:n_bytes])
        with pytest.raises(Corrupt):
            open_package(tmp_path / "d.zip")


def test_a_size_that_a_zip_hides_is_not_unpacked(tmp_path: Path) -> None:
    """The directory says 100 bytes of a part that holds 40 MiB of zeros."""
    path = zipped(tmp_path / "p.zip")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes.txt", bytes(40 << 20))
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\1\2")
    struct.pack_into("<L", data, entry + 24, 100)
    path.write_bytes(data)
    assert peak_of_refusal(path) < 8 << 20


def test_a_folder_is_bounded_and_only_regular_files_are_parts(tmp_path: Path) -> None:
    for name, data in shipped_parts().items():
        (tmp_path / name).write_bytes(data)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "sub").mkdir()
    assert read_parts(tmp_path) == shipped_parts()
    with (tmp_path / "large").open("wb") as file:
        file.truncate(LARGEST_BYTES)
    assert peak_of_refusal(tmp_path) < 8 << 20


def test_what_is_neither_folder_nor_file_is_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "nowhere", tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(BadArgument, match="not found"):
            open_package(path)
    with pytest.raises(BadArgument, match="File name too long"):
        open_package(Path("x" * 300))
