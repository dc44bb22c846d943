"""The flight network in Brevitas: its layers and its memory with every value rounded as the integer cell rounds it.

All scales are powers of two. Weights have one for each output channel, kept as exponents in a buffer; activations have
the fixed units of `Activation`. There is one rounding, floor(x + 1/2), instead of Brevitas' round half to even. In
float32 nothing else is rounded (docs/quantization.md), so the forward pass is arithmetic int8-v2 in real numbers.
"""

import math
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from brevitas.core.bit_width import BitWidthConst
from brevitas.core.function_wrapper import Identity, TensorClamp, TensorClampSte
from brevitas.core.quant import IntQuant, PrescaledRestrictIntQuant, RescalingIntQuant
from brevitas.core.scaling import PowerOfTwoIntScaling
from brevitas.core.utils import StatelessBuffer
from brevitas.core.zero_point import ZeroZeroPoint
from brevitas.inject import ExtendedInjector
from brevitas.nn import QuantIdentity, QuantLinear
from brevitas.proxy import ActQuantProxyFromInjector, BiasQuantProxyFromInjector, WeightQuantProxyFromInjector
from brevitas.quant_tensor import IntQuantTensor
from torch import Tensor, nn

from model.network.clipped_layers import COLUMN_AXIS, INPUT_UNIT, Activation, side_by_side
from model.network.flight_block import Memory
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from model.network.flight_wkv import WeightedMean
from runtime.errors import BadArgument

WEIGHT_BITS = (6, 7, 8)
"""Allowed bits of a weight: 7 (-63..63) and 6 (-31..31) are for accelerators (docs/decisions/0402)."""
BIAS_BITS = 23
"""What a bias is clipped to: below 2**22. No sum reaches 2**24 then, whatever the training did: a layer has at most 416
inputs of 127 and weights of 127, and a shift of at most 22 (docs/arithmetic.md, section 1)."""
LARGEST_SHIFT = 22
HIDDEN_UNIT = Activation.SIGNED.value[0]
RATE_BITS = 7
EXPONENTS_OF_RATES = (7, 14)


class HalfUp(torch.autograd.Function):
    """floor(x + 1/2); gradients pass unchanged."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        """Round."""
        return (values + 0.5).floor_()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Pass."""
        return gradient


class RoundHalfUp(nn.Module):
    """The one rounding of the arithmetic, as Brevitas injects it."""

    def __init__(self) -> None:
        super().__init__()  # written out, because Brevitas reads its arguments

    def forward(self, values: Tensor) -> Tensor:
        """Values rounded to integers."""
        rounded: Tensor = HalfUp.apply(values)  # type: ignore[no-untyped-call]  # torch's own
        return rounded


class ChannelScale(nn.Module):
    """2**exponent for each output channel of the layer that Brevitas names `module`."""

    def __init__(self, module: "QuantizedLinear") -> None:
        super().__init__()
        self.layers = [module]  # in a list: the scale belongs to the layer, not the layer to the scale

    def forward(self, values: Tensor, threshold: Tensor) -> Tensor:
        """(n_out, 1)."""
        return self.layers[0].weight_units().unsqueeze(1)


class FixedUnit(nn.Module):
    """A scale that nothing changes."""

    def __init__(self, unit: float) -> None:
        super().__init__()
        self.unit = StatelessBuffer(torch.tensor(unit))

    def forward(self, values: Tensor, threshold: Tensor) -> Tensor:
        """()."""
        unit: Tensor = self.unit()
        return unit


class Rounded(ExtendedInjector):  # type: ignore[misc]  # Brevitas ships no types
    """What all quantizers here share."""

    float_to_int_impl = RoundHalfUp
    int_scaling_impl = PowerOfTwoIntScaling
    zero_point_impl = ZeroZeroPoint
    bit_width_impl = BitWidthConst
    int_quant = IntQuant
    input_view_impl = Identity
    signed = True
    narrow_range = True


class RoundedWeight(Rounded):
    """Narrow integers with the scale of their channel; gradients pass the clip, so that no weight is stuck outside."""

    tensor_quant = RescalingIntQuant
    scaling_impl = ChannelScale
    tensor_clamp_impl = TensorClampSte
    proxy_class = WeightQuantProxyFromInjector


