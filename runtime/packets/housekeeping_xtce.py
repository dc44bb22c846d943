"""The packets of housekeeping as XTCE 1.2 of the OMG, for ground systems as Yamcs: an XML file from the one table."""

from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from runtime.packets.housekeeping_table import TABLE, VERSION, Parameter
from runtime.packets.space_packet import P_FIELD
from runtime.whole_output import replacing

NAMESPACE = "http://www.omg.org/spec/XTCE/20180204"
SCHEMA = "https://www.omg.org/spec/XTCE/20180204/SpaceSystem.xsd"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
SPACE_SYSTEM = "LineRWKV"
ROOT_CONTAINER, CONTAINER = "CCSDSPacket", "Housekeeping"

HEADER = (
    Parameter("VERSION", 3, "", "of the primary header"),
    Parameter("TYPE", 1, "", "0: telemetry"),
    Parameter("SEC_HDR_FLG", 1, "", "1: the time follows"),
    Parameter("PKT_APID", 11, "", "application process identifier"),
    Parameter("SEQ_FLGS", 2, "", "3: the packet is whole by itself"),
    Parameter("SRC_SEQ_CTR", 14, "", "of the APID"),
    Parameter("PKT_LEN", 16, "byte", "of what follows, less 1"),
)
"""The primary header of CCSDS 133.0-B-2, by the names that ground tools use for it."""
TIME = (
    Parameter("time_code", 8, "", f"{P_FIELD}: CDS, epoch 1958-01-01, days of 16 bits"),
    Parameter("time_day", 16, "day", "UTC, since the epoch"),
    Parameter("time_ms", 32, "ms", "of the day"),
    Parameter("table_version", 8, "", f"of the table of parameters, {VERSION}"),
)
CHECKSUM = (Parameter("checksum", 32, "", "CRC-32C of everything before it in the packet"),)


def write_xtce(path: Path, apid: int) -> None:
    """Write the description of the packets of an APID, whole or not at all. Raises BadArgument."""
    tree = ElementTree.ElementTree(space_system(apid))
    ElementTree.indent(tree)
    with replacing(path) as part:
        tree.write(part, encoding="UTF-8", xml_declaration=True)


def space_system(apid: int) -> Element:
    """The root: types, parameters, and a container of headers that the one of housekeeping inherits from."""
    root = Element("SpaceSystem", {
        "name": SPACE_SYSTEM, "xmlns": NAMESPACE, "xmlns:xsi": INSTANCE,
        "xsi:schemaLocation": f"{NAMESPACE} {SCHEMA}", "shortDescription": "Housekeeping of the recorder",
    })  # fmt: skip
    telemetry = SubElement(root, "TelemetryMetaData")
    types, parameters = SubElement(telemetry, "ParameterTypeSet"), SubElement(telemetry, "ParameterSet")
    body = (*TIME, *TABLE, *CHECKSUM)
    types.extend({type_name(one): parameter_type(one) for one in (*HEADER, *body)}.values())
    for one in (*HEADER, *body):
        words = {"name": one.name, "parameterTypeRef": type_name(one), "shortDescription": one.meaning}
        SubElement(parameters, "Parameter", words)
    containers = SubElement(telemetry, "ContainerSet")
    add_container(containers, HEADER, {"name": ROOT_CONTAINER, "abstract": "true"})
    container = add_container(containers, body, {"name": CONTAINER})
    base = SubElement(container, "BaseContainer", {"containerRef": ROOT_CONTAINER})
    restriction = SubElement(base, "RestrictionCriteria")
    SubElement(restriction, "Comparison", {
        "parameterRef": "PKT_APID", "comparisonOperator": "==", "value": str(apid), "useCalibratedValue": "false",
    })  # fmt: skip
    return root


def type_name(one: Parameter) -> str:
    """Parameters of equal width and unit share a type, an enumeration has its own."""
    return f"{one.name}_type" if one.labels else f"uint{one.bits}{f'_{one.unit}' if one.unit else ''}"


def parameter_type(one: Parameter) -> Element:
    """Of a parameter; unsigned, big-endian as XTCE has it where nothing is said."""
    words = {"name": type_name(one)}
    made = Element("EnumeratedParameterType", words)
    if not one.labels:
        made = Element("IntegerParameterType", {**words, "signed": "false", "sizeInBits": str(one.bits)})
    units = SubElement(made, "UnitSet")
    if one.unit:
        SubElement(units, "Unit").text = one.unit
    SubElement(made, "IntegerDataEncoding", {"sizeInBits": str(one.bits), "encoding": "unsigned"})
    if one.labels:
        labels = SubElement(made, "EnumerationList")
        for value, label in enumerate(one.labels):
            SubElement(labels, "Enumeration", {"value": str(value), "label": label})
    return made


def add_container(containers: Element, parameters: tuple[Parameter, ...], words: dict[str, str]) -> Element:
    """A container of parameters one after another."""
    container = SubElement(containers, "SequenceContainer", words)
    entries = SubElement(container, "EntryList")
    for one in parameters:
        SubElement(entries, "ParameterRefEntry", {"parameterRef": one.name})
    return container
