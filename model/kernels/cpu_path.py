"""Which tensors the compiled CPU kernels take; all others go through the plain operations beside them."""

import torch
from torch import Tensor


def is_compiled_path(tensor: Tensor) -> bool:
    """Whether `tensor` is float32 on the CPU, outside of autocast and of any graph capture."""
    return (
        tensor.device.type == "cpu"
        and tensor.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )
