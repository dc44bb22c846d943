"""The rows and curves of the experiment, from the codings of all patches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from export.paper.coding import Coding
from export.paper.methods import Method


@dataclass(frozen=True)
class Row:
    """A method, lossless."""

    method: str
    bits_per_sample: float
    """Bytes of all patches, over their samples."""
    parameters: int | None
    """None: without a network."""
    macs_per_sample: int | None
    peak_mib: float | None
    """Of a process that encodes one patch; None: not measured."""
    encode_msamples_per_s: float
    decode_msamples_per_s: float


@dataclass(frozen=True)
class Point:
    """A method with one maximum error."""

    max_error: int
    bits_per_sample: float
    psnr_db: float | None
    """The mean over patches; None: lossless."""


@dataclass(frozen=True)
class Curve:
    """The rate-distortion curve of a method in one way, with its lossless rate first."""

    method: str
    quantisation: str
    points: tuple[Point, ...]


def rate(codings: Sequence[Coding]) -> float:
    """Bits per sample."""
    return 8 * sum(one.n_bytes for one in codings) / sum(one.n_samples for one in codings)


def rows(methods: Sequence[Method], codings: Sequence[Coding], peaks: dict[str, float | None]) -> list[Row]:
    """One row a method. peaks: MiB by the method's name."""
    found = []
    for method in methods:
        its = [one for one in codings if (one.method, one.max_error) == (method.name, 0)]
        n_samples = sum(one.n_samples for one in its)
        facts: dict[str, Any] = method.manifest
        found.append(
            Row(
                method.name,
                rate(its),
                facts.get("n_parameters"),
                facts.get("macs_per_sample"),
                peaks.get(method.name),
                n_samples / sum(one.encode_s for one in its) / 1e6,
                n_samples / sum(one.decode_s for one in its) / 1e6,
            )
        )
    return found


def curves(methods: Sequence[Method], codings: Sequence[Coding], max_errors: Sequence[int]) -> list[Curve]:
    """One curve for each method and way of quantisation."""
    found = []
    for method in methods:
        for quantisation in method.quantisations:
            points = []
            for max_error in max_errors:
                its = [
                    one
                    for one in codings
                    if (one.method, one.max_error) == (method.name, max_error)
                    and (not max_error or one.quantisation == quantisation)
                ]
                qualities = [one.psnr_db for one in its if one.psnr_db is not None]
                mean = sum(qualities) / len(qualities) if max_error and qualities else None
                points.append(Point(max_error, rate(its), mean))
            found.append(Curve(method.name, quantisation, tuple(points)))
    return found
