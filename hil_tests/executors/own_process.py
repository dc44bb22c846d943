"""Executors of environments of their own, as executors of this one: a process each, started when it is asked for."""

import subprocess
import weakref
from pathlib import Path
from typing import IO

from hil_tests.places.own_environment import OwnEnvironment
from hil_tests.places.tool import SetupFailed
from runtime.errors import BadArgument
from runtime.executors.executor_process import SECONDS_TO_END, ExecutorProcess

OPENVINO = "hil_tests.executors.openvino_executor:load"
TOSA = "hil_tests.executors.tosa_executor:load"
ON_HTP = "QNN,backend_type=htp"
HTP = f"export.accelerator_executor:load_uint8:{ON_HTP}"
HTP_FILE = f"runtime.executors.onnxruntime_arrays:onnxruntime_arrays:{ON_HTP}"
ON_OPENVINO = "OpenVINO,device_type=CPU,num_of_threads=1"
OPENVINO_PROVIDER = f"runtime.executors.onnxruntime_arrays:onnxruntime_arrays:{ON_OPENVINO}"


def own_process(environment: str, executor: str, source: Path) -> ExecutorProcess:
    """An executor on a flight package or ONNX file; the process ends with the executor, or with this program.

    Raises BadArgument where the environment is not set up, and what the server reports.
    """
    try:
        place = OwnEnvironment(environment)
    except SetupFailed as error:
        raise BadArgument(str(error)) from None
    command = place.command("runtime.executors.executor_server", "--executor", executor, source.resolve())
    process = ExecutorProcess(command, environment=place.environment())
    weakref.finalize(process, end, process.child, process.stderr_file)
    return process


def end(child: subprocess.Popen[bytes], stderr_file: IO[bytes]) -> None:
    """Close the server's input, on which it ends by itself, and kill it where it does not."""
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            stream.close()
    try:
        child.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    stderr_file.close()


def load_openvino(source: Path) -> ExecutorProcess:
    """OpenVINO on the CPU in float32."""
    return own_process("openvino", OPENVINO, source)


def load_tosa(source: Path) -> ExecutorProcess:
    """The sub-graphs in Arm's TOSA reference model."""
    return own_process("vela", TOSA, source)


def load_htp(source: Path) -> ExecutorProcess:
    """The sub-graphs in Qualcomm's simulator of the HTP, behind ONNX Runtime; or one ONNX file."""
    return own_process("qnn", HTP_FILE if source.suffix == ".onnx" else HTP, source)


def load_openvino_provider(source: Path) -> ExecutorProcess:
    """ONNX Runtime with OpenVINO as its provider, on the CPU."""
    return own_process("onnxruntime-openvino", OPENVINO_PROVIDER, source)
