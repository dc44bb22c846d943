"""The writer adds what is missing and changes nothing: no stream, no package, no entry."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.golden.case import Case, Packages, Source, encoded
from tests.golden.cases import CASES
from tests.golden.manifest import FOLDER, Writer, read_manifest, stream_path, write_manifest
from tests.golden.packages import PACKAGES
from tests.golden.write import DIFFERS, NOT_MADE, REFUSED, SAME, WRITTEN, told, write_missing

NAME, OTHER = "linerwkv-best-range-in-loop", "records"
SOME = {name: CASES[name] for name in (NAME, OTHER)}
ONE_PACKAGE = {"group-1": PACKAGES["group-1"]}
LATER = Writer("9.9", 3, "0" * 40, "f" * 40)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of all golden files."""
    return shutil.copytree(FOLDER, tmp_path / "golden", ignore=shutil.ignore_patterns("*.py", "__pycache__"))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def outcomes(folder: Path, cases: dict[str, Case] = SOME) -> dict[str, str]:
    """What became of each file, in a word."""
    return {name: became.partition(":")[0] for name, became in write_missing(folder, LATER, cases, ONE_PACKAGE)}


def test_what_is_there_is_left(folder: Path) -> None:
    before = files(folder)
    assert set(outcomes(folder).values()) <= {SAME, DIFFERS, NOT_MADE}
    assert files(folder) == before


def test_what_this_version_makes_otherwise_is_told_and_left(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(folder)
    longer = replace(SOME[NAME], words=SOME[NAME].words | {"segment_lines": 1})
    never = replace(SOME[OTHER], words={"predictor": "none"})
    found = list(write_missing(folder, LATER, {NAME: longer, OTHER: never}, ONE_PACKAGE))
    assert [became.partition(":")[0] for _, became in found[1:]] == [DIFFERS, NOT_MADE]
    assert told(found) == 0
    assert f"stream {NAME}: differs: {len(before[f'streams/{NAME}.lrwk'])} bytes" in capsys.readouterr().out
    assert files(folder) == before


def test_a_damaged_file_is_refused_and_left(folder: Path) -> None:
    for path in (stream_path(folder, NAME), folder / "packages" / "group-1.zip"):
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    before = files(folder)
    found = list(write_missing(folder, LATER, SOME, ONE_PACKAGE))
    assert {name for name, became in found if became.startswith(REFUSED)} == {f"stream {NAME}", "package group-1"}
    assert told(found) == 1
    assert files(folder) == before


@pytest.mark.parametrize("what", ["another sha256", "no entry", "no file"])
def test_a_manifest_that_does_not_fit_is_refused_and_left(what: str, folder: Path) -> None:
    manifest = read_manifest(folder)
    if what == "another sha256":
        manifest.streams[NAME] = replace(manifest.streams[NAME], sha256="0" * 64)
    elif what == "no entry":
        del manifest.streams[NAME]
    else:
        stream_path(folder, NAME).unlink()
    write_manifest(folder, manifest)
    before = files(folder)
    assert outcomes(folder)[f"stream {NAME}"] == REFUSED
    assert files(folder) == before


def test_what_is_missing_is_written_and_nothing_else_changes(folder: Path) -> None:
    manifest, before = read_manifest(folder), files(folder)
    entry = manifest.streams.pop(NAME)
    write_manifest(folder, manifest)
    stream_path(folder, NAME).unlink()
    assert outcomes(folder)[f"stream {NAME}"] == WRITTEN
    after = read_manifest(folder)
    written = after.streams.pop(NAME)
    assert after.streams == manifest.streams and after.packages == manifest.packages
    assert after.writers == manifest.writers | {written.writer: LATER}
    assert written.restored.metadata == entry.restored.metadata and written.restored.shape == entry.restored.shape
    changed = {name for name, data in files(folder).items() if before.get(name) != data}
    assert changed - {f"streams/{NAME}.lrwk"} == {"manifest.json"}
    assert outcomes(folder)[f"stream {NAME}"] == SAME


def test_a_stream_that_does_not_come_back_is_not_written(folder: Path) -> None:
    """The samples that a manifest promises are those that went in, not what a decoder makes of a stream."""
    before, case = files(folder), SOME[OTHER]

    def of_other_samples(case: Case, source: Source, packages: Packages) -> bytes:
        return encoded(case, source._replace(lines=source.lines ^ 1), packages)

    with pytest.raises(AssertionError):
        outcomes(folder, {"new": replace(case, make=of_other_samples)})
    assert files(folder) == before
