"""`python -m hil_tests.fault_programs.flight.trial FOLDER`: a flight on this machine, and what came of it as JSON."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from hil_tests.fault_programs.flight.account import decoded, line_checks, packet_checks, recordings, stream_checks
from hil_tests.fault_programs.flight.configuration import BUFFER_LINES, FORMS, NETWORK, tables, toml_text
from hil_tests.fault_programs.flight.disk import Disk
from hil_tests.fault_programs.flight.downlink import Ground
from hil_tests.fault_programs.flight.flight import Flight
from hil_tests.fault_programs.flight.flown_recorder import FlightFailed, FlownRecorder, Told
from hil_tests.fault_programs.flight.imager import Imager, plan_of
from hil_tests.fault_programs.flight.new_package import NewPackages, made_packages
from hil_tests.fault_programs.flight.scene import Scene, made_scene
from runtime.cell.flight_package import SHIPPED, SHIPPED_LARGE, open_package
from runtime.errors import BadArgument

DISK_SEGMENTS = 400
"""Segments of samples as they come that the disk holds."""
ROTATE_SEGMENTS = 12


def say(text: str) -> None:
    """Progress, to standard error."""
    click.echo(f"{time.strftime('%H:%M:%S')} {text}", err=True)


def flown(
    folder: Path, scene: Scene, n_lines: int, stage: str, segment_lines: int, line_deadline: float, seed: int
) -> dict[str, Any]:
    """A flight in a folder that is empty; what came of it. Raises FlightFailed."""
    left_out: list[str] = []
    signed: NewPackages | None = None
    try:
        signed = made_packages(folder)
    except BadArgument as error:
        left_out.append(f"a new package: {error}")
    segment_bytes = scene.lines[0].nbytes * segment_lines
    plan, ground = plan_of(n_lines), Ground()
    imager = Imager(scene, plan, np.random.default_rng(seed))
    with Disk(folder / "disk", max(8, DISK_SEGMENTS * segment_bytes >> 20)) as disk:
        values = tables(
            folder, scene.table, imager.port, ground.port, stage=stage, segment_lines=segment_lines,
            line_deadline=line_deadline, rotate_bytes=ROTATE_SEGMENTS * segment_bytes // 2,
            trust=None if signed is None else signed.trust,
        )  # fmt: skip
        values["output"] |= disk.table
        config = folder / "recorder.toml"
        config.write_text(toml_text(values))
        recorder = FlownRecorder(config, folder / "telemetry.jsonl", folder / "commands", folder / "recorder.log")
        flight = Flight(imager, recorder, disk, signed, say)
        try:
            flight.fly()
        finally:
            if recorder.process is not None and recorder.process.poll() is None:
                recorder.kill()
        say("decoding")
        packages = [open_package(path) for path in (SHIPPED, SHIPPED_LARGE)]
        streams = recordings(folder / "disk")
        found = decoded(streams, scene, packages)
        in_memory = BUFFER_LINES + 2 * segment_lines
        checks = line_checks(found, imager.sent_at, flight.cut, flight.n_unread, in_memory)
        checks += stream_checks(streams, found, flight.killed, len(plan.lost - set(flight.cut)))
        checks += packet_checks(folder / "disk", ground.received(), scene, packages, flight.killed)
        n_bytes = sum(len(data) for _, data in streams)
    held = [one._replace(found=one.found.replace(f"{folder}/", "")) for one in [*checks, *flight.checks]]
    return {
        "passed": all(one.is_held for one in held),
        "lines": n_lines, "bands": scene.lines.shape[1], "columns": scene.lines.shape[2], "stage": stage,
        "segment_lines": segment_lines, "seed": seed, "forms": [NETWORK, *(one["name"] for one in FORMS[stage])],
        "network_lines_per_s": round(flight.network_rate, 2), "imager_lines_per_s": round(imager.rate or 0.0, 2),
        "disk": disk.kind, "streams": len(streams), "bytes": n_bytes, "left_out": left_out,
        "sent": [round(time, 4) for _, time in sorted(imager.sent_at.items())],
        "events": flight.events, "checks": [one._asdict() for one in held],
        "segments": segment_rows(recorder.told("segment"), imager.sent_at, plan.lost),
    }  # fmt: skip


def segment_rows(told: list[Told], sent_at: dict[int, float], lost: frozenset[int]) -> list[Told]:
    """Of each segment: when it was told of, form, fill of the buffer, bits, and delay after its last line was sent."""
    came = [y for y in sorted(sent_at) if y not in lost]
    rows, n_lines = [], 0
    for one in told:
        n_lines += one["lines"]
        rows.append({
            "time": one["time"], "lines": one["lines"], "form": one["form"], "predictor": one["predictor"],
            "fill": one["fill"], "bits_per_sample": round(one["bits"] / one["samples"], 4), "seconds": one["seconds"],
            "delay_s": round(one["time"] - sent_at[came[min(n_lines, len(came)) - 1]], 3),
        })  # fmt: skip
    return rows


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--lines", default=2000, show_default=True, type=click.IntRange(200))
@click.option("--bands", default=100, show_default=True)
@click.option("--columns", default=600, show_default=True)
@click.option("--stage", type=click.Choice(list(FORMS)), default="best", show_default=True)
@click.option("--segment-lines", default=8, show_default=True)
@click.option("--line-deadline", default=2.0, show_default=True, help="Seconds until an executor that hangs is killed.")
@click.option("--seed", default=0, show_default=True)
def main(
    folder: Path, lines: int, bands: int, columns: int, stage: str, segment_lines: int, line_deadline: float, seed: int
) -> None:  # fmt: skip
    """Fly in FOLDER, which is made, and print one JSON object; exit code 1 where something is lost or untold."""
    folder.mkdir(parents=True)
    scene = made_scene(bands, columns, np.random.default_rng(seed))
    try:
        found = flown(folder.absolute(), scene, lines, stage, segment_lines, line_deadline, seed)
    except FlightFailed as error:
        found = {"passed": False, "error": str(error)}
    click.echo(json.dumps(found))
    sys.exit(0 if found["passed"] else 1)


if __name__ == "__main__":
    main()
