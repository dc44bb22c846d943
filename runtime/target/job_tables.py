"""The jobs of an acceptance run as tables (docs/formats/target-run.md)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from runtime.checked_table import AtLeast1, Text, checked_table, checked_value, json_table
from runtime.codec.coding_options import CodingOptions, coding_options
from runtime.errors import BadArgument
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import SampleType, SpecialKind
from runtime.stream.sample_map import SampleMap
from runtime.stream.special_values import Special


@dataclass(frozen=True)
class ClockJob:
    """Asks for the time, which every answer has."""


@dataclass(frozen=True)
class LoadJob:
    """A package, and the executor that runs it: `name`, or `name:provider,option=value`."""

    package: Path
    executor: Text


@dataclass(frozen=True)
class SelfTestJob:
    """The package's recorded lines again, with `all_settings` as `linerwkv verify`, else in every tiling."""

    executor: Text
    all_settings: bool


@dataclass(frozen=True)
class ImageTable:
    """The image that is coded; depth in bits per sample."""

    bands: AtLeast1
    columns: AtLeast1
    depth: AtLeast1
    is_signed: bool
    lines: AtLeast1
    sample_type: SampleType
    offset: int = 0
    step: AtLeast1 = 1
    specials: list[tuple[int, SpecialKind]] = field(default_factory=list)
    """Value and kind."""

    def description(self) -> ImageDescription:
        """The same as encoders take it."""
        sizes = (self.bands, self.columns, self.depth, self.is_signed, self.lines, self.sample_type)
        specials = tuple(Special(*special) for special in self.specials)
        return ImageDescription(*sizes, {}, SampleMap(self.offset, self.step), specials)


@dataclass(frozen=True)
class CodingJob:
    """How lines are coded: by the words of `CodingOptions`, with readings so many seconds apart."""

    image: ImageTable
    coding: dict[str, Any]
    reading_seconds: Annotated[float, Meta(gt=0)]

    def __post_init__(self) -> None:
        """Raise BadArgument where a word is not one of its options."""
        try:
            coding_options(self.coding)
        except BadArgument as error:
            raise BadArgument(f"coding.{error}") from None

    @property
    def options(self) -> CodingOptions:
        """The coding as encoders take it."""
        return coding_options(self.coding)


@dataclass(frozen=True)
class PartsJob(CodingJob):
    """Coding of a file to nothing, part by part."""

    source: Path


@dataclass(frozen=True)
class FileJob(CodingJob):
    """Coding from a file to a file."""

    source: Path
    output: Path


Job = ClockJob | LoadJob | SelfTestJob | CodingJob
JobName = Literal["clock", "load", "warm_up", "self_test", "encode", "decode", "parts"]
JOBS: Mapping[JobName, Callable[..., Job]] = {
    "clock": ClockJob, "load": LoadJob, "warm_up": CodingJob, "self_test": SelfTestJob, "encode": FileJob,
    "decode": FileJob, "parts": PartsJob,
}  # fmt: skip


def read_job(line: str) -> tuple[JobName, Job]:
    """A job and its name from a line of JSON. Raises BadArgument."""
    values = json_table(line, "job")
    name: JobName = checked_value(JobName, values.pop("do", None), "job", "do")
    return name, checked_table(JOBS[name], values, f"job {name}")