class RoundedBias(Rounded):
    """Integers with the scale of the sum, input unit times weight unit."""

    tensor_quant = PrescaledRestrictIntQuant
    tensor_clamp_impl = TensorClampSte
    bit_width = BIAS_BITS
    requires_input_scale = True
    proxy_class = BiasQuantProxyFromInjector


class RoundedActivation(Rounded):
    """Integers with a fixed unit; no gradient beyond the clip."""

    tensor_quant = RescalingIntQuant
    scaling_impl = FixedUnit
    tensor_clamp_impl = TensorClamp
    passthrough_act = True
    proxy_class = ActQuantProxyFromInjector


def activation_quantizer(activation: Activation) -> Any:
    """The quantizer to the integers of `activation`, smallest and largest included."""
    unit, low, high = activation.value
    is_signed, bits = low < 0, high.bit_length()
    return RoundedActivation.let(unit=unit, bit_width=bits + is_signed, signed=is_signed, narrow_range=is_signed)


class LayerIntegers(NamedTuple):
    """A layer as integers: clip((weight @ values + bias + 2**(shift - 1)) >> shift)."""

    weight: Tensor
    """(n_out, n_in)."""
    bias: Tensor
    """(n_out,)."""
    shift: Tensor
    """(n_out,)."""


class QuantizedLinear(QuantLinear):  # type: ignore[misc]  # Brevitas ships no types
    """`ClippedLinear` with rounded weights, biases and outputs."""

    def __init__(
        self, n_in: int, n_out: int, activation: Activation, is_input: bool = False, *, weight_bits: int = 8
    ) -> None:
        super().__init__(
            n_in,
            n_out,
            bias=True,
            weight_quant=RoundedWeight.let(bit_width=weight_bits),
            bias_quant=RoundedBias,
            output_quant=activation_quantizer(activation),
        )
        self.activation = activation
        self.input_unit = INPUT_UNIT if is_input else HIDDEN_UNIT
        self.largest_weight = (1 << (weight_bits - 1)) - 1
        self.register_buffer("exponent", torch.zeros(n_out, dtype=torch.int8))
        self.register_buffer("input_scale", torch.tensor(self.input_unit), persistent=False)
        self.register_buffer("zero", torch.tensor(0.0), persistent=False)
        self.register_buffer("input_bits", torch.tensor(8.0), persistent=False)

    def weight_units(self) -> Tensor:
        """(n_out,), the real value of a weight of one."""
        return torch.ldexp(torch.ones(len(self.exponent)), self.exponent.int())

    def exponent_range(self) -> tuple[int, int]:
        """Smallest and largest exponent with a shift of 1 to 22."""
        sum_of_shift_0 = round(math.log2(self.activation.value[0] / self.input_unit))
        return sum_of_shift_0 - LARGEST_SHIFT, sum_of_shift_0 - 1

    def allowed_exponents(self, wanted: Tensor) -> Tensor:
        """The nearest exponents with an allowed shift that do not clip the bias."""
        lowest, highest = self.exponent_range()
        largest_bias = (1 << (BIAS_BITS - 1)) - 0.5  # rounded up it would be clipped by one; what fits stays below it
        bias = self.bias.detach().abs() / (self.input_unit * largest_bias)
        for_bias = torch.where(bias > 0, torch.frexp(bias)[1], lowest)  # frexp gives zero the exponent of one
        return torch.maximum(wanted.int(), for_bias).clamp(lowest, highest).to(torch.int8)

    def largest_value_exponents(self) -> Tensor:
        """The finest allowed exponents that clip no weight."""
        largest = self.weight.detach().abs().amax(1) / (self.largest_weight + 0.499)
        exponent = torch.frexp(largest)[1]
        return self.allowed_exponents(torch.where(largest > 0, exponent, self.exponent_range()[0]))

    def switch(self, *, weights: bool, outputs: bool) -> None:
        """Whether weights and biases, and outputs, are rounded."""
        self.weight_quant.disable_quant = self.bias_quant.disable_quant = not weights
        self.output_quant.disable_quant = not outputs

    def as_input(self, values: Tensor) -> IntQuantTensor:
        """Values with the unit that the bias needs to know."""
        return IntQuantTensor(values, self.input_scale, self.zero, self.input_bits, True, self.training)

    def forward(self, values: Tensor, axis: int = COLUMN_AXIS, before: int = 0) -> Tensor:
        """As `ClippedLinear.forward`."""
        rows = side_by_side(values, axis, before, self.in_features)
        output: Tensor = self.forward_impl(self.as_input(rows.flatten(0, -2)))
        if self.output_quant.disable_quant:
            output = F.hardtanh(output, *self.activation.bounds)
        return output.view(*rows.shape[:-1], -1)

    def integers(self) -> LayerIntegers:
        """The integers of the rounded weights and biases."""
        nothing = self.as_input(torch.zeros(1, self.in_features))
        with torch.no_grad():
            weight = self.quant_weight(nothing)
            bias = self.bias_quant(self.bias, nothing, weight)
        lowest_shift = self.exponent_range()[1] + 1
        return LayerIntegers(weight.int(), bias.int(), lowest_shift - self.exponent.int())


