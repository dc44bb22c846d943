"""The machine that trains or measures, in words."""

import os
import platform
from pathlib import Path


def processor() -> str:
    """The processor's model name."""
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if "model name" in line] if info.exists() else []
    return names[0].split(":", 1)[1].strip() if names else platform.processor()


def trainer_machine(device: str, n_threads: int) -> str:
    """Where a training runs. device: `cpu`, or another one of PyTorch, named as it names itself."""
    if device != "cpu":
        import torch  # benchmarks without it ask for the processor

        return torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    return f"{processor()} ({platform.machine()}), {n_threads} of {os.cpu_count()} cores"
