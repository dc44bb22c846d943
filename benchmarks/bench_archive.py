"""Work over an archive by Dask: one worker against two, and what that says of 10,000 scenes on 100 and 1,000.

Streams of one synthetic scene are verified, which is decoding all of it, by processes of this machine. Start-up is
apart: each process decodes one stream before the clock starts. What Dask itself costs is measured by streams of one
line. The rows of 100 and 1,000 workers are calculated, not measured: start-up, then the larger of decoding on all
workers in whole rounds and of handing out the files one after another, by the times measured here; storage is taken
to deliver the bytes.

    python -m benchmarks.bench_archive --seconds 60
"""

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

import linerwkv
from benchmarks.harness.record import save
from linerwkv.ground.archive_cluster import Job, opened_client, outcomes
from linerwkv.ground.archive_jobs import outcome_of
from runtime.images.synthetic import synthetic_lines

SHAPE = 512, 64, 128
"""Lines, bands, columns of a stream that is decoded here."""
SCENE_SAMPLES = 1000 * 224 * 1000
"""Of a scene of the plan: lines, bands, columns as EnMAP has them."""
N_SCENES = 10_000
N_TINY = 200
LEAST_RATIO = 1.6


def jobs_of(path: Path, n: int, folder: Path) -> list[Job]:
    """Verification of as many copies of a stream."""
    folder.mkdir()
    copies = [folder / f"{i}.lrwk" for i in range(n)]
    for copy in copies:
        shutil.copy(path, copy)
    return [("verify", str(copy), {"packages": []}) for copy in copies]


def timed(client: Any, jobs: list[Job]) -> float:
    """Seconds until all jobs are done without an error."""
    start = time.perf_counter()
    found = [outcome for _, outcome in outcomes(client, jobs)]
    seconds = time.perf_counter() - start
    assert len(found) == len(jobs) and all(one["error"] is None for one in found), found
    return seconds


def measured(n_workers: int, jobs: list[Job], tiny: list[Job]) -> dict[str, Any]:
    """A row of the table."""
    start = time.perf_counter()
    with opened_client(None, n_workers) as client:
        client.wait_for_workers(n_workers)
        client.run(outcome_of, *jobs[0])  # in each process: kernels are there
        started = time.perf_counter() - start
        handing = timed(client, tiny) / len(tiny)
        seconds = timed(client, jobs)
    n_samples = len(jobs) * SHAPE[0] * SHAPE[1] * SHAPE[2]
    return {
        "workers": n_workers, "files": len(jobs), "what": "measured", "s": round(seconds, 3),
        "Msamples/s": n_samples / seconds / 1e6, "start-up s": round(started, 2), "handing out a file s": handing,
    }  # fmt: skip


def planned(n_workers: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A row of the plan, from the rows that were measured."""
    a_worker = min(row["Msamples/s"] / row["workers"] for row in rows)
    handing, started = (max(row[name] for row in rows) for name in ("handing out a file s", "start-up s"))
    decoding = -(-N_SCENES // n_workers) * SCENE_SAMPLES / 1e6 / a_worker
    seconds = started + max(decoding, N_SCENES * handing)
    return {
        "workers": n_workers, "files": N_SCENES, "what": "calculated", "s": round(seconds, 1),
        "Msamples/s": N_SCENES * SCENE_SAMPLES / seconds / 1e6, "start-up s": started, "handing out a file s": handing,
    }  # fmt: skip


@click.command()
@click.option("--seconds", type=click.FloatRange(1), default=60, show_default=True, help="Work of one worker.")
@click.option("--predictor", type=click.Choice(["linerwkv", "rls", "dpcm"]), default="rls", show_default=True)
def main(seconds: float, predictor: str) -> None:
    """Measure and save."""
    load = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cube = np.stack(list(synthetic_lines(*SHAPE, np.random.default_rng(0))))
        linerwkv.compress(cube, folder / "scene.lrwk", predictor=predictor)
        linerwkv.compress(cube[:1], folder / "line.lrwk", predictor=predictor)
        job: Job = ("verify", str(folder / "scene.lrwk"), {"packages": []})
        outcome_of(*job)
        n_files = max(4, 2 * round(seconds / outcome_of(*job)["seconds"] / 2))
        jobs = jobs_of(folder / "scene.lrwk", n_files, folder / "scenes")
        tiny = jobs_of(folder / "line.lrwk", N_TINY, folder / "lines")
        rows = [measured(n, jobs, tiny) for n in (1, 2)]
        n_bytes = (folder / "scene.lrwk").stat().st_size
    ratio = rows[0]["s"] / rows[1]["s"]
    plan = [planned(n, rows) for n in (100, 1000)]
    bits = n_bytes * 8 / cube.size
    read = {f"{row['workers']} workers": round(row["Msamples/s"] * bits / 8e3, 2) for row in plan}
    save("archive", f"python -m benchmarks.bench_archive --seconds {seconds:g} --predictor {predictor}", [*rows, *plan],
         ratio=round(ratio, 3), least_ratio=LEAST_RATIO,
         stream=f"{SHAPE[0]} lines x {SHAPE[1]} bands x {SHAPE[2]} columns, {predictor}, {bits:.3f} bits per sample",
         scene_of_the_plan=f"{SCENE_SAMPLES / 1e6:g} Msamples", storage_must_deliver_GB_per_s=read,
         load_of_the_machine_before=load)  # fmt: skip
    if ratio < LEAST_RATIO:
        raise SystemExit(f"2 workers are {ratio:.2f} times 1, allowed at least {LEAST_RATIO}")


if __name__ == "__main__":
    main()
