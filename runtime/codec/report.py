"""What a compression or decompression of a whole file did."""

from dataclasses import dataclass
from typing import Any

from runtime.errors import Incomplete


@dataclass(frozen=True)
class Report:
    """Counts, times, and what a user should know."""

    n_lines: int
    n_bands: int
    n_columns: int
    n_bytes: int  # Of the stream, everything in it counted
    seconds: float
    missing_lines: tuple[tuple[int, int], ...] = ()
    """Runs (first, last) of lines that never came, or that salvage could not give back: fill values in the output."""
    n_fallbacks: int = 0
    """Segments that CCSDS 123 coded in place of the predictor asked for, because something failed."""
    n_segments: int | None = None
    """That were written; None where an image was restored."""
    n_with_network: int | None = None
    """Segments that the network is in; None where none was asked for."""
    notes: tuple[str, ...] = ()
    """What the user should know of the stream, each a line."""
    failure: Incomplete | None = None
    """Why a source that cannot be read again ended early; the stream has all whole lines before."""
    n_lost_records: int = 0
    """Lines that came back without their records, as far as that is known."""
    n_threads: int = 1
    """That coded segments."""
    peak_memory_mib: float | None = None
    """The largest resident memory of the process so far, libraries included; None where nothing tells."""
    missing_from: int | None = None
    """Lines from here on are missing, and nobody knows how many there were."""

    @property
    def n_samples(self) -> int:
        """Of the whole image."""
        return self.n_lines * self.n_bands * self.n_columns

    @property
    def bits_per_sample(self) -> float:
        """Rate of the whole stream."""
        return 8 * self.n_bytes / self.n_samples

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "lines": self.n_lines,
            "bands": self.n_bands,
            "columns": self.n_columns,
            "bytes": self.n_bytes,
            "bits_per_sample": round(self.bits_per_sample, 4),
            "seconds": round(self.seconds, 3),
            "msamples_per_s": round(self.n_samples / self.seconds / 1e6, 4),
            "missing_lines": [list(run) for run in self.missing_lines],
            "missing_from": self.missing_from,
            "lost_records": self.n_lost_records,
            "fallbacks": self.n_fallbacks,
            "segments": self.n_segments,
            "segments_with_network": self.n_with_network,
            "threads": self.n_threads,
            "peak_memory_mib": None if self.peak_memory_mib is None else round(self.peak_memory_mib, 1),
        }
