"""Providers of ONNX Runtime by name: parsed, refused where they are absent or leave operators to the CPU."""

import re
from types import SimpleNamespace

import onnxruntime
import pytest

from runtime.cell.flight_package import SHIPPED, open_integer_package
from runtime.errors import BadArgument, Corrupt
from runtime.executors.cell_executor import session_options
from runtime.executors.executor_registry import load_executor
from runtime.executors.executors import make_executor
from runtime.executors.provider import ON_CPU, RECORD, Provider, provider_session, refuse_assigned

PACKAGE = SHIPPED
ABSENT = "VitisAI"  # of boards only


def test_names_and_options() -> None:
    assert Provider.parse("CPU") == Provider.parse("cpu") == Provider.parse("CPUExecutionProvider") == ON_CPU
    found = Provider.parse("cpu, a=1 ,path=/x/y.so,empty=")
    assert found.options == {"a": "1", "path": "/x/y.so", "empty": ""}
    assert str(found) == "CPU,a=1,path=/x/y.so,empty="
    assert Provider.parse(str(found)) == found
    for text in ("cpu,a", "cpu,=1", "cpu,"):
        with pytest.raises(BadArgument, match="is no option, wanted option=value"):
            Provider.parse(text)


@pytest.mark.parametrize("name", [ABSENT, "no such thing"])
def test_an_absent_provider_is_named_with_those_that_are_here(name: str) -> None:
    with pytest.raises(BadArgument, match=rf"provider '{name}' is not in this onnxruntime [0-9.]+; here are: .*CPU"):
        load_executor(f"onnxruntime:{name}", PACKAGE)


def test_an_executor_on_the_provider_of_this_machine_passes_the_self_test() -> None:
    package = open_integer_package(PACKAGE)
    for name in ("onnxruntime:CPU", "runtime.executors.onnxruntime_arrays:onnxruntime_arrays:CPU"):
        executor = make_executor(package, name)
        assert executor.sha256 == package.sha256.hex()


def test_an_executor_without_providers_says_so() -> None:
    for name in ("pytorch:CPU", "quantize.torch_executor:load_eager:CPU"):
        with pytest.raises(BadArgument, match=f"executor '{name}' takes no provider"):
            load_executor(name, PACKAGE)


def test_operators_on_the_cpu_are_counted_by_kind() -> None:
    """ONNX Runtime's own account of a session on the CPU, read as if another provider had been wanted."""
    package = open_integer_package(PACKAGE)
    options = session_options()
    options.add_session_config_entry(*RECORD)
    weights = package.parts["weights.bin"]
    options.add_external_initializers_from_files_in_memory(["weights.bin"], [weights], [len(weights)])
    session = provider_session(package.parts["line_step.onnx"], options, ON_CPU)
    refuse_assigned(session, ON_CPU)
    wanted = Provider("QNNExecutionProvider", {"backend_type": "htp"})
    pattern = r"provider QNN,backend_type=htp leaves (\d+) of (\d+) operators to the CPU: .*1 Div, .*\d+ MatMul"
    with pytest.raises(BadArgument, match=pattern) as raised:
        refuse_assigned(session, wanted)
    found = re.search(pattern, str(raised.value))
    assert found is not None and found[1] == found[2] and int(found[1]) > 50


def test_one_operator_of_another_provider_is_enough() -> None:
    def part(name: str, *kinds: str) -> SimpleNamespace:
        return SimpleNamespace(ep_name=name, get_nodes=lambda: [SimpleNamespace(op_type=kind) for kind in kinds])

    parts = [part("QNNExecutionProvider", "Conv", "Relu"), part(ON_CPU.name, "Floor")]
    session = SimpleNamespace(get_provider_graph_assignment_info=lambda: parts)
    with pytest.raises(BadArgument, match="leaves 1 of 3 operators to the CPU: 1 Floor"):
        refuse_assigned(session, Provider("QNNExecutionProvider"))


def test_a_session_without_an_account_is_refused() -> None:
    """As of a session that was not asked to record it."""
    with pytest.raises(BadArgument, match="provider QNN does not say which operators it runs"):
        refuse_assigned(SimpleNamespace(get_provider_graph_assignment_info=list), Provider("QNNExecutionProvider"))


def test_what_is_no_graph_is_corrupt() -> None:
    with pytest.raises(Corrupt, match="does not load on CPU"):
        provider_session(b"no graph", session_options(), ON_CPU)


def test_the_cpu_is_here() -> None:
    assert ON_CPU.name in onnxruntime.get_available_providers()
