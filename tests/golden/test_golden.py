"""Every golden stream decodes to what it did when it was written, and nobody has written over one."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from runtime.codec.compression import decompress
from runtime.command_options import EXIT_CHECK_FAILED
from runtime.commands.cli import cli
from runtime.errors import LineRwkvError
from runtime.images.line_frame import frame_of
from runtime.images.scene_reader import open_scene
from tests.golden.case import Packages
from tests.golden.cases import CASES
from tests.golden.manifest import FOLDER, package_path, read_manifest, stream_path
from tests.golden.packages import PACKAGES, loaded
from tests.golden.restored import Back, restored, sha256

MANIFEST = read_manifest()
STREAMS, LARGEST_BYTES = MANIFEST.streams, 1 << 15
BY_COMMAND = (
    "linerwkv-best-range-lossless", "linerwkv-none-hybrid-in-loop", "rls-fast-golomb-prequantised", "ccsds123-lossless",
    "fallback-near", "two-packages", "type-float64-divided", "special-float32-near", "gaps-network",
)  # fmt: skip
IMAGES = [name for name in STREAMS if name.startswith("metadata-")]


@pytest.fixture(scope="module")
def packages() -> Packages:
    return {name: loaded(package_path(FOLDER, name)) for name in MANIFEST.packages}


def back(name: str, packages: Packages) -> Back:
    entry = STREAMS[name]
    needed = [packages[one] for one in entry.packages]
    return restored(stream_path(FOLDER, name).read_bytes(), needed, is_salvaged=entry.is_salvaged)


@pytest.mark.parametrize("name", STREAMS)
def test_it_decodes_to_what_it_did(name: str, packages: Packages) -> None:
    assert back(name, packages).digests() == STREAMS[name].restored


@pytest.mark.parametrize("name", [name for name, entry in STREAMS.items() if entry.is_salvaged])
def test_one_that_is_damaged_is_for_salvage_alone(name: str, packages: Packages, tmp_path: Path) -> None:
    with pytest.raises(LineRwkvError):
        decompress(stream_path(FOLDER, name), tmp_path / "back.npy", [one.package for one in packages.values()])
    assert not list(tmp_path.iterdir())


def test_files_are_those_of_the_manifest_and_small() -> None:
    """A file that differs, is there without an entry, or is gone has to come back from the history."""
    for path_of, entries in ((stream_path, STREAMS), (package_path, MANIFEST.packages)):
        there = {path: sha256(path.read_bytes()) for path in path_of(FOLDER, "").parent.iterdir()}
        assert there == {path_of(FOLDER, name): entry.sha256 for name, entry in entries.items()}
        assert max(path.stat().st_size for path in there) < LARGEST_BYTES


def test_everything_that_is_asked_for_is_written() -> None:
    """What fails is written by python -m tests.golden.write."""
    assert STREAMS.keys() >= CASES.keys() and MANIFEST.packages.keys() >= PACKAGES.keys()
    assert {entry.writer for table in (STREAMS, MANIFEST.packages) for entry in table.values()} == set(MANIFEST.writers)


def test_packages_have_the_names_by_which_streams_know_them(packages: Packages) -> None:
    assert {name: one.package.sha256.hex() for name, one in packages.items()} == {
        name: entry.identity for name, entry in MANIFEST.packages.items()
    }


def run(name: str, output: Path | str, *words: str, code: int = 0) -> Result:
    """`decompress` of a golden stream."""
    needed = STREAMS[name].packages or ["group-1"]
    given = [word for one in needed for word in ("--package", package_path(FOLDER, one))]
    done = CliRunner().invoke(cli, ["decompress", *map(str, (stream_path(FOLDER, name), output, *given, *words))])
    assert done.exit_code == code, done.output
    return done


@pytest.mark.parametrize("name", BY_COMMAND)
def test_the_command_gives_the_same_bytes(name: str) -> None:
    assert sha256(run(name, "-").stdout_bytes) == STREAMS[name].restored.samples


def test_the_command_salvages_the_same(packages: Packages, tmp_path: Path) -> None:
    name = "salvage-spoilt-linerwkv"
    run(name, tmp_path / "back.npy", "--salvage", code=EXIT_CHECK_FAILED)
    found = back(name, packages)
    assert sha256(np.load(tmp_path / "back.npy").tobytes()) == STREAMS[name].restored.samples
    assert (tmp_path / "back.records.bin").read_bytes() == b"".join(found.records.values())
    assert json.loads((tmp_path / "back.lines.json").read_text())["missing"] == STREAMS[name].restored.missing


def test_the_command_gives_raw_frames(packages: Packages) -> None:
    found = back("records-frames", packages)
    frame = frame_of(found.image.metadata)
    assert frame is not None and sorted(found.records) == list(range(len(found.lines)))
    lines = [
        found.records[y][: frame.header] + line.tobytes() + found.records[y][frame.header :]
        for y, line in enumerate(found.lines)
    ]
    assert run("records-frames", "-", "--with-records").stdout_bytes == b"".join(lines)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("suffix", ["hdr", "tif", "npy"])
@pytest.mark.parametrize("name", IMAGES)
def test_metadata_of_every_kind_hold_up_no_kind_of_output(
    name: str, suffix: str, packages: Packages, tmp_path: Path
) -> None:
    run(name, tmp_path / f"back.{suffix}")
    lines = open_scene(tmp_path / f"back.{suffix}", has_floats=True).read()
    np.testing.assert_array_equal(lines, back(name, packages).lines)
