"""Arm's Vela, the compiler of Ethos-U: its estimate of one sub-graph on one configuration, read from its summary."""

import csv
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hil_tests.places.own_environment import OwnEnvironment
from hil_tests.places.tool import SetupFailed, run_tool
from runtime.errors import Corrupt

VELA = "ethosu.vela"
OUTSIDE = ("dram_total_bytes", "on_chip_flash_total_bytes", "off_chip_flash_total_bytes")
"""Columns of its summary: what is read and written beyond the SRAM."""
COLUMNS = ("cycles_total", "cycles_npu", "core_clock", "sram_memory_used", "sram_total_bytes", *OUTSIDE, "nn_macs")


@dataclass(frozen=True)
class Configuration:
    """An accelerator in a system, all by Vela's own names (Arm/vela.ini)."""

    accelerator: str
    system: str
    memory: str
    macs_per_cycle: int


CONFIGURATIONS = (
    Configuration("ethos-u55-256", "Ethos_U55_High_End_Embedded", "Shared_Sram", 256),
    Configuration("ethos-u65-512", "Ethos_U65_High_End", "Dedicated_Sram_512KB", 512),
    Configuration("ethos-u65-512", "Ethos_U65_High_End", "Shared_Sram", 512),
    Configuration("ethos-u85-256", "Ethos_U85_SYS_Flash_High", "Shared_Sram", 256),
    Configuration("ethos-u85-1024", "Ethos_U85_SYS_DRAM_Mid", "Dedicated_Sram_512KB", 1024),
    Configuration("ethos-u85-1024", "Ethos_U85_SYS_DRAM_Mid", "Shared_Sram", 1024),
)
"""Shared_Sram: activations lie in the SRAM, whatever its size; Dedicated_Sram: in DRAM, behind so much SRAM."""


@dataclass(frozen=True)
class Estimate:
    """What Vela says of one evaluation of a graph."""

    cycles: int
    """In all; operators overlap their transfers."""
    npu_cycles: int
    """Of the arithmetic alone."""
    clock_hz: float
    sram_kib: float
    """Used at most, inputs and outputs included where they lie there."""
    sram_bytes: int
    """Read and written."""
    outside_bytes: int
    """Read and written in DRAM and flash."""
    macs: int

    @property
    def seconds(self) -> float:
        """Of one evaluation."""
        return self.cycles / self.clock_hz


def read_summary(text: str) -> Estimate:
    """The estimate in the text of a NAME_summary_SYSTEM.csv. Raises Corrupt where it is not one line of figures."""
    rows = list(csv.DictReader(text.splitlines()))
    if len(rows) != 1:
        raise Corrupt(f"Vela's summary has {len(rows)} lines of figures, wanted 1")
    figures = {name: figure(rows[0], name) for name in COLUMNS}
    estimate = Estimate(
        cycles=int(figures["cycles_total"]),
        npu_cycles=int(figures["cycles_npu"]),
        clock_hz=figures["core_clock"],
        sram_kib=figures["sram_memory_used"],
        sram_bytes=int(figures["sram_total_bytes"]),
        outside_bytes=int(sum(figures[name] for name in OUTSIDE)),
        macs=int(figures["nn_macs"]),
    )
    if not (estimate.cycles > 0 and estimate.clock_hz > 0):
        raise Corrupt(f"Vela's summary has {estimate.cycles} cycles at {estimate.clock_hz} Hz")
    return estimate


def figure(row: dict[str, str], name: str) -> float:
    """One figure of a line of the summary. Raises Corrupt where it is none."""
    try:
        value = float(row[name])
    except (KeyError, TypeError, ValueError):
        raise Corrupt(f"Vela's summary has {row.get(name)!r} for {name}, wanted a number") from None
    if not 0 <= value < float("inf"):
        raise Corrupt(f"Vela's summary has {value} for {name}, wanted a number from 0")
    return value


def compiled(place: OwnEnvironment, file: Path, configuration: Configuration) -> Estimate:
    """Vela's estimate of a .tosa file, all of whose operators it must take. Raises SetupFailed with its last words."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = ("--accelerator-config", configuration.accelerator, "--system-config", configuration.system)
        kept = ("--config", "Arm/vela.ini", "--memory-mode", configuration.memory, "--output-dir", folder)
        run_tool(place.command(VELA, file, *chosen, *kept), env=place.environment())
        found = list(Path(folder).glob("*_summary_*.csv"))
        if len(found) != 1:
            raise SetupFailed(f"Vela left {len(found)} summaries of {file.name}")
        return read_summary(found[0].read_text())
