"""An output has its name when it is whole, and is on the disk before it has it."""

import os
from pathlib import Path

import pytest

from runtime.errors import BadArgument
from runtime.whole_output import replacing


def test_the_content_is_on_the_disk_before_the_name_stands_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, fsync = tmp_path / "output", os.fsync
    output.write_text("old")
    seen: list[tuple[str, str]] = []

    def noted(fd: int) -> None:
        seen.append((Path(f"/proc/self/fd/{fd}").read_text(), output.read_text()))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", noted)
    with replacing(output) as part, part.open("w") as file:
        file.write("new")
    assert seen == [("new", "old")]
    assert output.read_text() == "new"


def test_an_output_that_fails_leaves_the_old_one_alone(tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(output) as part:
        part.write_text("half")
        raise ZeroDivisionError
    with pytest.raises(BadArgument, match=r"output .* cannot be written: No such file"), replacing(output):
        pass
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
