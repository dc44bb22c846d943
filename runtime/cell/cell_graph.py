"""What the ONNX graph of a cell may hold, checked in its bytes before any library sees them.

The operators are those of the master cells that export/ writes, of the default domain; a graph has no graph in it, no
function, no constant outside its initializers, and its weights lie in the one part that the manifest names: a library
would open any other place by its path. Numbers of fields: onnx.proto3 of ONNX 1.17.
"""

from runtime.cell.protobuf_fields import Wire, fields
from runtime.checked_table import shown
from runtime.errors import Corrupt

COMMON = {"Add", "Concat", "Div", "MatMul", "Mul", "Pad", "Slice", "Sub"}
INTEGER_OPERATORS = frozenset(COMMON | {"Cast", "Clip", "Floor"})
FLOAT_OPERATORS = frozenset(COMMON | {
    "CumSum", "Elu", "Erf", "Exp", "LayerNormalization", "Max", "Pow", "Relu", "Reshape", "Shape", "Sigmoid", "Squeeze",
    "Unsqueeze",
})  # fmt: skip
NODES_OF_A_LAYER = 16
"""Of the line part; graphs of int8-v2 have less than 12 for each of its layers, whatever their shape."""
FLOAT_NODES = 1 << 14
LARGEST_GRAPH_BYTES = 1 << 22
OPSET_VERSION = 18

N, B, B_32 = (Wire.VARINT,), (Wire.BYTES,), (Wire.FIXED32,)
NUMBERS = (Wire.VARINT, Wire.BYTES)  # a list, packed or not
MODEL = {1: N, 2: B, 3: B, 4: B, 5: N, 6: B, 7: B, 8: B, 14: B}
MODEL_GRAPH, MODEL_OPSET = 7, 8
OPSET = {1: B, 2: N}
OPSET_DOMAIN, OPSET_NUMBER = 1, 2
GRAPH = {1: B, 2: B, 5: B, 10: B, 11: B, 12: B, 13: B}
GRAPH_NODE, GRAPH_INITIALIZER = 1, 5
NODE = {1: B, 2: B, 3: B, 4: B, 5: B, 6: B, 7: B}
NODE_OPERATOR, NODE_ATTRIBUTE, NODE_DOMAIN = 4, 5, 7
ATTRIBUTE = {1: B, 2: B_32, 3: N, 4: B, 7: (*B_32, *B), 8: NUMBERS, 13: B, 20: N}
"""Numbers and text alone: no tensor, no graph, no type, no reference to a function's attribute."""
TENSOR = {1: NUMBERS, 2: N, 4: (*B_32, *B), 5: NUMBERS, 7: NUMBERS, 8: B, 9: B, 12: B, 13: B, 14: N}
TENSOR_PLACE, TENSOR_LOCATION = 13, 14
PLACE = {1: B, 2: B}
PLACES = ("location", "offset", "length")
LONGEST_NUMBER = 16
INSIDE, EXTERNAL = 0, 1


def check_graph(model: bytes, operators: frozenset[str], most_nodes: int, weights: tuple[str, int]) -> None:
    """Raise Corrupt where a model holds what no cell does. weights: name and bytes of the part of its tensors."""
    if len(model) > LARGEST_GRAPH_BYTES:
        raise Corrupt(f"{len(model)} bytes, allowed {LARGEST_GRAPH_BYTES}")
    n_nodes = 0
    for field in fields(model, MODEL, "model"):
        if field.number == MODEL_OPSET:
            check_opset(field.data)
        elif field.number == MODEL_GRAPH:
            for part in fields(field.data, GRAPH, "graph"):
                if part.number == GRAPH_INITIALIZER:
                    check_tensor(part.data, *weights)
                elif part.number == GRAPH_NODE:
                    n_nodes += 1
                    check_node(part.data, operators)
                if n_nodes > most_nodes:
                    raise Corrupt(f"more than {most_nodes} nodes, which is the most that is allowed")


def check_opset(message: bytes) -> None:
    """Raise Corrupt where operators are of another domain or version."""
    for field in fields(message, OPSET, "operator set"):
        if field.number == OPSET_DOMAIN and field.data:
            raise Corrupt(f"operator set of domain {shown(field.text())}, allowed the default one")
        if field.number == OPSET_NUMBER and field.integer != OPSET_VERSION:
            raise Corrupt(f"operator set {field.integer}, allowed {OPSET_VERSION}")


def check_node(message: bytes, operators: frozenset[str]) -> None:
    """Raise Corrupt where a node is no operator of a cell."""
    for field in fields(message, NODE, "node"):
        if field.number == NODE_OPERATOR and field.text() not in operators:
            raise Corrupt(f"operator {shown(field.text())}, allowed {', '.join(sorted(operators))}")
        if field.number == NODE_DOMAIN and field.data:
            raise Corrupt(f"operator of domain {shown(field.text())}, allowed the default one")
        if field.number == NODE_ATTRIBUTE:
            for _ in fields(field.data, ATTRIBUTE, "attribute"):
                pass


def check_tensor(message: bytes, weights: str, n_weights: int) -> None:
    """Raise Corrupt where a tensor's values lie elsewhere than in itself or in the part of the weights."""
    place: dict[str, str] = {}
    for field in fields(message, TENSOR, "tensor"):
        if field.number == TENSOR_LOCATION and field.integer not in (INSIDE, EXTERNAL):
            raise Corrupt(f"tensor of location {field.integer}, allowed {INSIDE}, {EXTERNAL}")
        if field.number == TENSOR_PLACE:
            entry = {one.number: one.text() for one in fields(field.data, PLACE, "place of a tensor")}
            key, value = entry.get(1, ""), entry.get(2, "")
            if key not in PLACES or key in place:
                raise Corrupt(f"place of a tensor: key {shown(key)}, allowed {', '.join(PLACES)}, each once")
            place[key] = value
    if not place:
        return
    if place.get("location") != weights:
        raise Corrupt(f"weights at {shown(place.get('location'))}, allowed {weights}, which the manifest names")
    first, length = (place.get(key, "") for key in PLACES[1:])
    for number in (first, length):
        if not (number.isascii() and number.isdigit() and len(number) < LONGEST_NUMBER):
            raise Corrupt(f"place of a tensor: found {shown(number)}, allowed offset and length in bytes")
    if int(first) + int(length) > n_weights:
        raise Corrupt(f"weights at bytes {first} to {int(first) + int(length)}, {weights} has {n_weights}")
