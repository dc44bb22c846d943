"""Bench supplies and power analysers that speak SCPI, by PyVISA."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import override

from hil_tests.meters.meter import MeterFailed
from hil_tests.meters.polled_meter import Source

try:
    import pyvisa
except ModuleNotFoundError:  # the extra `hil` is not installed
    pyvisa = None  # type: ignore[assignment]  # a module or nothing


class ScpiSource(Source):
    """A `Source` of one instrument. A rail is a query that answers in watts, or some whose answers are multiplied."""

    is_counter = False
    caveat = ""
    label = ""

    def __init__(
        self,
        resource: str,
        *,
        backend: str,
        rails: Mapping[str, Sequence[str]],
        timeout_s: float,
        update_s: float | None,
    ) -> None:
        """resource: VISA address. backend: `@py` needs no maker's library. update_s: as the maker says."""
        self.resource, self.backend, self.timeout_s = resource, backend, timeout_s
        self.queries = [list(queries) for queries in rails.values()]
        self.rails = tuple(rails)
        self.update_s = update_s
        self.instrument: Any = None

    @override
    def open(self) -> None:
        if pyvisa is None:
            raise MeterFailed("scpi: pyvisa is not installed; it comes with the extra hil")
        try:
            manager = pyvisa.ResourceManager(self.backend)  # one for all meters of a backend, so it stays open
            timeout_ms = round(self.timeout_s * 1e3)
            self.instrument = manager.open_resource(
                self.resource,
                open_timeout=timeout_ms,
                timeout=timeout_ms,
                read_termination="\n",
                write_termination="\n",
            )
            self.instrument.query("*IDN?")
        except Exception as error:  # backends raise errors of their own libraries: OSError, ValueError, serial, usb
            self.close()
            raise self._failed(error) from None

    @override
    def read(self) -> list[float]:
        watts = []
        for queries in self.queries:
            product = 1.0
            for query in queries:
                product *= self._number(query)
            watts.append(product)
        return watts

    def _number(self, query: str) -> float:
        try:
            answer = self.instrument.query(query)
        except Exception as error:  # as above
            raise self._failed(error) from None
        try:
            number = float(answer)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or abs(number) > 1e30:  # 9.9E37 is SCPI's word for not a number
            raise MeterFailed(f"scpi: {self.resource} answers {query!r} by {answer.strip()[:40]!r}, not by a number")
        return number

    @override
    def close(self) -> None:
        if self.instrument is not None:
            self.instrument.close()
            self.instrument = None

    def _failed(self, error: Exception) -> MeterFailed:
        return MeterFailed(f"scpi: {self.resource}: {' '.join(str(error).split())[:200] or type(error).__name__}")
