"""The graph of a float cell is one that the runtime takes, also at the paper's width."""

from export.onnx_cell import export_cell
from model.network.config import NetworkConfig
from model.network.network import LineRwkv
from runtime.cell.cell_graph import FLOAT_OPERATORS


def test_the_paper_s_matrices_leave_no_transposition_in_the_graph() -> None:
    network = LineRwkv(NetworkConfig(line_blocks=1, band_layers=1)).eval()
    operators = {node.op_type for node in export_cell(network, n_bands=1).graph.node}
    assert operators <= FLOAT_OPERATORS
