"""`python -m runtime.target.target_run`: the program of target_events.py, whatever goes wrong told by one line."""

import click

from runtime.commands.cli import guarded


def command() -> click.Command:
    """Imported only here: an error of a library's import, or of its settings, is then one line as any other."""
    from runtime.target.target_events import target_run

    return target_run


if __name__ == "__main__":
    guarded(command)
