"""What a step of a run comes back with."""

from dataclasses import dataclass, field
from typing import Any, Self

from hil_tests.findings.findings import Outcome


@dataclass(frozen=True)
class StepResult:
    """How it ended, and what it adds to the findings: values of JSON by the names of fields of `Findings`."""

    outcome: Outcome
    detail: str
    """One line."""
    found: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def passed(cls, detail: str, found: dict[str, Any] | None = None) -> Self:
        """It holds."""
        return cls(Outcome.PASSED, detail, found or {})

    @classmethod
    def failed(cls, detail: str, found: dict[str, Any] | None = None) -> Self:
        """It does not hold; what was measured stays in the report."""
        return cls(Outcome.FAILED, detail, found or {})

    @classmethod
    def skipped(cls, detail: str, found: dict[str, Any] | None = None) -> Self:
        """It was not asked for."""
        return cls(Outcome.SKIPPED, detail, found or {})
