"""Set up the environment of an executor: `python -m hil_tests.executors.setup openvino`.

An environment of this interpreter in `.executors/NAME` of the checkout, with the libraries of the executor and of the
runtime. What is there already and follows the same recipe is kept.
"""

import platform
import sys

import click

from hil_tests.place import REPOSITORY
from hil_tests.prepared_folder import is_prepared, locked, megabytes, replaced
from hil_tests.runtime_wheels import pip, runtime_requirements, wheel_recipe
from hil_tests.tool import Steps, run_tool
from runtime.errors import LineRwkvError

EXECUTORS = REPOSITORY / ".executors"
LIBRARIES = {"openvino": ("openvino==2026.4.1",)}
EXIT_FAILED = 2


def prepare(name: str) -> None:
    """Make the environment of an executor ready. Raises SetupFailed, or NotAvailable without network."""
    home = EXECUTORS / name
    recipe = "\n".join([sys.base_prefix, platform.python_version(), *LIBRARIES[name], wheel_recipe()])
    steps = Steps(f"executor {name}")
    with locked(EXECUTORS):
        if not is_prepared(home, recipe):
            with replaced(home, recipe) as folder:
                steps.say(f"environment of Python {platform.python_version()}")
                run_tool([sys.executable, "-m", "venv", folder])
                steps.say(f"wheels: {', '.join(LIBRARIES[name])} and what the runtime needs")
                pip(folder / "bin" / "python", "install", *LIBRARIES[name], *runtime_requirements())
        steps.say(f"ready: {megabytes(home)} MB")


@click.command()
@click.argument("name", type=click.Choice(list(LIBRARIES)))
def main(name: str) -> None:
    """Set up the environment of an executor."""
    try:
        prepare(name)
    except LineRwkvError as error:
        click.echo(f"executors: {error}", err=True)
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
