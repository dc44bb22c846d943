"""A package takes the place of a package and of nothing else."""

import json
from pathlib import Path

import pytest

from export.package_files import check_package_name, write_package
from runtime.errors import BadArgument

PARTS = {"manifest.json": json.dumps({"parts": {"line_step.onnx": "00"}}).encode(), "line_step.onnx": b"new"}
SUBGRAPHS = {"accelerator.json": json.dumps({"subgraphs": [{"file": "a.onnx"}]}).encode(), "a.onnx": b"new"}


def content(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


@pytest.mark.parametrize("parts", [PARTS, SUBGRAPHS], ids=["package", "sub-graphs"])
def test_an_older_package_and_an_empty_folder_are_replaced(parts: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for _ in range(2):
        check_package_name(tmp_path / "folder")
        write_package(parts, tmp_path / "folder")
        assert content(tmp_path) == {f"folder/{name}": data for name, data in parts.items()}


@pytest.mark.parametrize(
    "files",
    [
        {"thesis.txt": b"years"},
        {**PARTS, "notes.txt": b"mine"},
        {"manifest.json": PARTS["manifest.json"], "line_step.onnx/deep": b"mine"},
        {"manifest.json": b'{"name": "a page of the web"}'},
        {"manifest.json": b'[{"name": "scene", "path": "scene.lrwk"}]', "scene.lrwkv": b"scene"},
        {"manifest.json": b"[" * 100000},
    ],
    ids=["others", "one more", "folder", "other manifest", "scenes", "nonsense"],
)
def test_other_files_are_kept(files: dict[str, bytes], tmp_path: Path) -> None:
    for name, data in files.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    before = content(tmp_path)
    for act in (check_package_name, lambda target: write_package(PARTS, target)):
        with pytest.raises(BadArgument, match="holds other files"):
            act(tmp_path / "folder")
    assert content(tmp_path) == before
