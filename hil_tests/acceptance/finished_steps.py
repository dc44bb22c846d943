"""Finished steps of a run as files of its folder, so that a stopped run is resumed where it was."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hil_tests.findings.findings import Outcome, Step
from hil_tests.findings.findings_file import built
from runtime.errors import Corrupt
from runtime.whole_output import replacing

KEPT = (Outcome.PASSED, Outcome.SKIPPED)
"""Steps that are not done again."""


@dataclass(frozen=True)
class Finished:
    """A step, and what it adds to the findings: values of JSON by the names of fields of `Findings`."""

    step: Step
    found: dict[str, Any]

    @property
    def ended_s(self) -> float:
        """Since the start of the run."""
        return self.step.began_s + self.step.seconds


class FinishedSteps:
    """Steps in the folder of one run, each with the identity of what it was done with."""

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder = folder / "steps"
        self.identity = identity

    def path(self, name: str) -> Path:
        """The file of a step."""
        return self.folder / f"{name.replace(' ', '_')}.json"

    def read(self, name: str) -> Finished | None:
        """A step that passed with the same wheel, package, board file and scene; None where it is to be done."""
        path = self.path(name)
        if not path.is_file():
            return None
        try:
            values = json.loads(path.read_text())
            if values["identity"] != self.identity:
                return None
            finished = Finished(built(Step, values["step"]), dict(values["found"]))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise Corrupt(f"step {path} is not sound, remove it: {type(error).__name__} {error}") from None
        return finished if finished.step.outcome in KEPT else None

    def write(self, finished: Finished) -> None:
        """Keep a step, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        values = {"identity": self.identity, "step": asdict(finished.step), "found": finished.found}
        with replacing(self.path(finished.step.name)) as part:
            part.write_text(json.dumps(values) + "\n")
