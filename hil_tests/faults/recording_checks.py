"""What holds after every fault, checked here on what is on the target's disk."""

import tempfile
from pathlib import Path

import numpy as np

from hil_tests.faults.camera import Camera
from hil_tests.faults.fault_failed import FaultFailed
from hil_tests.faults.remote_recorder import RemoteRecorder
from hil_tests.targets.target import Target
from runtime.cell.flight_package import SHIPPED, open_package
from runtime.codec.decoder import Decoder
from runtime.codec.salvage import salvage


def fetched(target: Target, remote: str) -> bytes:
    """A file of the target's folder. Raises TargetFailed."""
    with tempfile.TemporaryDirectory() as scratch:
        target.fetch(remote, Path(scratch) / "file")
        return (Path(scratch) / "file").read_bytes()


def check_stream(data: bytes, camera: Camera, n_segments: int) -> int:
    """The number of lines that the stream decodes to, at least those of `n_segments` segments, each equal bit for bit.

    After its last line the scene starts again. Raises FaultFailed, or the decoder's errors.
    """
    found = salvage(data)
    decoder = Decoder(found.header, [open_package(SHIPPED)])
    lines, expected = camera.lines(), 0
    for segment, payload in found.segments:
        if segment.first_line != expected:
            raise FaultFailed(f"lines {expected}..{segment.first_line - 1} are lost")
        for line in decoder.lines(segment, payload):
            if not np.array_equal(line, lines[expected % camera.n_lines]):
                raise FaultFailed(f"line {expected} is not what was sent")
            expected += 1
    if expected < n_segments * camera.segment_lines:
        raise FaultFailed(f"{expected} lines of {n_segments} finished segments of {camera.segment_lines} decode")
    return expected


def check_kept(target: Target, recorder: RemoteRecorder, camera: Camera) -> int:
    """The lines that a recorder's file decodes to: those of every segment that it reported. Raises FaultFailed."""
    return check_stream(fetched(target, recorder.file), camera, recorder.n_segments)


def check_killed(target: Target, recorder: RemoteRecorder, camera: Camera) -> int:
    """As `check_kept`, of a recorder that was ended by force: one that ends by itself keeps the open segment, too."""
    kept = check_kept(target, recorder, camera)
    if kept > recorder.n_segments * camera.segment_lines:
        raise FaultFailed(f"{kept} lines of {recorder.n_segments} finished segments: the recorder ended by itself")
    return kept


def check_next(target: Target, camera: Camera, folder: str, before: str) -> None:
    """A new recording in the same folder is complete, and `before` is what it was. Raises FaultFailed."""
    old = fetched(target, before)
    with RemoteRecorder(target, camera, folder) as recorder:
        recorder.feed(camera.raw())
        code = recorder.finish()
        if code != 0:
            raise FaultFailed(f"the next recording ends with {code}: {recorder.last_words()}")
    if recorder.file <= before:
        raise FaultFailed(f"the next recording is {recorder.file}, not after {before}")
    if check_stream(fetched(target, recorder.file), camera, 0) != camera.n_lines:
        raise FaultFailed("the next recording is not complete")
    if fetched(target, before) != old:
        raise FaultFailed(f"the next recording changed {before}")
