"""Ethos-U: the TOSA reference model on the recorded lines, and Vela's estimates of the dense sub-graphs."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from hil_tests.accelerators.own_trial import equal_row, own_trial
from hil_tests.accelerators.trial import ENMAP_BANDS, ENMAP_COLUMNS
from hil_tests.accelerators.vela import CONFIGURATIONS, Configuration, Estimate, compiled
from hil_tests.accelerators.written_report import Report, Row, equality
from hil_tests.executors.own_process import TOSA
from hil_tests.places.own_environment import OwnEnvironment
from hil_tests.places.tool import run_tool
from runtime.cell.flight_package import IntegerPackage
from runtime.executors.subgraph_cell import subgraph_layers

TILES = (1, 2, 4)
DETAILED_TILE = 1
NOTES = (
    "The reference model runs the sub-graphs of the package as TOSA 1.0 operators, bit for bit; it has no speed.",
    "",
    "The other figures are estimated by Vela from its own model of the accelerator; nothing ran on an Ethos-U.",
    "They are of the dense sub-graphs alone, one evaluation of each for a tile of 1000 columns; memory, gates, sums",
    "and the spectral part are the host's and are not among them. A line of EnMAP is 224 bands of 1000 columns.",
    "Shared_Sram: activations lie in the SRAM, whatever its size; Dedicated_Sram: in DRAM, behind so much SRAM.",
)


def estimates(
    place: OwnEnvironment, package: IntegerPackage, n_groups: int, log: Callable[[str], None]
) -> dict[Configuration, dict[str, Estimate]]:
    """For each configuration Vela's estimate of each sub-graph, for tiles of `n_groups` groups of 1000 columns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes = ("--groups", str(n_groups), "--columns", str(ENMAP_COLUMNS))
        words = place.command("hil_tests.executors.tosa_file", package.source.resolve(), folder, *sizes)
        run_tool(words, env=place.environment())
        found = {}
        for configuration in CONFIGURATIONS:
            log(f"{configuration.accelerator}, {configuration.memory}, tiles of {n_groups} groups")
            found[configuration] = {
                part: compiled(place, folder / f"{part}.tosa", configuration)
                for part in subgraph_layers(package.cell.shape)
            }
        return found


def tile_row(configuration: Configuration, n_groups: int, group: int, parts: dict[str, Estimate]) -> Row:
    """All sub-graphs of a tile together."""
    n_samples = n_groups * group * ENMAP_COLUMNS
    seconds = sum(part.seconds for part in parts.values())
    cycles = sum(part.cycles for part in parts.values())
    sram, outside = (sum(getattr(part, key) for part in parts.values()) for key in ("sram_bytes", "outside_bytes"))
    return {
        "accelerator": configuration.accelerator,
        "system": f"{configuration.system}, {configuration.memory}",
        "groups of a tile": n_groups,
        "Msamples/s": n_samples / seconds / 1e6,
        "ms for a line of EnMAP": seconds * 1e3 * ENMAP_BANDS * ENMAP_COLUMNS / n_samples,
        "cycles/sample": cycles / n_samples,
        "MAC used": sum(part.macs for part in parts.values()) / (cycles * configuration.macs_per_cycle),
        "SRAM used, KiB": max(part.sram_kib for part in parts.values()),
        "SRAM bytes/sample": sram / n_samples,
        "DRAM and flash bytes/sample": outside / n_samples,
        "SRAM GB/s": sram / seconds / 1e9,
        "DRAM and flash GB/s": outside / seconds / 1e9,
    }


def part_row(configuration: Configuration, group: int, name: str, part: Estimate) -> Row:
    """One sub-graph of a tile."""
    return {
        "accelerator": configuration.accelerator,
        "system": f"{configuration.system}, {configuration.memory}",
        "sub-graph": name,
        "MAC/sample": part.macs / (DETAILED_TILE * group * ENMAP_COLUMNS),
        "cycles": part.cycles,
        "cycles of arithmetic": part.npu_cycles,
        "SRAM used, KiB": part.sram_kib,
    }


def vela_report(package: IntegerPackage, log: Callable[[str], None]) -> Report:
    """The whole report. Raises SetupFailed where the environment `vela` is not there."""
    place, group = OwnEnvironment("vela"), package.cell.shape.group
    log("TOSA reference model on the recorded lines")
    trial = own_trial(place, package, TOSA)
    found = {tile: estimates(place, package, tile, log) for tile in TILES}
    equal = [equal_row(trial)]
    tiles = [
        tile_row(configuration, tile, group, found[tile][configuration])
        for configuration in CONFIGURATIONS
        for tile in TILES
    ]
    return Report(
        title="Ethos-U through TOSA and Vela",
        label="estimated by Vela",
        tool=f"{trial['provider']}; {place.version('ethos-u-vela')}",
        answer=answer(equal, tiles),
        notes=list(NOTES),
        tables={
            "Recorded lines in the TOSA reference model": equal,
            "Dense sub-graphs, estimated by Vela": tiles,
            f"Sub-graphs of a tile of {DETAILED_TILE} group, estimated by Vela": [
                part_row(configuration, group, name, part)
                for configuration, parts in found[DETAILED_TILE].items()
                for name, part in parts.items()
            ],
        },
    )


def answer(equal: list[Row], tiles: list[Row]) -> str:
    """The sentence of what ran, and of what is an estimate."""
    ranked = sorted(tiles, key=lambda row: row["Msamples/s"])
    slowest, fastest = (f"{row['Msamples/s']:.3g} Msamples/s ({row['accelerator']})" for row in (ranked[0], ranked[-1]))
    return (
        f"In the TOSA reference model {equality(equal)}; Vela estimates the dense sub-graphs alone at {slowest} to "
        f"{fastest}, and nothing ran on an Ethos-U."
    )
