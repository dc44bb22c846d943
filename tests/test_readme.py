"""Commands of README and of the tutorials run as they stand, in their order, in an empty folder; so does the Python."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
README = REPOSITORY / "README.md"
TUTORIALS = [REPOSITORY / "docs" / "tutorials" / f"{name}.md" for name in ("compress", "train", "board")]
MOST_WORDS = 700
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
DEMO = "linerwkv demo --output demo_output"


def python_of(page: str) -> list[str]:
    """The blocks of Python of a page."""
    text = (REPOSITORY / page).read_text()
    return [block for language, block in BLOCK.findall(text) if language == "python"]


def commands(path: Path) -> list[str]:
    """The lines of blocks without a language, without comments; `make` belongs to the checkout: CI calls it."""
    lines = [line for language, block in BLOCK.findall(path.read_text()) if not language for line in block.splitlines()]
    bare = [line.split("   #")[0].strip() for line in lines]
    return [line for line in bare if line and not line.startswith(("make ", "#"))]


def run_all(lines: list[str], folder: Path) -> None:
    """Each by a shell, with this interpreter's commands; exit code 0."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"}
    for line in lines:
        done = subprocess.run(
            ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def test_the_readme_is_short() -> None:
    assert len(README.read_text().split()) <= MOST_WORDS


def test_every_tutorial_is_run() -> None:
    assert set(TUTORIALS) == set((REPOSITORY / "docs" / "tutorials").glob("*.md"))


def test_every_command_of_the_readme_is_a_verb_of_the_product() -> None:
    found = commands(README)
    assert len(found) >= 10
    assert all(shlex.split(line)[0] == "linerwkv" for line in found), found


def test_the_table_of_forms_is_the_committed_result() -> None:
    result = json.loads((REPOSITORY / "benchmarks" / "results" / "forms.json").read_text())["rows"]
    rows = [line.split("|")[2:6] for line in README.read_text().splitlines() if re.match(r"\| .*`.*\|", line)]
    names = ("known sensor", "other sensors", "Msamples/s", "MiB")
    assert [[float(cell) for cell in row] for row in rows] == [[row[name] for name in names] for row in result]


def test_the_python_of_its_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    blocks = python_of("docs/python.md")
    assert len(blocks) >= 3
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)


@pytest.mark.slow
def test_all_commands_run_in_an_empty_folder(tmp_path: Path) -> None:
    """Those of the tutorials after those of README, in one folder; what was run already is not run again."""
    run_all(list(dict.fromkeys([DEMO, *(line for path in (README, *TUTORIALS) for line in commands(path))])), tmp_path)
