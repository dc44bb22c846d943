"""The header of a compressed image, written and read (5.3)."""

from runtime.ccsds123.coder_parameters import CODERS
from runtime.ccsds123.fields import FieldReader, FieldWriter
from runtime.ccsds123.image import Image
from runtime.ccsds123.parameters import Ccsds123Parameters
from runtime.ccsds123.prediction_parameters import Prediction
from runtime.ccsds123.quantization_parameters import Quantization
from runtime.ccsds123.representative_parameters import Representative
from runtime.ccsds123.supplementary import SupplementaryTable
from runtime.errors import BadArgument, Corrupt


def write_header(parameters: Ccsds123Parameters) -> bytes:
    """The header that announces `parameters`."""
    fields = FieldWriter()
    image, representative = parameters.image, parameters.representative
    tables = parameters.supplementary_tables
    image.write(fields, parameters.coder.type, parameters.quantization.fidelity, len(tables))
    for table in tables:
        table.write(fields)
    parameters.prediction.write(fields, representative.resolution > 0)
    parameters.quantization.write(fields, image)
    representative.write(fields)
    parameters.coder.write(fields)
    return fields.to_bytes()


def read_header(data: bytes | bytearray | memoryview) -> Ccsds123Parameters:
    """The parameters that a compressed image announces.

    data: the image from its first byte. Raises Truncated where it ends within the header, Corrupt where a field
    holds what the standard does not allow.
    """
    return split_header(data)[0]


def split_header(data: bytes | bytearray | memoryview) -> tuple[Ccsds123Parameters, int]:
    """The parameters that a compressed image announces, and the length of its header in bytes."""
    fields = FieldReader(data)
    try:
        image, coder_type, fidelity, n_tables = Image.read(fields)
        tables = tuple(SupplementaryTable.read(fields, image) for _ in range(n_tables))
        prediction, has_representative = Prediction.read(fields, image)
        quantization = Quantization.read(fields, image, fidelity)
        representative = Representative.read(fields, image) if has_representative else Representative()
        coder = CODERS[coder_type].read(fields, image)
        parameters = Ccsds123Parameters(image, prediction, quantization, representative, coder, tables)
    except BadArgument as error:
        raise Corrupt(f"header: {error}") from None
    return parameters, fields.n_bytes
