"""NVIDIA devices of this machine by NVML: the energy counter where the device has one, else its power."""

from typing import Any

from typing_extensions import override

from hil_tests.meters.meter import MeterFailed
from hil_tests.meters.polled_meter import Source

try:
    import pynvml
except ModuleNotFoundError:  # the extra `hil` is not installed
    pynvml = None


class NvmlSource(Source):
    """A `Source` of one device, by its index."""

    update_s: float | None = None
    label = ""

    def __init__(self, device: int) -> None:
        self.index = device
        self.rails: tuple[str, ...] = (f"device {device}",)
        self.is_counter = False
        self.caveat = ""
        self.handle: Any = None

    @override
    def open(self) -> None:
        if pynvml is None:
            raise MeterFailed("nvml: nvidia-ml-py is not installed; it comes with the extra hil")
        try:
            pynvml.nvmlInit()
            self.handle = pynvml.nvmlDeviceGetHandleByIndex(self.index)
            self.rails = (f"{pynvml.nvmlDeviceGetName(self.handle)} ({self.index})",)
            self.is_counter = has_energy_counter(self.handle)
            self.caveat = "" if self.is_counter else "many devices report the mean power of the last second"
        except pynvml.NVMLError as error:
            self.close()
            raise MeterFailed(f"nvml: {error}") from None

    @override
    def read(self) -> list[float]:
        try:
            if self.is_counter:
                return [pynvml.nvmlDeviceGetTotalEnergyConsumption(self.handle) * 1e-3]
            return [pynvml.nvmlDeviceGetPowerUsage(self.handle) * 1e-3]
        except pynvml.NVMLError as error:
            raise MeterFailed(f"nvml: {error}") from None

    @override
    def close(self) -> None:
        if self.handle is not None:
            self.handle = None
            pynvml.nvmlShutdown()


def has_energy_counter(handle: Any) -> bool:
    """Whether the device counts its energy. Raises NVMLError for anything but that it does not."""
    try:
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except (pynvml.NVMLError_NotSupported, pynvml.NVMLError_FunctionNotFound):
        return False
    return True
