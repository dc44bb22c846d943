"""Files on this machine as a target: each takes the place of what was there, no other folder is touched."""

import resource
from pathlib import Path

import pytest

from hil_tests.targets.local import MARK, LocalTarget
from hil_tests.targets.target import TargetFailed


def test_a_local_file_takes_the_place_of_a_folder_and_leaves_no_part(tmp_path: Path) -> None:
    target = LocalTarget(name="board", folder=tmp_path / "board")
    target.bring_up()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner").write_text("inner")
    (tmp_path / "file").write_text("file")
    for _ in range(2):
        target.put(tmp_path / "folder", "package")
        assert (target.root / "package" / "inner").read_text() == "inner"
        target.put(tmp_path / "file", "package")
        assert (target.root / "package").read_text() == "file"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    (tmp_path / "large").write_bytes(bytes(9999))
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(TargetFailed, match=r"large to .*: File too large"):
            target.put(tmp_path / "large", "large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path.name for path in target.root.iterdir()} == {MARK, "package"}


def test_a_local_target_takes_no_folder_of_others(tmp_path: Path) -> None:
    (tmp_path / "site-plan").write_text("years")
    for folder in (tmp_path, Path.cwd()):
        with pytest.raises(TargetFailed, match=r"holds other files|is the current folder"):
            LocalTarget(name="board", folder=folder).bring_up()
    assert [path.name for path in tmp_path.iterdir()] == ["site-plan"]
