"""Graphs with anything in them that no cell has are refused before ONNX Runtime sees a byte of them."""

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from export.integer_package import integer_package_parts
from runtime.cell.cell_graph import FLOAT_OPERATORS, INTEGER_OPERATORS, NODES_OF_A_LAYER
from runtime.cell.flight_package import SHIPPED_FLOAT, IntegerPackage, package_of_parts
from runtime.cell.integer_cell import CellShape
from runtime.errors import Corrupt
from runtime.executors.cell_executor import OnnxRuntimeCell
from runtime.executors.self_test import check_executor
from tests.reference.random_cell import random_cell
from tests.runtime.cell.package_parts import SHAPE, Parts, random_parts, sealed, shipped_parts

GRAPH = "line_step.onnx"
Change = Callable[[onnx.ModelProto], None]


def changed(change: Change, parts: Parts | None = None) -> Parts:
    """A package with its graph of the line step changed."""
    parts = parts or random_parts()
    model = onnx.load_from_string(parts[GRAPH])
    change(model)
    return sealed({**parts, GRAPH: model.SerializeToString()})


def refused(parts: Parts) -> str:
    with pytest.raises(Corrupt) as found:
        package_of_parts(Path("package"), parts)
    assert "\n" not in str(found.value)
    return str(found.value)


def operators(parts: Parts) -> set[str]:
    models = (onnx.load_from_string(data) for name, data in parts.items() if name.endswith(".onnx"))
    return {node.op_type for model in models for node in model.graph.node}


def test_the_operators_are_those_of_the_cells() -> None:
    assert operators(random_parts()) == INTEGER_OPERATORS
    float_operators = operators(shipped_parts(SHIPPED_FLOAT))
    assert FLOAT_OPERATORS - float_operators == {"CumSum", "Elu"}  # those of the attention over bands


@pytest.mark.parametrize(
    "shape", [CellShape(1, 4, 1, 1, 4, 0), CellShape(3, 5, 3, 2, 7, 4), CellShape(16, 4, 1, 16, 4, 1),
              CellShape(2, 4, 16, 1, 4, 16)], ids=str,
)  # fmt: skip
def test_cells_of_any_shape_stay_below_the_number_of_nodes(shape: CellShape) -> None:
    parts = integer_package_parts(random_cell(shape, 1), "test", {}, {})
    package_of_parts(Path("package"), parts)
    n_nodes = len(onnx.load_from_string(parts[GRAPH]).graph.node)
    assert n_nodes < NODES_OF_A_LAYER * len(shape.line_layers()) * 3 / 4


def add_node(operator: str, domain: str = "") -> Change:
    def change(model: onnx.ModelProto) -> None:
        model.graph.node.append(helper.make_node(operator, [model.graph.input[0].name], ["more"], domain=domain))

    return change


def branch() -> onnx.GraphProto:
    return helper.make_graph([], "inner", [], [])


def with_subgraph(model: onnx.ModelProto) -> None:
    """In an operator that is allowed, where a reader of operators alone would not look."""
    model.graph.node[0].attribute.append(helper.make_attribute("body", branch()))


def with_subgraphs(model: onnx.ModelProto) -> None:
    model.graph.node[0].attribute.append(helper.make_attribute("bodies", [branch()]))


def with_tensor(model: onnx.ModelProto) -> None:
    model.graph.node[0].attribute.append(
        helper.make_attribute("value", helper.make_tensor("v", TensorProto.FLOAT, [1], [0.0]))
    )


def with_function(model: onnx.ModelProto) -> None:
    """A function that has the name of an allowed operator."""
    model.functions.append(helper.make_function("", "Add", ["a", "b"], ["c"], [], [helper.make_opsetid("", 18)]))


def with_training(model: onnx.ModelProto) -> None:
    model.training_info.add().algorithm.CopyFrom(branch())


def with_sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add().values.CopyFrom(helper.make_tensor("v", TensorProto.FLOAT, [1], [0.0]))