class RoundedRates(NamedTuple):
    """Rates as mantissa / 2**exponent."""

    mantissa: Tensor
    exponent: Tensor

    def values(self) -> Tensor:
        """As numbers."""
        return torch.ldexp(self.mantissa.float(), -self.exponent)


def rounded_rates(rates: Tensor) -> RoundedRates:
    """The nearest mantissas of 64..127 where the exponent's range lets them, 1..127."""
    lowest, highest = EXPONENTS_OF_RATES
    exponent = (RATE_BITS - torch.frexp(rates.detach().double())[1]).clamp(lowest, highest).int()
    mantissa = torch.floor(torch.ldexp(rates.detach().double(), exponent) + 0.5)
    is_too_large = (mantissa > 127) & (exponent > lowest)  # 127.5 rounds up to 128, which is 64 of the exponent before
    exponent = torch.where(is_too_large, exponent - 1, exponent)
    mantissa = torch.where(is_too_large, mantissa / 2, mantissa)
    return RoundedRates(mantissa.clamp(1, 127).int(), exponent)


class QuantizedMemory(Memory):
    """`Memory` with rounded rates, sums, means, and products with the gate."""

    def __init__(self, n_features: int) -> None:
        super().__init__(n_features)
        self.product = QuantIdentity(act_quant=activation_quantizer(Activation.SIGNED))
        self.is_integer = True

    def rates(self) -> Tensor:
        """(F,), rounded; gradients pass."""
        rates = super().rates()
        if not self.is_integer:
            return rates
        return rates + (rounded_rates(rates).values() - rates).detach()

    def means(self, key: Tensor, value: Tensor) -> Tensor:
        """Weighted means of all lines."""
        means: Tensor = WeightedMean.apply(self.rates(), key, value, self.is_integer)  # type: ignore[no-untyped-call]  # torch's own
        return means

    def gated(self, gate: Tensor, mean: Tensor) -> Tensor:
        """The mean, let through by `gate`."""
        gated: Tensor = self.product(gate * mean) if self.is_integer else gate * mean
        return gated


def quantized_network(config: FlightConfig, weight_bits: int = 8) -> FlightNetwork:
    """The untrained network in Brevitas. Raises BadArgument."""
    if weight_bits not in WEIGHT_BITS:
        raise BadArgument(f"weight bits {weight_bits}, allowed {' or '.join(map(str, WEIGHT_BITS))}")
    layer = partial(QuantizedLinear, weight_bits=weight_bits)
    return FlightNetwork(config, layer=layer, memory=QuantizedMemory)


def quantized_layers(network: FlightNetwork) -> Iterator[tuple[str, QuantizedLinear]]:
    """Layers by name, in the order of the network's modules."""
    return ((name, module) for name, module in network.named_modules() if isinstance(module, QuantizedLinear))


def take_weights(network: FlightNetwork, weights: dict[str, Tensor]) -> None:
    """Give a Brevitas network the weights of a float one, with the exponents of the largest values."""
    own = {name: tensor for name, tensor in network.state_dict().items() if name not in weights}
    network.load_state_dict({**own, **weights})
    for _, layer in quantized_layers(network):
        layer.exponent.copy_(layer.largest_value_exponents())
