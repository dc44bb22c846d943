"""Every row of docs/requirements.md has a number of its own; it and docs/threats.md name tests that exist."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
THREATS = re.findall(r"^\| ([^|]+) \|.*\| ([^|]+) \|$", (REPOSITORY / "docs" / "threats.md").read_text(), re.MULTILINE)[
    1:
]
ROWS = re.findall(r"^\| (R\d+) \|.*\| ([^|]+) \|$", (REPOSITORY / "docs" / "requirements.md").read_text(), re.MULTILINE)


def test_numbers_are_unique_and_ascend() -> None:
    numbers = [int(number[1:]) for number, _ in ROWS]
    assert numbers and numbers == sorted(set(numbers))


def test_named_tests_exist() -> None:
    assert len(THREATS) > 5
    for number, tests in (*ROWS, *THREATS):
        names = re.findall(r"\b(\w*test_\w+\.py|tests/[\w./]+)(?:::(\w+))?", tests)
        assert names or "`make" in tests, number
        for path, function in names:
            assert (REPOSITORY / path).exists(), f"{number}: {path}"
            assert f"def {function}" in (REPOSITORY / path).read_text() if function else True, f"{number}: {function}"
