"""What a header may ask for before anything is allocated: no more samples than allowed, nor than the body can hold."""

from runtime.ccsds123.coder_parameters import BlockAdaptive, Hybrid
from runtime.ccsds123.parameters import Ccsds123Parameters
from runtime.errors import BadArgument, Truncated

DEFAULT_MAX_SAMPLES = 1 << 30

LONGEST_RUN = 256  # Samples that one bit can stand for: a word of low-entropy code 15, the most of any code
SHORTEST_RUN_BITS = 7  # A restricted option identifier, the zero-block bit and the 5 bits of 'rest of segment'
SEGMENT_BLOCKS = 64


def check_announcement(parameters: Ccsds123Parameters, n_body_bytes: int, max_samples: int) -> None:
    """Raise BadArgument beyond `max_samples`, Truncated where the body is too short for any such image."""
    n_samples = parameters.image.n_samples
    if n_samples > max_samples:
        raise BadArgument(f"header announces {n_samples} samples, max_samples allows {max_samples}")
    fewest = fewest_body_bits(parameters)
    if n_body_bytes * 8 < fewest:
        raise Truncated(f"body has {n_body_bytes * 8} bits, the announced image needs at least {fewest}")


def fewest_body_bits(parameters: Ccsds123Parameters) -> int:
    """Bits that no body of such an image can be shorter than."""
    image, coder = parameters.image, parameters.coder
    if isinstance(coder, BlockAdaptive):
        return -(-image.n_samples // (SEGMENT_BLOCKS * coder.block_size)) * SHORTEST_RUN_BITS
    n_first = image.n_bands * image.depth
    n_others = image.n_samples - image.n_bands
    if isinstance(coder, Hybrid):
        tail = image.n_bands * (2 + image.depth + coder.rescaling_exponent) + 1
        return n_first + max(0, n_others - 16 * LONGEST_RUN) // LONGEST_RUN + tail
    return n_first + n_others
