"""`linerwkv paper` as a user calls it: the plan, and from patches to the page on two processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from export.paper.command import max_errors_of, paper, part_of
from runtime.errors import BadArgument

TINY = (
    "network.features=4", "network.encoder_layers=1", "network.line_blocks=1", "network.band_layers=1",
    "network.band_attention=false", "data.crop_lines=6", "data.crop_columns=8", "data.final_kept_columns=4",
    "schedule.accelerator=cpu", "schedule.devices=2",
)  # fmt: skip
PROGRAM = """
from export.paper.command import paper
if __name__ == "__main__":
    paper()
"""


def arguments(root: Path, output: Path, *more: str) -> list[str]:
    """Of a run of two epochs of a tiny network."""
    settings = [word for setting in (*TINY, f"data.cache={root / 'cache'}") for word in ("--set", setting)]
    return ["--hyspecnet", str(root), "--epochs", "2", "-o", str(output), *settings, *more]


def test_the_plan_is_of_a_measured_step(hyspecnet_root: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(paper, arguments(hyspecnet_root, tmp_path, "--plan", "--json"), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    plan = json.loads(result.output.splitlines()[-1])
    assert [stage["epochs"] for stage in plan["stages"]] == [1, 1]
    assert [stage["steps_per_epoch"] for stage in plan["stages"]] == [1, 1]  # two patches, two processes
    assert plan["device_hours"] == pytest.approx(2 * sum(stage["step_s"] for stage in plan["stages"]) / 3600)
    assert not list(tmp_path.iterdir())


def test_words_are_checked() -> None:
    assert max_errors_of("5,1") == (0, 1, 5)
    assert part_of("2/3") == (2, 3)
    for text in ("a", "1,", "-1"):
        with pytest.raises(BadArgument, match="--max-errors: found"):
            max_errors_of(text)
    for text in ("0/2", "3/2", "1", "1/-2"):
        with pytest.raises(BadArgument, match="--part: found"):
            part_of(text)


@pytest.mark.slow
def test_two_processes_train_and_the_page_is_written(hyspecnet_root: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"}

    def run(*more: str) -> str:
        command = [sys.executable, str(program), *arguments(hyspecnet_root, tmp_path, "--max-errors", "0,2", *more)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    stopped = run("--max-minutes", "0")
    assert "epoch 1 of 2, stopped; the same command resumes it" in stopped
    folder = tmp_path / "paper_hyspecnet"
    assert not (folder / "paper.html").exists()
    assert f"{folder / 'paper.html'}: network" in run()
    page, results = (folder / "paper.html").read_text(), json.loads((folder / "results.json").read_text())
    assert "Not reproduced here" in page and "2 processes trained, printed 4" in page
    assert [row["method"] for row in results["rows"]] == ["network", "ccsds123", "flight", "flight-large", "rls"]
    assert all(row["bits_per_sample"] > 0 and row["peak_mib"] > 0 for row in results["rows"])
    assert results["training"]["epochs_done"] == 2
