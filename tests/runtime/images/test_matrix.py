"""docs/formats/images.md says what becomes of each property of each kind of file; each of its cells is done here.

`python -m tests.runtime.images.test_matrix` writes the tables of the page again.
"""

import re
import tempfile
import warnings
from pathlib import Path

import pytest

from tests.runtime.images import (
    matrix_envi,
    matrix_geotiff,
    matrix_hdf5,
    matrix_npy,
    matrix_products,
    matrix_raw,
    matrix_samples,
)
from tests.runtime.images.envi_files import CUBE
from tests.runtime.images.matrix import OUTPUTS, Row, outcomes, table

PAGE = Path(__file__).parents[3] / "docs" / "formats" / "images.md"
ROWS: list[Row] = [
    *matrix_geotiff.ROWS,
    *matrix_envi.ROWS,
    *matrix_npy.ROWS,
    *matrix_hdf5.ROWS,
    *matrix_products.ROWS,
    *matrix_raw.ROWS,
    *matrix_samples.ROWS,
]
KINDS = list(dict.fromkeys(row.kind for row in ROWS))
TABLES = re.compile(r"(?<=<!-- made by tests/runtime/images/test_matrix.py -->\n).*(?=<!-- end -->)", re.DOTALL)

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def cells_of_page() -> dict[tuple[str, str, str], str]:
    """Kind, property, output: what the page says."""
    found: dict[tuple[str, str, str], str] = {}
    kind = ""
    for line in PAGE.read_text().splitlines():
        name, *values = (part.strip() for part in line.strip("|").split("|"))
        if values == [f"to {output}" for output in OUTPUTS]:
            kind = name
        elif kind and len(values) == len(OUTPUTS) and not name.startswith("---"):
            found |= {(kind, name, output): value for output, value in zip(OUTPUTS, values, strict=True)}
        elif not values:
            kind = ""
    return found


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.kind}-{row.name}" for row in ROWS])
def test_cells_are_what_the_page_says(row: Row, tmp_path: Path) -> None:
    cells = cells_of_page()
    assert outcomes(row, tmp_path) == {output: cells.get((row.kind, row.name, output)) for output in OUTPUTS}


def test_the_page_has_these_cells_and_no_others() -> None:
    cells = cells_of_page()
    assert set(cells) == {(row.kind, row.name, output) for row in ROWS for output in OUTPUTS}
    (tables,) = TABLES.findall(PAGE.read_text())
    assert tables == "\n".join(table(kind, ROWS, cells) for kind in KINDS)


def test_what_is_lost_without_a_word_fails(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    row = Row("npy", "three axes", matrix_npy.ROWS[0].make, own=("GeoTIFF", "ENVI"))
    with pytest.raises(AssertionError, match="to npy: lost; notes"):
        outcomes(row, tmp_path / "a")
    never = Row("ENVI", "comments", matrix_envi.ROWS[-5].make, {"ENVI": lambda path: True}, "comments")
    with pytest.raises(AssertionError, match="carried, but"):
        outcomes(never, tmp_path / "b")
    (tmp_path / "c").mkdir()
    other = Row("npy", "byte order", matrix_npy.saved(CUBE), own=tuple(OUTPUTS), cube=CUBE + 1)
    with pytest.raises(AssertionError, match="other samples"):
        outcomes(other, tmp_path / "c")


def write_page() -> None:
    """Do every cell, and write the tables."""
    cells: dict[tuple[str, str, str], str] = {}
    for row in ROWS:
        with tempfile.TemporaryDirectory() as folder:
            cells |= {(row.kind, row.name, output): cell for output, cell in outcomes(row, Path(folder)).items()}
    tables = "\n".join(table(kind, ROWS, cells) for kind in KINDS)
    PAGE.write_text(TABLES.sub(lambda _: tables, PAGE.read_text()))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write_page()
