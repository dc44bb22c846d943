"""Examples of help texts: every verb has one, and each names a verb, options and arguments that there are."""

import shlex

import click
import pytest

from runtime.commands.cli import cli
from runtime.commands.examples import EXAMPLES

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
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group):
        if words[0] == "--help":
            return
        found = command.get_command(context, words[0])
        assert found is not None, words[0]
        command, words = found, words[1:]
    if words != ["--help"]:
        command.make_parser(click.Context(command)).parse_args(words)  # no such option, or too many arguments, raises


def test_help_ends_with_them(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("compress", "info"):
        with pytest.raises(SystemExit):
            cli.main([verb, "--help"], prog_name="linerwkv")
        shown = capsys.readouterr().out
        assert all(line in shown for line in EXAMPLES[verb])
