"""Several commands of `linerwkv` in one process: under emulation, starting and compiling take longer than the work.

`python -m tests.hil_tests.emulation.several_commands FILE`: FILE is a JSON list of argument lists. Prints a JSON object
with the machine, the versions and the seconds of each command; a command that fails ends the process with its error.
"""

import json
import platform
import sys
import time
from pathlib import Path

import numba
import numpy as np
import onnxruntime

from runtime.commands.cli import cli


def main() -> None:
    """Run the commands of a file."""
    seconds = []
    for arguments in json.loads(Path(sys.argv[1]).read_text()):
        start = time.perf_counter()
        cli(arguments, standalone_mode=False)
        seconds.append(round(time.perf_counter() - start, 2))
    versions = {"numpy": np.__version__, "numba": numba.__version__, "onnxruntime": onnxruntime.__version__}
    print(json.dumps({"machine": platform.machine(), "seconds": seconds, **versions}))


if __name__ == "__main__":
    main()
