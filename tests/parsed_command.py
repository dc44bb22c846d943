"""A command that a text shows, parsed without running it."""

import shlex

import click

from runtime.commands.cli import cli


def parse(line: str) -> None:
    """Raises click.ClickException where there is no such option, or an argument too many or too few."""
    command: click.Command = cli
    context, words = click.Context(cli), shlex.split(line)[1:]
    while isinstance(command, click.Group):
        if not words or words[0].startswith("-"):
            return
        found = command.get_command(context, words[0])
        assert found is not None, words[0]
        command, words = found, words[1:]
    if not {"--help", "-h"} & set(words):
        command.make_parser(click.Context(command)).parse_args(words)
