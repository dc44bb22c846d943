"""Whether a checkout lost speed or rate against an older one: both measured by turns, in one run.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_against OLD NEW

OLD and NEW are clean checkouts that the Python of this run can import from; OLD is given the script of NEW where it
measures more. In each, bench_int8_line and
bench_adaptive_speed run by turns, every other round NEW first, and the best figure counts: one and the same checkout
differs by up to 9 % between runs of bench_int8_line. Then two scenes are compressed by both.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.harness.record import SCENES, save

SCRIPTS = {"int8_line": (4, ("columns", "adaptive stage")), "adaptive_speed": (1, ("image", "stage"))}
"""Names of results, how many rounds, and the keys that a row is known by."""
SCENE_NAMES = ("enmap_potsdam_a", "jasper_ridge")
WAYS = {"linerwkv": (), "rls": ("--predictor", "rls"), "ccsds123": ("--predictor", "ccsds123")}


def run(tree: Path, *words: str) -> str:
    """What a module of a checkout prints."""
    done = subprocess.run([sys.executable, *words], cwd=tree, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{tree}: {' '.join(words)}: {done.stderr[-500:]}")
    return done.stdout


def speeds(tree: Path, name: str) -> dict[tuple[str, str], float]:
    """Every figure in Msamples/s of a script's table, by row and column."""
    run(tree, "-m", f"benchmarks.bench_{name}")
    rows = json.loads((tree / "benchmarks" / "results" / f"{name}.json").read_text())["rows"]
    return {
        (", ".join(str(row[key]) for key in SCRIPTS[name][1]), column): value
        for row in rows
        if row.get("package", "flight") == "flight"
        for column, value in row.items()
        if "Ms" in column
    }


def command_line(tree: Path) -> str:
    """The module that is the command `linerwkv` of a checkout."""
    return "runtime.commands.cli" if (tree / "runtime" / "commands").is_dir() else "runtime.cli"


def rate(tree: Path, scene: str, words: tuple[str, ...]) -> float:
    """Bits per sample of a scene's stream."""
    with tempfile.TemporaryDirectory() as folder:
        header, stream = str(SCENES / f"{scene}.hdr"), f"{folder}/s.lrwk"
        output = run(tree, "-m", command_line(tree), "compress", header, stream, "--json", *words)
        return float(json.loads(output)["bits_per_sample"])


def main() -> None:
    """Measure, print and write the table."""
    old, new = (Path(name).resolve() for name in sys.argv[1:])
    rows: list[dict[str, Any]] = []
    for name, (n_rounds, _) in SCRIPTS.items():
        best: list[dict[tuple[str, str], float]] = [{}, {}]
        for number in range(n_rounds):
            turns = list(zip(best, (old, new), strict=True))
            for found, tree in reversed(turns) if number % 2 else turns:
                for key, value in speeds(tree, name).items():
                    found[key] = max(value, found.get(key, 0.0))
        for key, before in best[0].items():
            after = best[1][key]
            rows.append(
                {"what": f"{name}: {key[0]}, {key[1]}", "old": before, "new": after, "new / old": after / before}
            )
    for scene in SCENE_NAMES:
        for way, words in WAYS.items():
            before, after = rate(old, scene, words), rate(new, scene, words)
            ratio = after / before
            rows.append({"what": f"{scene}, {way}, bits per sample", "old": before, "new": after, "new / old": ratio})
    commits = {
        name: subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=tree, capture_output=True, text=True).stdout
        for name, tree in (("old", old), ("new", new))
    }
    command = "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_against OLD NEW"
    save("against", command, rows, **{f"{name}_commit": text.strip() for name, text in commits.items()})


if __name__ == "__main__":
    main()
