"""A whole run on a target: its steps in order, kept one by one, and the report at the end (docs/hil.md)."""

import hashlib
import importlib
import json
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from hil_tests.acceptance.bench import Bench
from hil_tests.acceptance.coding_steps import decode, encode, soak
from hil_tests.acceptance.energy_step import energy
from hil_tests.acceptance.fault_step import fault, fault_catalogue
from hil_tests.acceptance.finished_steps import Finished, FinishedSteps
from hil_tests.acceptance.line_rates import line_rate_note, replay
from hil_tests.acceptance.outcome import StepResult
from hil_tests.acceptance.preparation_steps import bring_up, deploy, self_test
from hil_tests.acceptance.probe_step import probe
from hil_tests.acceptance.run_scene import run_scene
from hil_tests.board.board import Board, board_file
from hil_tests.energy.energy_run import make_plan
from hil_tests.findings.findings import Findings, Outcome, Step
from hil_tests.findings.findings_file import built, read_findings, write_findings
from hil_tests.findings.limits import OF_LONG_RUNS, limits_of, speed
from hil_tests.findings.real_time import real_time_sentence
from hil_tests.meters.meter_factory import make_meters
from hil_tests.places.place import REPOSITORY
from hil_tests.places.runtime_wheel import build_runtime_wheel
from hil_tests.targets.target_factory import make_target
from hil_tests.targets.transfer import file_sha256
from runtime.cell.flight_package import SHIPPED, FlightPackage, open_package
from runtime.errors import Corrupt, LineRwkvError
from runtime.whole_output import replacing

OUTPUT = Path("hil_output")
REPORT, PAGE = "report.json", "report.html"
NEEDED = ("bring-up", "deploy")
"""Steps without which no other is tried."""


def run_commit() -> str:
    """The commit of the checkout, with `-dirty` where files differ from it."""
    command = ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"


