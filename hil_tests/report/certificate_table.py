"""Certificates of the probe as tables: a row for each operator, the rules that its executor follows by kind."""

from typing import Any

from hil_tests.findings.findings import Certificate


def operator_rows(certificate: Certificate) -> list[dict[str, Any]]:
    """Texts and numbers by the head of their column."""
    return [
        {
            "operator": one.operator,
            "can be exact": "yes" if one.is_exact else "no",
            "outputs": one.outputs,
            "rounds": one.rounding,
            "past 8 bits": one.saturation,
            "sums": one.sums,
        }
        for one in certificate.operators
    ]


def decision(certificate: Certificate) -> str:
    """What the verdict means for this run, in one sentence."""
    if certificate.is_usable:
        return "Dense sub-graphs can run there under these conditions; the self-test decides whether they are met."
    if certificate.is_deciding:
        return "Refused: the executor runs dense sub-graphs, and they cannot be exact there."
    return "Dense sub-graphs are refused there. The executor runs the master cell, about which the self-test decides."
