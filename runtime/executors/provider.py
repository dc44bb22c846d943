"""Execution providers of ONNX Runtime by name: `OpenVINO`, `QNN,backend_type=htp`, `TensorRT`, `VitisAI`, `CPU`.

ONNX Runtime runs operators that a provider does not support on the CPU, silently. Here that is refused, and the
error names the operators.
"""

import importlib
import importlib.util
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import onnxruntime

from runtime.errors import BadArgument, Corrupt

SUFFIX = "ExecutionProvider"
CPU = f"CPU{SUFFIX}"
PLUGINS = {f"QNN{SUFFIX}": "onnxruntime_qnn"}
"""Providers that come as a library beside ONNX Runtime, and the module with `get_library_path`."""
ASSIGNMENT = "get_provider_graph_assignment_info"
"""The method of a session that reports which operators run where; ONNX Runtime has it since 1.24."""
RECORD = ("session.record_ep_graph_assignment_info", "1")
REFUSE = ("session.disable_cpu_ep_fallback", "1")  # For older ones, which refuse without saying which operators
KEPT_OF_ERRORS = 300  # characters


@dataclass(frozen=True)
class Provider:
    """A provider and its options, as its own documents name them."""

    name: str = CPU  # ONNX Runtime's name, for example `OpenVINOExecutionProvider`
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Provider":
        """From `NAME[,option=value]...`; upper and lower case of the name are the same. Raises BadArgument."""
        wanted, *rest = (part.strip() for part in text.split(","))
        options = {}
        for part in rest:
            key, equals, value = part.partition("=")
            if not equals or not key:
                raise BadArgument(f"provider {wanted}: {part!r} is no option, wanted option=value")
            options[key] = value
        here = available_providers()
        for name in here:
            if short_name(name).lower() == short_name(wanted).lower():
                return cls(name, options)
        names = ", ".join(short_name(name) for name in here)
        raise BadArgument(
            f"provider {wanted!r} is not in this onnxruntime {onnxruntime.__version__}; here are: {names}"
        )

    def __str__(self) -> str:
        """The text that `parse` takes."""
        return ",".join([short_name(self.name), *(f"{key}={value}" for key, value in self.options.items())])


ON_CPU = Provider()


def short_name(name: str) -> str:
    """The name without its ending."""
    return name[: -len(SUFFIX)] if name.lower().endswith(SUFFIX.lower()) else name


def available_providers() -> list[str]:
    """All providers of this ONNX Runtime; those of installed plug-ins are registered on the way."""
    found: list[str] = onnxruntime.get_available_providers()
    for name, module in PLUGINS.items():
        if name not in found:
            try:
                plugin = importlib.import_module(module)
            except ImportError:
                continue
            onnxruntime.register_execution_provider_library(name, plugin.get_library_path())
    return list(onnxruntime.get_available_providers())


def provider_session(model: bytes, options: Any, provider: Provider) -> Any:
    """A session of one graph on a provider alone; `options`: ONNX Runtime's SessionOptions, which are changed.

    Raises BadArgument where the provider leaves operators or all to the CPU, Corrupt where the graph does not load.
    """
    if provider.name != CPU:
        options.add_session_config_entry(*(RECORD if hasattr(onnxruntime.InferenceSession, ASSIGNMENT) else REFUSE))
    chosen: list[tuple[str, dict[str, str]]] | None = [(provider.name, provider.options)]
    if provider.name in PLUGINS and importlib.util.find_spec(PLUGINS[provider.name]) is not None:
        devices = [device for device in onnxruntime.get_ep_devices() if device.ep_name == provider.name]
        if not devices:
            raise BadArgument(f"provider {provider} has no device here")
        options.add_provider_for_devices(devices[:1], provider.options)
        chosen = None
    try:
        # without its fallback, which makes a second session on the CPU when the first one fails, even in a step
        made = onnxruntime.InferenceSession(model, options, providers=chosen, enable_fallback=0)
    except Exception as error:  # ONNX Runtime raises its own types, straight from Exception
        raise Corrupt(f"does not load on {provider}: {' '.join(str(error).split())[:KEPT_OF_ERRORS]}") from error
    first = made.get_providers()[0]
    if first != provider.name:
        raise BadArgument(f"ONNX Runtime was asked for {provider.name} and fell back to {first}")
    if provider.name != CPU:
        refuse_assigned(made, provider)
    return made


def refuse_assigned(session: Any, provider: Provider) -> None:
    """Raise BadArgument where a session has operators on another provider, with their number and kinds."""
    if not hasattr(session, ASSIGNMENT):  # it refused by itself, see REFUSE
        return
    elsewhere: Counter[str] = Counter()
    n_all = 0
    for part in getattr(session, ASSIGNMENT)():
        nodes = part.get_nodes()
        n_all += len(nodes)
        if part.ep_name != provider.name:
            elsewhere.update(node.op_type for node in nodes)
    if n_all == 0:
        raise BadArgument(f"provider {provider} does not say which operators it runs")
    if elsewhere:
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(elsewhere.items()))
        raise BadArgument(f"provider {provider} leaves {elsewhere.total()} of {n_all} operators to the CPU: {kinds}")
