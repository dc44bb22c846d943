"""All parameters of a compressed image, and the same as a flat dictionary of the standard's symbols."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from runtime.ccsds123.coder_parameters import Coder, SampleAdaptive
from runtime.ccsds123.dictionary import Parts, parts_of, values_of
from runtime.ccsds123.image import MAX_TABLES, Image
from runtime.ccsds123.prediction_parameters import Prediction
from runtime.ccsds123.quantization_parameters import Quantization
from runtime.ccsds123.representative_parameters import Representative
from runtime.ccsds123.supplementary import SupplementaryTable, n_elements
from runtime.errors import BadArgument

BAND_ROWS = ("weight_init", "weight_exp_offsets")  # Tables that hold a row per band, not a number


@dataclass(frozen=True)
class Ccsds123Parameters:
    """What the header of a compressed image says, and what an encoder must know beyond it.

    `from_dict` is the short way to make one. Raises BadArgument for what the standard does not allow.
    """

    image: Image
    prediction: Prediction = field(default_factory=Prediction)
    quantization: Quantization = field(default_factory=Quantization)
    representative: Representative = field(default_factory=Representative)
    coder: Coder = field(default_factory=SampleAdaptive)
    supplementary_tables: tuple[SupplementaryTable, ...] = ()

    def __post_init__(self) -> None:
        self.prediction.check_image(self.image)
        self.quantization.check_image(self.image)
        self.representative.check_image(self.image, is_lossless=not self.quantization.limits)
        self.coder.check_image(self.image)
        if len(self.supplementary_tables) > MAX_TABLES:
            raise BadArgument(f"{len(self.supplementary_tables)} supplementary tables, allowed 0..{MAX_TABLES}")
        for table in self.supplementary_tables:
            expected = n_elements(table.structure, self.image)
            if len(table.values) != expected:
                raise BadArgument(f"supplementary table has {len(table.values)} elements, must have {expected}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Ccsds123Parameters":
        """The parameters of a flat dictionary: runtime/ccsds123/dictionary.py lists its keys. Raises BadArgument."""
        try:
            return cls(*parts_of(values))
        except (TypeError, ValueError, KeyError) as error:
            raise BadArgument(f"parameters: a value has the wrong form: {error}") from None

    def to_dict(self) -> dict[str, Any]:
        """The dictionary that `from_dict` turns into these parameters."""
        return values_of(Parts(*(getattr(self, name) for name in Parts._fields)))

    @property
    def missing_tables(self) -> tuple[str, ...]:
        """Names of the tables that the header leaves out and that are not known; see `with_tables`."""
        representative, coder = self.representative, self.coder
        is_missing = {
            "weight_init": self.prediction.initial_weight_bits > 0 and self.prediction.initial_weights is None,
            "weight_exp_offsets": self.prediction.has_exponent_offsets and self.prediction.exponent_offsets is None,
            "phi": representative.damping.fixed is None and representative.damping.table is None,
            "psi": representative.offset.fixed is None and representative.offset.table is None,
            "k_table": isinstance(coder, SampleAdaptive)
            and coder.accumulator_constant is None
            and coder.accumulator_table is None,
        }
        return tuple(name for name, missing in is_missing.items() if missing)

    def with_tables(self, tables: Mapping[str, Any]) -> "Ccsds123Parameters":
        """These parameters with the missing tables taken from `tables`.

        Keys: those of `missing_tables`; values: as `from_dict` takes them. Tables that are not missing are ignored:
        what the header says stands. Raises BadArgument where one is lacking or does not fit.
        """
        lacking = [name for name in self.missing_tables if tables.get(name) is None]
        if lacking:
            raise BadArgument(f"tables left out of the header and not given: {', '.join(lacking)}")
        try:
            known = {name: frozen(tables[name]) for name in self.missing_tables}
            known |= {name: tuple(map(frozen, known[name])) for name in BAND_ROWS if name in known}
        except TypeError:
            raise BadArgument("a table left out of the header is given, but not as a list") from None
        prediction, representative, coder = self.prediction, self.representative, self.coder
        if "weight_init" in known:
            prediction = replace(prediction, initial_weights=known["weight_init"])
        if "weight_exp_offsets" in known:
            prediction = replace(prediction, exponent_offsets=known["weight_exp_offsets"])
        if "phi" in known:
            representative = replace(representative, damping=replace(representative.damping, table=known["phi"]))
        if "psi" in known:
            representative = replace(representative, offset=replace(representative.offset, table=known["psi"]))
        if "k_table" in known and isinstance(coder, SampleAdaptive):
            coder = replace(coder, accumulator_table=known["k_table"])
        return replace(self, prediction=prediction, representative=representative, coder=coder)


def frozen(table: Any) -> tuple[Any, ...]:
    """A list or array as a tuple of Python's own numbers or lists; TypeError for anything else."""
    return tuple(table.tolist() if isinstance(table, np.ndarray) else table)