class AcceptanceRun:
    """Perform the steps of `names` in order, then `finish`. A context manager, which gives the target back.

    A step that passed before with the same runtime, package, board file and scene is not done again.
    """

    def __init__(
        self, board: Board, *, scene: Path | None = None, output: Path | None = None, is_short: bool = False,
        again: bool = False, trust: Path | None = None, only: Collection[str] = (),
    ) -> None:  # fmt: skip
        """Nothing is done to the target yet. Raises BadArgument or Corrupt.

        only: names of the steps that are done, all of them where it is empty; limits of other steps are not held.
        again: forget the finished steps. trust: a file of public keys, one of which must have signed the package; what
        the target loads must be of its identity.
        """
        self.board, self.is_short, self.only = board, is_short, only
        self.beside = beside = output or OUTPUT / board.name
        """The folder that runs of the board share: wheel, what a local target keeps."""
        wheel = build_runtime_wheel(beside / "wheel")
        names = dict.fromkeys([board.package, *(form.package for form in board.forms if form.package)])
        packages = {name: named_package(name, board.path.parent, trust) for name in names}
        self.package = packages[board.package]
        self.scene = run_scene(board.scene, scene, board.path.parent, is_short=is_short)
        hashes = [package.sha256.hex() for package in packages.values()]
        parts = [file_sha256(wheel), *hashes, board.sha256, self.scene.sha256(), str(is_short), *only]
        identity = hashlib.sha256(" ".join(parts).encode()).hexdigest()
        self.folder = output or beside / identity[:12]
        self.folder.mkdir(parents=True, exist_ok=True)
        self.kept = FinishedSteps(self.folder, identity)
        self.target = make_target(board, beside)
        self.steps = self.all_steps()
        if again:
            for name in self.steps:
                self.kept.path(name).unlink(missing_ok=True)
        self.finished: list[Finished] = []
        self.bench = Bench(board, self.target, wheel, packages, self.scene, self.folder)
        before = [kept.ended_s for name in self.steps if (kept := self.kept.read(name)) is not None]
        self.bench.began -= max(before, default=0.0)  # pauses between two starts do not count
        self.started = self.start_time(identity)

    def __enter__(self) -> "AcceptanceRun":
        return self

    def __exit__(self, *_: object) -> None:
        self.bench.close()

    def start_time(self, identity: str) -> str:
        """When this run began, by the clock of this machine; kept for later starts."""
        path = self.folder / "run.json"
        try:
            values = json.loads(path.read_text())
            if values["identity"] == identity and any(self.kept.read(name) for name in self.steps):
                return str(values["started"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # no run began here, or none that can be read
        started = datetime.now(UTC).isoformat(timespec="seconds")
        with replacing(path) as part:
            part.write_text(json.dumps({"identity": identity, "started": started}) + "\n")
        return started

    def all_steps(self) -> Mapping[str, Callable[[Bench], StepResult]]:
        """Every step by its name, in order."""
        where = board_file(self.board.path)
        meters, plan = make_meters(self.board.meters, self.target, where), make_plan(self.board.energy, where)
        catalogue = fault_catalogue(self.board)
        steps: dict[str, Callable[[Bench], StepResult]] = {
            "bring-up": bring_up,
            "deploy": deploy,
            "self-test": partial(self_test, is_short=self.is_short),
            "probe": probe,
            "encode": encode,
            "decode": decode,
            "soak": left_out("a short run") if self.is_short else soak,
            "energy": left_out("a short run") if self.is_short else partial(energy, meters=meters, plan=plan),
            **{f"fault {name}": partial(fault, catalogue=catalogue, name=name) for name in self.board.faults},
        }
        return {name: steps[name] for name in self.board.step_names if name in (self.only or steps)}

    def perform(self, name: str) -> Step:
        """Do a step, or take it from an earlier start; it never raises for what the target does."""
        kept = self.kept.read(name)
        if kept is None:
            kept = self.done(name)
            self.kept.write(kept)
        self.finished.append(kept)
        return kept.step

    def done(self, name: str) -> Finished:
        """The step, done now."""
        began = time.monotonic()
        missing = [one.step.name for one in self.finished if one.step.outcome is Outcome.FAILED]
        try:
            if set(missing) & set(NEEDED):
                result = StepResult(Outcome.NOT_MEASURED, f"not tried, {missing[0]} failed")
            else:
                result = self.steps[name](self.bench)
        except LineRwkvError as error:
            self.bench.lose()
            result = StepResult.failed(str(error))
        step = Step(name, result.outcome, self.bench.since_start(began), time.monotonic() - began, result.detail)
        cured = [f"{name}: a reset was needed, {why}" for why in self.bench.take_reset_reasons()]
        return Finished(step, {**result.found, "notes": [*result.found.get("notes", []), *cured]})

    def finish(self) -> Findings:
        """The findings of the steps performed, written to report.json."""
        image = self.scene.image
        values: dict[str, Any] = {
            "board": self.board.name, "label": self.target.label, "started": self.started, "commit": run_commit(),
            "machine": {}, "package": str(self.package.manifest["name"]),
            "package_sha256": self.package.sha256.hex(), "scene": self.scene.name, "scene_kind": self.scene.kind,
            "scene_shape": [image.n_lines, image.n_bands, image.n_columns], "notes": self.first_notes(),
        }  # fmt: skip
        for one in self.finished:
            for key, value in one.found.items():
                if isinstance(value, list):
                    value = [*values.get(key, []), *value]
                elif isinstance(value, dict):
                    value = values.get(key, {}) | value
                values[key] = value
        findings: Findings = built(Findings, values)
        findings.steps.extend(one.step for one in self.finished)
        self.add_line_rates(findings)
        held = {name: value for name, value in self.board.limits.items() if not self.only or name in OF_LONG_RUNS}
        findings.limits.extend(limits_of(held, findings, is_short=self.is_short))
        write_findings(findings, self.folder / REPORT)
        return findings

    def first_notes(self) -> list[str]:
        """What a reader must know before the figures."""
        notes = [self.scene.note] if self.scene.note else []
        if self.only:
            notes.append(f"only these steps: {', '.join(self.only)}")
        if self.is_short:
            notes.append(f"short run: {self.scene.image.n_lines} lines, no soak, no energy")
            notes += [f"limit {name} is not held in a short run" for name in OF_LONG_RUNS if name in self.board.limits]
        return notes

    def add_line_rates(self, findings: Findings) -> None:
        """Recordings at the rates of the board file's imagers, replayed; and how far real time is."""
        rate = speed("encode")(findings)
        if rate is None:
            return
        findings.notes.append(real_time_sentence(rate))
        lines_ms = next(latency.lines_ms for latency in findings.latencies if latency.phase == "encode")
        _, bands, columns = findings.scene_shape
        for imager in self.board.imager:
            replayed = replay(imager, lines_ms, bands=bands, columns=columns)
            findings.line_rates.append(replayed)
            findings.notes.append(line_rate_note(imager, replayed, bands=bands, columns=columns))

    def write_page(self, findings: Findings, compared: Iterable[Path]) -> Path | None:
        """report.html, with earlier runs of the board beside this one; None where what it needs is not installed."""
        try:
            page = importlib.import_module("hil_tests.report.page")
        except ModuleNotFoundError:
            return None
        path = self.folder / PAGE
        page.write_page(findings, self.earlier(compared), path)
        return path

    def earlier(self, compared: Iterable[Path]) -> list[Findings]:
        """The runs named, and those of the same board in folders beside this one, by their start.

        Raises Corrupt for a report that was named and is not sound; one beside this one is left out.
        """
        found = [read_findings(path) for path in compared]
        for path in sorted(self.folder.resolve().parent.glob(f"*/{REPORT}")):
            if path.parent == self.folder.resolve():
                continue
            try:
                beside = read_findings(path)
            except Corrupt:
                continue
            found += [beside] if beside.board == self.board.name else []
        return sorted(found, key=lambda one: one.started)


def named_package(name: str, folder: Path, trust: Path | None) -> FlightPackage:
    """A shipped package by its name, or one by a path relative to the board file's folder. Raises LineRwkvError."""
    beside = folder / name
    is_shipped = not beside.exists() and "/" not in name
    return open_package(SHIPPED.with_name(name) if is_shipped else beside, trust)


def left_out(why: str) -> Callable[[Bench], StepResult]:
    """A step that is not done."""
    return lambda bench: StepResult.skipped(why)
