"""One byte of the flight package is flipped on the way to the target."""

import shutil
import tempfile
from pathlib import Path

from hil_tests.faults.camera import Camera
from hil_tests.faults.fault_failed import FaultFailed
from hil_tests.faults.remote_recorder import RemoteRecorder
from hil_tests.targets.target import Target
from hil_tests.targets.transfer import file_sha256
from runtime.cell.flight_package import SHIPPED

FOLDER = "fault_package_corrupted"
PACKAGE = "fault_package"


def package_corrupted(target: Target, camera: Camera) -> str:
    """What was found. Raises FaultFailed."""
    with tempfile.TemporaryDirectory() as scratch:
        damaged = Path(scratch) / "package"
        shutil.copytree(SHIPPED, damaged)
        part = max((path for path in damaged.iterdir()), key=lambda path: path.stat().st_size)
        data = bytearray(part.read_bytes())
        data[len(data) // 2] ^= 1
        part.write_bytes(data)
        target.put(damaged, PACKAGE)
    refused = refusal(target, camera)
    if part.name not in refused or "sha256" not in refused:
        raise FaultFailed(f"a damaged {part.name} is not refused by its sha256: {refused}")
    target.put(SHIPPED, PACKAGE)
    for path in sorted(SHIPPED.iterdir()):
        if target.shell(["sha256sum", f"{PACKAGE}/{path.name}"]).split()[0] != file_sha256(path):
            raise FaultFailed(f"{path.name} is not the sent one after the second try")
    return f"a bit of {part.name} flipped: {refused}; sent again, every part has its sha256"


def refusal(target: Target, camera: Camera) -> str:
    """What the recorder says to the package that is there. Raises FaultFailed where it starts."""
    network = Camera(camera.n_lines, camera.n_bands, camera.n_columns, camera.segment_lines, "linerwkv")
    try:
        with RemoteRecorder(target, network, FOLDER, "--package", PACKAGE):
            pass
    except FaultFailed as error:
        return str(error)
    raise FaultFailed("a damaged package is taken")