def with_domain(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def with_other_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 7


def with_many_nodes(model: onnx.ModelProto) -> None:
    model.graph.node.extend([helper.make_node("Add", ["a", "b"], [f"more_{i}"]) for i in range(2000)])


OTHERS = ("Loop", "If", "Scan", "Constant", "Round", "Identity", "")
HOSTILE: dict[str, tuple[Change, str]] = {
    **{name: (add_node(name), f'operator "{name}"') for name in OTHERS},
    "custom domain": (add_node("Add", "com.microsoft"), "domain"),
    "domain of operators": (with_domain, "domain"),
    "other opset": (with_other_opset, "operator set 7, allowed 18"),
    "subgraph": (with_subgraph, "attribute: field 6"),
    "subgraphs": (with_subgraphs, "attribute: field 11"),
    "tensor in an attribute": (with_tensor, "attribute: field 5"),
    "function": (with_function, "model: field 25"),
    "training": (with_training, "model: field 20"),
    "sparse": (with_sparse, "graph: field 15"),
    "many nodes": (with_many_nodes, f"more than {NODES_OF_A_LAYER * len(SHAPE.line_layers())} nodes"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_no_cell_has_is_refused(name: str) -> None:
    change, told = HOSTILE[name]
    text = refused(changed(change))
    assert told in text and f"graph {GRAPH}" in text


@pytest.mark.parametrize("operator", ["Loop", "If", "Scan", "Identity", "Cast"])
def test_float_cells_have_a_list_of_their_own(operator: str) -> None:
    assert f'operator "{operator}"' in refused(changed(add_node(operator), shipped_parts(SHIPPED_FLOAT)))


def external(model: onnx.ModelProto) -> TensorProto:
    found: TensorProto = next(tensor for tensor in model.graph.initializer if tensor.external_data)
    return found


def moved(**places: str) -> Change:
    def change(model: onnx.ModelProto) -> None:
        for entry in external(model).external_data:
            entry.value = places.get(entry.key, entry.value)

    return change


@pytest.mark.parametrize("place", ["/etc/passwd", "../weights.bin", "./weights.bin", "here.bin", "integers.bin", "",
                                   "*/_ORT_MEM_ADDR_/*", "weights.bin\0", "sub/weights.bin"])  # fmt: skip
def test_weights_come_from_the_named_part_alone(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.bin").write_bytes(random_parts()["weights.bin"])
    assert "allowed weights.bin" in refused(changed(moved(location=place)))


@pytest.mark.parametrize(
    "places", [{"offset": "-1"}, {"offset": "1e3"}, {"offset": "\u0661"}, {"offset": "9" * 30}, {"length": ""},
               {"offset": str(len(random_parts()["weights.bin"]))}, {"length": str(2**40)}], ids=str,
)  # fmt: skip
def test_places_outside_the_weights_are_refused(places: dict[str, str]) -> None:
    refused(changed(moved(**places)))


def test_a_place_that_is_said_twice_or_besides_is_refused() -> None:
    for key in ("location", "checksum", "prepacked"):

        def change(model: onnx.ModelProto, key: str = key) -> None:
            external(model).external_data.add(key=key, value="weights.bin")

        assert "each once" in refused(changed(change))


def test_a_file_beside_the_program_is_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session takes the weights of the package, though other ones lie where ONNX Runtime would look."""
    (tmp_path / "weights.bin").write_bytes(bytes(len(random_parts()["weights.bin"])))
    monkeypatch.chdir(tmp_path)
    package = package_of_parts(Path("package"), random_parts())
    assert isinstance(package, IntegerPackage)
    check_executor(package, OnnxRuntimeCell(package))


def test_bytes_that_look_like_another_format_are_read_as_checked() -> None:
    """ONNX Runtime takes a model with ORTM at byte 4 for one of its own format, which nothing here has checked."""
    parts = random_parts()
    parts[GRAPH] = b"\x12\x06..ORTM" + parts[GRAPH]  # producer_name, which the message may have twice
    assert parts[GRAPH][4:8] == b"ORTM"
    OnnxRuntimeCell(package_of_parts(Path("package"), sealed(parts)))


def test_any_bytes_are_one_line(tmp_path: Path) -> None:
    parts = random_parts()
    whole = parts[GRAPH]
    for place in range(0, len(whole), 97):
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        try:
            package_of_parts(tmp_path, sealed({**parts, GRAPH: bytes(damaged)}))
        except Corrupt as error:
            assert "\n" not in str(error)
    assert f"graph {GRAPH}" in refused(sealed({**parts, GRAPH: whole[:-1]}))
