"""Image files are read and written by runtime/images alone: a second way anywhere else fails here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = ("runtime", "model", "quantize", "export", "hil_tests", "benchmarks")
HEADERS = {"runtime/images/envi_header_reader.py", "runtime/images/envi_header_writer.py"}
LIBRARIES = {
    "spectral": set[str](),
    "rasterio": {
        f"runtime/images/geotiff{part}.py" for part in ("", "_comparison", "_layout", "_tags", "_words", "_writer")
    },
    "h5py": {"runtime/images/hdf5/entries.py", "runtime/images/hdf5/opening.py"},
    "netCDF4": set[str](),
    "h5netcdf": set[str](),
    "tifffile": set[str](),
    "osgeo": set[str](),
}
GEOTIFF_MAKER = "runtime/images/geotiff_layout.py"
MARKS = ("ENVI\n", "ENVI Standard", "header offset", "byte order =")


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [name.name.split(".")[0] for name in node.names]
    return [node.module.split(".")[0]] if isinstance(node, ast.ImportFrom) and node.module else []


def is_opening_to_write(node: ast.AST) -> bool:
    """Whether it is a call of `open` with more than a path."""
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "open"
    return is_call and len(node.args) + len(node.keywords) > 1  # type: ignore[attr-defined]  # a call has both


def findings(name: str, text: str) -> Iterator[str]:
    """What of a file reads or writes images in a way of its own."""
    tree = ast.parse(text)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        for library in imported(node):
            if library in LIBRARIES and name not in LIBRARIES[library]:
                yield f"{name}:{node.lineno} imports {library}"  # type: ignore[attr-defined]  # of imports there is one
        if isinstance(node, ast.Constant) and id(node) not in docstrings and name not in HEADERS:
            content = node.value.decode("latin-1") if isinstance(node.value, bytes) else str(node.value)
            if any(mark in content for mark in MARKS):
                yield f"{name}:{node.lineno} has the text of an ENVI header"
        if name in LIBRARIES["rasterio"] - {GEOTIFF_MAKER} and is_opening_to_write(node):
            yield f"{name}:{ast.unparse(node)} opens a GeoTIFF to write"


def test_there_is_one_way() -> None:
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 200
    assert [one for path in files for one in findings(path.relative_to(ROOT).as_posix(), path.read_text())] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("benchmarks/a.py", 'path.write_text("ENVI\\nsamples = 5\\n")'),
        ("export/a.py", 'path.write_bytes(b"ENVI\\n")'),
        ("model/a.py", 'fields = {"header offset": 0}'),
        ("model/a.py", 'f"ENVI\\nlines = {n}"'),
        ("runtime/a.py", "import spectral.io.envi"),
        ("runtime/images/scene_writer.py", "from rasterio import open"),
        ("runtime/images/geotiff.py", 'rasterio.open(path, "w")'),
    ],
)
def test_a_second_way_is_seen(name: str, text: str) -> None:
    assert len(list(findings(name, text))) == 1
