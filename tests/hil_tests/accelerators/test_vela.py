"""Vela's summary is read as it is written, and refused where it is not sound."""

import pytest

from hil_tests.accelerators.vela import read_summary
from runtime.errors import Corrupt

FIGURES = {
    "accelerator_configuration": "Ethos_U55_256", "core_clock": "500000000.0", "sram_memory_used": "617.1875",
    "sram_total_bytes": "2864384", "dram_total_bytes": "0", "on_chip_flash_total_bytes": "0",
    "off_chip_flash_total_bytes": "11296", "nn_macs": "44032000", "cycles_npu": "348422", "cycles_total": "389860",
}  # fmt: skip


def text(figures: dict[str, str], n_rows: int = 1) -> str:
    return "\n".join([",".join(figures), *[",".join(figures.values())] * n_rows]) + "\n"


def test_figures_are_read_by_the_names_of_their_columns() -> None:
    found = read_summary(text(dict(reversed(FIGURES.items()))))
    assert (found.cycles, found.npu_cycles, found.macs) == (389860, 348422, 44032000)
    assert (found.sram_kib, found.sram_bytes, found.outside_bytes) == (617.1875, 2864384, 11296)
    assert found.seconds == 389860 / 500e6


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "accelerator_configuration"])
@pytest.mark.parametrize("value", [None, "", "many", "inf", "nan"])
def test_a_missing_or_senseless_figure_is_refused(name: str, value: str | None) -> None:
    figures = {key: kept for key, kept in FIGURES.items() if key != name}
    if value is not None:
        figures[name] = value
    with pytest.raises(Corrupt, match="Vela's summary has"):
        read_summary(text(figures))


@pytest.mark.parametrize("name", ["core_clock", "cycles_total"])
def test_no_cycles_or_no_clock_is_refused(name: str) -> None:
    with pytest.raises(Corrupt, match=r"cycles at .* Hz"):
        read_summary(text(FIGURES | {name: "0"}))


@pytest.mark.parametrize("n_rows", [0, 2])
def test_not_one_line_is_refused(n_rows: int) -> None:
    with pytest.raises(Corrupt, match=f"has {n_rows} lines of figures, wanted 1"):
        read_summary(text(FIGURES, n_rows))


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(Corrupt, match="has 0 lines"):
        read_summary("")
