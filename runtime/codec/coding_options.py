"""How an image is coded and defended: read once from the words of a command line, a table or a job."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any

from runtime.cell.flight_package import SHIPPED, FlightPackage
from runtime.checked_table import dotted, shown
from runtime.codec.network_choice import NetworkUse
from runtime.defences.segment_guard import GuardLevel
from runtime.errors import BadArgument
from runtime.executors.executor_registry import ONNXRUNTIME
from runtime.segments.segment_codecs import default_quantisation, default_stage
from runtime.stream.depth import OutOfRange
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, Coder, PredictorKind, Quantisation
from runtime.stream.segment_header import LARGEST_SEGMENT_LINES, NO_PACKAGE, SegmentCoding

DEFAULT_SEGMENT_LINES = 64  # benchmarks/results/segment_lines.md
DEFAULT_DEADLINE_S = 10.0


class Unpredicted(Enum):
    """Asked for in place of a predictor."""

    PLAIN = "plain"  # Samples in their bits each, always lossless: segments of CCSDS 123 that are stored


class ResidualCoder(Enum):
    """What writes mapped residuals."""

    GOLOMB = "golomb"  # Sample-adaptive, section 5.4.3.2 of CCSDS 123.0-B-2
    HYBRID = "hybrid"  # Section 5.4.3.3
    RANGE = "range"


CODERS = {
    ResidualCoder.GOLOMB: Coder.SAMPLE_ADAPTIVE, ResidualCoder.HYBRID: Coder.HYBRID, ResidualCoder.RANGE: Coder.RANGE,
}  # fmt: skip


@dataclass(frozen=True)
class CodingOptions:
    """What an encoder is asked for. Raises BadArgument for what lies outside the ranges."""

    predictor: PredictorKind | Unpredicted = PredictorKind.LINERWKV
    stage: AdaptiveStage | None = None
    """None: `best` for RLS and int8 packages, none for the others, which allow no other."""
    max_error: int = 0  # Largest error of any sample; 0 is lossless, and so are plain samples whatever it is.
    quantisation: Quantisation | None = None
    """None: in the loop, but not with a float32 package; it says nothing without an error or by CCSDS 123."""
    segment_lines: int = DEFAULT_SEGMENT_LINES  # Lines that decode by themselves, 1..65535
    guard: GuardLevel = GuardLevel.OFF  # Against flipped bits in memory (docs/defences.md)
    isolate: bool = False  # Whether the executor runs in a worker process, which may hang or die alone
    line_deadline: float = DEFAULT_DEADLINE_S
    """Seconds that the worker has for a line; then it is killed and another is made."""
    executor: str = ONNXRUNTIME  # What runs the cells: NAME or NAME:PROVIDER
    package: Path = SHIPPED  # Of the predictor LINERWKV
    telemetry: Path | None = None
    """A file that gets a line after each segment; `-`: the standard output of the program."""
    index: bool = True
    """Whether the stream ends with an index of its segments, 14 bytes each, kept in memory until then."""
    trust: Path | None = None
    """A file of public keys; a package that none of them signed is refused."""
    network: NetworkUse = NetworkUse.AUTO
    """Of a network with an adaptive stage: whether the encoder may leave it out of segments where it does not gain."""
    out_of_range: OutOfRange = OutOfRange.STOP
    """What becomes of a sample beyond the depth."""
    coder: ResidualCoder | None = None
    """None: range with the stage `best`, else the smaller of the other two; CCSDS 123 has its own."""

    def __post_init__(self) -> None:
        """Hold the numbers against their ranges."""
        if not 1 <= self.segment_lines <= LARGEST_SEGMENT_LINES:
            raise BadArgument(f"segment_lines: found {self.segment_lines}, allowed 1..{LARGEST_SEGMENT_LINES}")
        if self.max_error < 0:
            raise BadArgument(f"max_error: found {self.max_error}, allowed 0 or more")
        if not 0 < self.line_deadline < float("inf"):
            raise BadArgument(f"line_deadline: found {self.line_deadline} s, allowed more than 0")

    @property
    def kind(self) -> PredictorKind:
        """What its segments name as their predictor."""
        return PredictorKind.CCSDS123 if isinstance(self.predictor, Unpredicted) else self.predictor

    @property
    def residual_coder(self) -> Coder | None:
        """The coder that is asked for."""
        if isinstance(self.predictor, Unpredicted):
            return Coder.STORED
        return None if self.coder is None else CODERS[self.coder]

    @property
    def has_network(self) -> bool:
        """Whether a package and an executor are needed."""
        return self.predictor is PredictorKind.LINERWKV

    def coding(self, package: FlightPackage | None, image: ImageDescription) -> SegmentCoding:
        """How its segments are coded, defaults filled in for a package, which is row 0 of the stream's table."""
        max_error = 0 if isinstance(self.predictor, Unpredicted) else self.max_error // image.values.step
        stage = default_stage(self.kind, package) if self.stage is None else self.stage
        quantisation = self.quantisation
        if max_error == 0 or self.kind is PredictorKind.CCSDS123:
            quantisation = Quantisation.PREQUANTISED
        elif quantisation is None:
            quantisation = default_quantisation(self.kind, package)
        index = 0 if self.has_network else NO_PACKAGE
        return SegmentCoding(self.kind, stage, max_error, quantisation, index, bool(image.specials))


CHOICES: dict[str, Iterable[Enum]] = {
    "predictor": (*PredictorKind, *Unpredicted), "stage": AdaptiveStage, "quantisation": Quantisation,
    "guard": GuardLevel, "out_of_range": OutOfRange, "network": NetworkUse, "coder": ResidualCoder,
}  # fmt: skip
PATHS = ("package", "telemetry", "trust")


def coding_options(words: Mapping[str, Any]) -> CodingOptions:
    """The options of a command line, table or job; None stands for the default. Raises BadArgument."""
    known = [field.name for field in fields(CodingOptions)]
    for name in words:
        if name not in known:
            raise BadArgument(f"{dotted('', name)}: not known, allowed {', '.join(known)}")
    return CodingOptions(**{name: option_value(name, word) for name, word in words.items() if word is not None})


def option_value(name: str, word: Any) -> Any:
    """The value of one option. Raises BadArgument."""
    if name in CHOICES:
        members = {member.name.lower().replace("_", "-"): member for member in CHOICES[name]}
        if isinstance(word, str) and word in members:
            return members[word]
        raise BadArgument(f"{name}: found {shown(word)}, allowed {', '.join(members)}")
    if name in PATHS and isinstance(word, str | Path):
        return Path(word)
    wanted = Path if name in PATHS else type(getattr(CodingOptions, name))
    if type(word) is wanted or (wanted is float and type(word) is int):
        return wanted(word)
    raise BadArgument(f"{name}: found {shown(word)}, allowed {wanted.__name__.lower()}")
