"""The step cell of a network as an ONNX graph, for a tile of any number of bands or of a fixed one."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

import onnx
import torch
from onnxscript.optimizer import fold_constants
from torch.export import Dim

from export.step_cell import INPUTS, OUTPUT, StepCell, example_inputs, state_tensors
from model.network.network import LineRwkv
from runtime.cell.flight_package import NEXT

OPSET = 18  # the lowest that torch's exporter writes; every runtime and compiler in docs/decisions/0002 reads it
EXAMPLE_BANDS = 5
EXAMPLE_COLUMNS = 7
LARGEST_FOLDED = 1 << 20
"""Numbers of a tensor that the exporter computes itself. Its own limit is below the paper's matrices of 64 x 192, whose
transposition would stay in the graph, and the runtime takes none."""


@contextlib.contextmanager
def quiet_exporter() -> Iterator[None]:
    """Hold back what torch's exporter prints about itself."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def export_cell(network: LineRwkv, *, n_bands: int | None = None, n_columns: int | None = None) -> onnx.ModelProto:
    """The graph of one step; `None` leaves the number of bands or columns open.

    Inputs `line_before`, `band_before` (B, X), `is_first_band` (B, 1), and the states; outputs `correction` (B, X) and
    each state with `_next` at its end, of its input's shape. All float32.
    """
    states = state_tensors(network)
    names = [state.name for state in states]
    inputs = [*INPUTS, *names]
    per_band = [True] * len(INPUTS) + [state.is_per_band for state in states]
    shapes = []
    for name, is_per_band in zip(inputs, per_band, strict=True):
        axes = {}
        if n_bands is None and is_per_band:
            axes[0] = Dim("bands", min=1, max=1 << 16)
        if n_columns is None and name != "is_first_band":
            axes[1] = Dim("columns", min=1, max=1 << 16)
        shapes.append(axes)
    example = example_inputs(network, n_bands or EXAMPLE_BANDS, n_columns or EXAMPLE_COLUMNS)
    with quiet_exporter():
        program = torch.onnx.export(
            StepCell(network).eval(),
            example,
            input_names=inputs,
            output_names=[OUTPUT, *(name + NEXT for name in names)],
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
            dynamic_shapes=(*shapes[: len(INPUTS)], tuple(shapes[len(INPUTS) :])),
        )
    assert program is not None
    fold_constants(program.model, input_size_limit=LARGEST_FOLDED, output_size_limit=LARGEST_FOLDED)
    model = onnx.shape_inference.infer_shapes(program.model_proto, check_type=True, strict_mode=True)
    strip_traces(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def strip_traces(model: onnx.ModelProto) -> None:
    """Remove the exporter's notes: they hold file paths, and a package must not depend on where it was made."""
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.functions[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
