"""Every command that a document shows names a verb, options and arguments that there are.

README and the tutorials are run as they stand (tests/test_readme.py); the others need boards, scenes or days.
"""

import re
from pathlib import Path

import click
import pytest

from hil_tests.places.place import REPOSITORY
from tests.parsed_command import parse

DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"^    (.*)$", re.MULTILINE)
COMMAND = re.compile(r"(?:^|[|;&$] *|RUN |ExecStart=\S*/)(linerwkv [^|;&#]*)")
PLACEHOLDERS = ("...", "[", "VERB")


def commands(document: Path) -> list[str]:
    """What lines of its blocks call."""
    text = document.read_text()
    blocks = "\n".join([*FENCED.findall(text), *INDENTED.findall(text)]).replace("\\\n", " ")
    found = [match.strip() for line in blocks.splitlines() for match in COMMAND.findall(line.strip())]
    return [line for line in found if not any(word in line for word in PLACEHOLDERS)]


ALL = [(document.name, line) for document in DOCUMENTS for line in dict.fromkeys(commands(document))]


def test_documents_show_commands() -> None:
    assert len(ALL) > 60
    assert len({document for document, _ in ALL}) > 12


@pytest.mark.parametrize(("document", "line"), ALL, ids=[f"{document}: {line}" for document, line in ALL])
def test_a_command_is_understood(document: str, line: str) -> None:
    parse(line.split("  ")[0])


def test_a_wrong_command_is_found() -> None:
    with pytest.raises(click.ClickException):
        parse("linerwkv compress a b --no-such-option")
    with pytest.raises(click.ClickException):
        parse("linerwkv decompress --lines")
