"""Examples of help texts: every verb has one, and each names a verb, options and arguments that there are."""

import shlex

import click
import pytest

from runtime.commands.cli import cli
from runtime.commands.examples import EXAMPLES
from tests.parsed_command import parse

ALL = [(verb, line) for verb, lines in EXAMPLES.items() for line in lines]


def test_every_verb_has_examples() -> None:
    context = click.Context(cli)
    assert set(EXAMPLES) == {"", *cli.list_commands(context)}


@pytest.mark.parametrize(("verb", "line"), ALL, ids=[line for _, line in ALL])
def test_an_example_is_understood(verb: str, line: str) -> None:
    own = line.split("|")[-1]
    program, *words = shlex.split(own)
    assert program == "linerwkv"
    assert verb in ("", words[0])
    parse(own)


def test_help_ends_with_them(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("compress", "info"):
        with pytest.raises(SystemExit):
            cli.main([verb, "--help"], prog_name="linerwkv")
        shown = capsys.readouterr().out
        assert all(line in shown for line in EXAMPLES[verb])
