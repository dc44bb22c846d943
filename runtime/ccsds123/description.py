"""A header in the standard's own words, subpart by subpart and field by field (tables 5-3 to 5-15)."""

from typing import Any

from runtime.ccsds123.choices import Mode
from runtime.ccsds123.coder_parameters import BlockAdaptive, SampleAdaptive
from runtime.ccsds123.parameters import Ccsds123Parameters
from runtime.ccsds123.prediction_parameters import Prediction
from runtime.ccsds123.quantization_parameters import ErrorLimit
from runtime.ccsds123.representative_parameters import BandVarying
from runtime.ccsds123.supplementary import PURPOSES, SupplementaryTable

Fields = dict[str, Any]


def describe(parameters: Ccsds123Parameters) -> dict[str, Fields]:
    """The fields of each subpart that the header has, in the order of the header."""
    image, quantization, sample = parameters.image, parameters.quantization, parameters.representative
    subparts: dict[str, Fields] = {
        "Essential": {
            "User-Defined Data": image.user_data,
            "X Size": image.n_columns,
            "Y Size": image.n_lines,
            "Z Size": image.n_bands,
            "Sample Type": "signed" if image.is_signed else "unsigned",
            "Large Dynamic Range Flag": int(image.depth > 16),
            "Dynamic Range": image.depth,
            "Sample Encoding Order": image.order.value,
            "Sub-Frame Interleaving Depth": image.interleaving_depth,
            "Output Word Size": image.word_bytes,
            "Entropy Coder Type": parameters.coder.type.value,
            "Quantizer Fidelity Control Method": quantization.fidelity.value,
            "Supplementary Information Table Count": len(parameters.supplementary_tables),
        }
    }
    for number, table in enumerate(parameters.supplementary_tables, 1):
        subparts[f"Supplementary Information Table {number}"] = supplementary_fields(table)
    subparts["Predictor Metadata: Primary"] = primary_fields(parameters.prediction, int(sample.resolution > 0))
    tables = {
        "Weight Initialization Table": parameters.prediction.initial_weights,
        "Weight Exponent Offset Table": parameters.prediction.exponent_offsets,
    }
    present = {name: table for name, table in tables.items() if table is not None}
    if present:
        subparts["Predictor Metadata: Weight Tables"] = present
    if quantization.limits:
        fields: Fields = {}
        if not image.is_sequential:
            fields["Periodic Updating Flag"] = int(quantization.period_exponent is not None)
            fields["Update Period Exponent"] = quantization.period_exponent or 0
        for name, limit in (("Absolute", quantization.absolute), ("Relative", quantization.relative)):
            fields |= {} if limit is None else limit_fields(name, limit)
        subparts["Predictor Metadata: Quantization"] = fields
    if sample.resolution > 0:
        subparts["Predictor Metadata: Sample Representative"] = {
            "Sample Representative Resolution": sample.resolution,
            **varying_fields("Damping", sample.damping),
            **varying_fields("Offset", sample.offset),
        }
    subparts["Entropy Coder Metadata"] = coder_fields(parameters)
    return subparts


def supplementary_fields(table: SupplementaryTable) -> Fields:
    """The fields of table 5-4."""
    fields: Fields = {
        "Table Type": table.type.value,
        "Table Purpose": f"{table.purpose} ({PURPOSES.get(table.purpose, 'user-defined')})",
        "Table Structure": table.structure.value,
        "Supplementary User-Defined Data": table.user_data,
    }
    if table.float_format is None:
        fields["Table Bit Depth"] = table.n_bits
    else:
        fields["Significand Bit Depth"] = table.float_format.significand_bits
        fields["Exponent Bit Depth"] = table.float_format.exponent_bits
        fields["Exponent Bias"] = table.float_format.bias
    return fields | {"Table Data": table.numbers}


def primary_fields(prediction: Prediction, has_representative: int) -> Fields:
    """The fields of table 5-6."""
    return {
        "Sample Representative Flag": has_representative,
        "Number of Prediction Bands": prediction.n_previous_bands,
        "Prediction Mode": "full" if prediction.mode is Mode.FULL else "reduced",
        "Weight Exponent Offset Flag": int(prediction.has_exponent_offsets),
        "Local Sum Type": prediction.local_sum.value,
        "Register Size": prediction.register_bits,
        "Weight Component Resolution": prediction.weight_resolution,
        "Weight Update Scaling Exponent Change Interval": 1 << prediction.interval_exponent,
        "Weight Update Scaling Exponent Initial Parameter": prediction.first_exponent,
        "Weight Update Scaling Exponent Final Parameter": prediction.last_exponent,
        "Weight Exponent Offset Table Flag": int(prediction.is_offset_table_in_header),
        "Weight Initialization Method": "custom" if prediction.initial_weight_bits else "default",
        "Weight Initialization Table Flag": int(prediction.is_weight_table_in_header),
        "Weight Initialization Resolution": prediction.initial_weight_bits,
    }


def limit_fields(name: str, limit: ErrorLimit) -> Fields:
    """The fields of tables 5-10 and 5-11."""
    return {
        f"{name} Error Limit Assignment Method": "band-dependent" if limit.is_band_dependent else "band-independent",
        f"{name} Error Limit Bit Depth": limit.n_bits,
        f"{name} Error Limit Values": limit.values or "in the body",
    }


def varying_fields(name: str, parameter: BandVarying) -> Fields:
    """The fields of table 5-12 that concern damping or offset."""
    fields: Fields = {
        f"Band-Varying {name} Flag": int(parameter.fixed is None),
        f"{name} Table Flag": int(parameter.is_table_in_header),
        f"Fixed {name} Value": parameter.fixed or 0,
    }
    return fields | ({} if parameter.table is None else {f"{name} Table": parameter.table})


def coder_fields(parameters: Ccsds123Parameters) -> Fields:
    """The fields of tables 5-13 to 5-15."""
    coder = parameters.coder
    if isinstance(coder, BlockAdaptive):
        return {
            "Block Size": coder.block_size,
            "Restricted Code Options Flag": int(coder.is_restricted),
            "Reference Sample Interval": coder.reference_interval,
        }
    fields: Fields = {
        "Unary Length Limit": coder.unary_limit,
        "Rescaling Counter Size": coder.rescaling_exponent,
        "Initial Count Exponent": coder.initial_count_exponent,
    }
    if isinstance(coder, SampleAdaptive):
        has_constant = coder.accumulator_constant is not None
        fields["Accumulator Initialization Constant"] = coder.accumulator_constant if has_constant else "none"
        fields["Accumulator Initialization Table Flag"] = int(coder.is_table_in_header)
        if coder.accumulator_table is not None:
            fields["Accumulator Initialization Table"] = coder.accumulator_table
    return fields
