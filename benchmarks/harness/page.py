"""The page of a result: its answer, its table, then where it was measured.

python -m benchmarks.pages   # every page again, from its JSON file
"""

from typing import Any

from benchmarks.harness.answers import answer
from hil_tests.findings.provenance import tables


def page(name: str, record: dict[str, Any]) -> str:
    """Markdown of a record of `benchmarks.harness.record.save`."""
    facts = "\n".join(f"- {key}: {in_words(value)}" for key, value in record.items() if key != "rows")
    title = name.replace("_", " ").capitalize()
    return f"# {title}\n\n{answer(name, record)}\n\n{tables(record['rows'])}\n\n## How it was measured\n\n{facts}\n"


def in_words(value: Any) -> str:
    """A fact for reading: no brackets but where a table lies in another."""
    if isinstance(value, dict):
        return "; ".join(
            f"{key} ({in_words(v)})" if isinstance(v, dict) else f"{key} {in_words(v)}" for key, v in value.items()
        )
    return ", ".join(map(in_words, value)) if isinstance(value, list) else str(value)
