"""The largest memory of encoding one patch, in a process that does nothing else.

python -m export.paper.memory NETWORK_PACKAGE METHOD PATCH.npy
"""

import subprocess
import sys
from pathlib import Path

import numpy as np

from export.paper.methods import PREQUANTISED, Method, all_methods
from runtime.errors import LineRwkvError
from runtime.process_memory import peak_memory_mib


def encoding_memory(network: Path, method: Method, patch: Path) -> float | None:
    """MiB of a new process, libraries and interpreter included; None where the system does not tell.

    network: the package of the paper's network. patch: a .npy of (Y, Z, X). Raises LineRwkvError.
    """
    command = [sys.executable, "-m", "export.paper.memory", str(network), method.name, str(patch)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise LineRwkvError(f"memory of {method.name}: exit code {done.returncode}, {said[-1] if said else 'no word'}")
    word = done.stdout.split()[-1]
    return None if word == "unknown" else float(word)


def main() -> None:
    """Encode, and print MiB or `unknown`."""
    network, name, patch = sys.argv[1:]
    method = next(one for one in all_methods(Path(network)) if one.name == name)
    method.encode(np.load(patch, allow_pickle=False), 0, PREQUANTISED)
    print(peak_memory_mib() or "unknown")


if __name__ == "__main__":
    main()
