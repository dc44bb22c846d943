"""The executor that a whole compression runs with: supervised, here or in a worker process."""

import contextlib
from collections.abc import Iterator
from functools import partial

from runtime.cell.flight_package import FlightPackage, IntegerPackage
from runtime.defences.supervised_executor import Make, SupervisedExecutor
from runtime.errors import BadArgument
from runtime.executors.array_executor import ArrayExecutor
from runtime.executors.executors import isolated_executor, make_executor


@contextlib.contextmanager
def encoding_executor(
    package: FlightPackage | None, name: str, line_deadline_s: float | None
) -> Iterator[ArrayExecutor | None]:
    """The executor of a package, an int8 one supervised, ended with the block; none without a package.

    line_deadline_s: of a worker process; None: the executor runs here. Raises LineRwkvError.
    """
    if isinstance(package, IntegerPackage):
        make: Make = partial(make_executor if line_deadline_s is None else isolated_executor, name=name)
        executor = make(package)
        with SupervisedExecutor(package, executor, name=name, make=make, line_deadline_s=line_deadline_s) as supervised:
            yield supervised
    elif line_deadline_s is not None:
        raise BadArgument("a worker process is for the cells of int8 packages, by predictor linerwkv")
    else:
        yield make_executor(package, name) if package is not None else None
