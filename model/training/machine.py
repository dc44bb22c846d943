"""The machine that trains or measures: what it has, and its name."""

import os

from runtime.target.target_counters import processor


def trainer_machine(device: str, n_threads: int) -> str:
    """Where a training runs. device: `cpu`, or another one of PyTorch, named as it names itself."""
    if device != "cpu":
        import torch

        return torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    return f"{processor()}, {n_threads} of {os.cpu_count()} cores"


def runs_on_cpu(accelerator: str) -> bool:
    """Whether a training with this accelerator of its schedule runs on the CPU of this machine."""
    import torch

    return accelerator == "cpu" or (accelerator == "auto" and not torch.cuda.is_available())
