"""`python -m runtime.target.recorder`: the program of record_command.py, whatever goes wrong told by one line."""

import click

from runtime.commands.cli import guarded


def command() -> click.Command:
    """Imported only here: an error of a library's import, or of its settings, is then one line as any other."""
    from runtime.target.record_command import record_command

    return record_command


if __name__ == "__main__":
    guarded(command)
