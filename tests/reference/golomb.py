"""CCSDS 123.0-B-2 section 5.4.3.2, as plain as its text: bits are a list of 0 and 1."""

from runtime.ccsds123.golomb import GolombParameters


def bits_of(value: int, n_bits: int) -> list[int]:
    return [(value >> i) & 1 for i in range(n_bits - 1, -1, -1)]


def codeword(k: int, value: int, parameters: GolombParameters) -> list[int]:
    """R_k(j)."""
    quotient = value >> k
    if quotient < parameters.unary_limit:
        return [0] * quotient + [1] + bits_of(value & ((1 << k) - 1), k)
    return [0] * parameters.unary_limit + bits_of(value, parameters.depth)


def start(parameters: GolombParameters) -> int:
    """Equations 58 and 59."""
    constant, depth = parameters.accumulator_constant, parameters.depth
    exponent = constant if constant <= 30 - depth else 2 * constant + depth - 30
    return int((3 * 2 ** (exponent + 6) - 49) * 2**parameters.initial_count_exponent) // 2**7


def encode_band(samples: list[int], parameters: GolombParameters) -> tuple[list[list[int]], int, int]:
    """The codeword of each sample of one band in its order, and the final accumulator and counter."""
    accumulator, counter = start(parameters), 2**parameters.initial_count_exponent
    words = []
    for t, value in enumerate(samples):
        if t == 0:
            words.append(bits_of(value, parameters.depth))
            continue
        mean = accumulator + 49 * counter // 2**7
        k = 0
        if 2 * counter <= mean:
            k = max(k for k in range(parameters.depth - 1) if counter * 2**k <= mean)
        words.append(codeword(k, value, parameters))
        if counter < 2**parameters.rescaling_exponent - 1:
            accumulator, counter = accumulator + value, counter + 1
        else:
            accumulator, counter = (accumulator + value + 1) // 2, (counter + 1) // 2
    return words, accumulator, counter
