"""docs/formats/images.md says what becomes of each property of each kind of file; each of its cells is done here.

`python -m tests.runtime.images.test_matrix` writes the tables of the page again.
"""

import re
import tempfile
import warnings
from pathlib import Path

import pytest

from tests.runtime.images import matrix_envi, matrix_geotiff, matrix_npy
from tests.runtime.images.matrix import OUTPUTS, Row, outcome, table

PAGE = Path(__file__).parents[3] / "docs" / "formats" / "images.md"
ROWS: list[Row] = [*matrix_geotiff.ROWS, *matrix_envi.ROWS, *matrix_npy.ROWS]
KINDS = list(dict.fromkeys(row.kind for row in ROWS))
CELLS = [(row, output) for row in ROWS for output in OUTPUTS]
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


@pytest.mark.parametrize(("row", "output"), CELLS, ids=[f"{row.kind}-{row.name}-{output}" for row, output in CELLS])
def test_a_cell_is_what_the_page_says(row: Row, output: str, tmp_path: Path) -> None:
    assert outcome(row, output, tmp_path) == cells_of_page().get((row.kind, row.name, output))


def test_the_page_has_these_cells_and_no_others() -> None:
    cells = cells_of_page()
    assert set(cells) == {(row.kind, row.name, output) for row, output in CELLS}
    (tables,) = TABLES.findall(PAGE.read_text())
    assert tables == "\n".join(table(kind, ROWS, cells) for kind in KINDS)


def test_what_is_lost_without_a_word_fails(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    row = Row("npy", "three axes", matrix_npy.ROWS[0].make)
    with pytest.raises(AssertionError, match="lost; notes"):
        outcome(row, "npy", tmp_path / "a")
    never = Row("ENVI", "comments", matrix_envi.ROWS[-5].make, {"ENVI": lambda path: True}, "comments")
    with pytest.raises(AssertionError, match="carried, but"):
        outcome(never, "ENVI", tmp_path / "b")


def write_page() -> None:
    """Do every cell, and write the tables."""
    cells = {}
    for row, output in CELLS:
        with tempfile.TemporaryDirectory() as folder:
            cells[row.kind, row.name, output] = outcome(row, output, Path(folder))
    tables = "\n".join(table(kind, ROWS, cells) for kind in KINDS)
    PAGE.write_text(TABLES.sub(lambda _: tables, PAGE.read_text()))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write_page()
