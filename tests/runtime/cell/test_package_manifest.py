"""A manifest names all that is used, and a value that no writer makes is one line with its key."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from runtime.cell.flight_package import SHIPPED_FLOAT, package_of_parts
from runtime.cell.integer_cell import pack_tensors, unpack_tensors
from runtime.cell.package_manifest import read_manifest
from runtime.errors import Corrupt, LineRwkvError
from tests.runtime.cell.package_parts import SHAPE, Parts, manifest_of, random_parts, sealed, shipped_parts

PLACE = Path("package")


def refused(parts: dict[str, bytes]) -> str:
    """The one line."""
    with pytest.raises(LineRwkvError) as found:
        package_of_parts(PLACE, parts)
    text = str(found.value)
    assert "\n" not in text and len(text) < 400
    return text


@pytest.mark.parametrize(("parts", "n_used"), [(random_parts(), 4), (shipped_parts(SHIPPED_FLOAT), 3)])
def test_every_file_that_is_used_must_be_named(parts: Parts, n_used: int) -> None:
    names = manifest_of(parts)["parts"]
    assert len(names) == n_used
    for name in names:
        manifest = manifest_of(parts)
        del manifest["parts"][name]
        assert f"key parts: found no {name}" in refused({**parts, "manifest.json": json.dumps(manifest).encode()})
        without = {other: data for other, data in parts.items() if other != name}
        assert f"part {name} is missing" in refused(without)


def test_a_package_holds_nothing_that_its_manifest_does_not_name() -> None:
    parts = {**random_parts(), "extra.bin": b"1"}
    package = package_of_parts(PLACE, parts)
    assert set(package.parts) == {"manifest.json", *package.manifest["parts"]}


WRONG: list[tuple[str, Any, str]] = [
    ("parts", ["weights.bin"], "key parts: found"),
    ("parts", {"../weights.bin": "0" * 64}, "plain file name"),
    ("parts", {"*/_ORT_MEM_ADDR_/*": "0" * 64}, "plain file name"),
    ("parts", {"weights.bin": "0"}, "SHA-256"),
    ("weights", ["weights.bin"], "key weights"),
    ("weights", "/etc/passwd", "key weights"),
    ("weights", "../weights.bin", "key weights"),
    ("weights", None, "key weights: found null"),
    ("cells", None, "key cells.line_step: found null"),
    ("cells", {"line_step": 3}, "key cells.line_step: found 3"),
    ("cells", {"line_step": "other.onnx"}, "key parts: found no other.onnx, which cells.line_step names"),
    ("name", "a\nb", "key name"),
    ("name", "x" * 10_000, "key name"),
    ("format_version", True, "key format_version: found true"),
    ("format_version", 0, "format version 0"),
    ("format_version", 10**30, "key format_version"),
    ("arithmetic", ["int8-v2"], 'arithmetic ["int8-v2"]'),
    ("arithmetic", "int8-v1", "is of an older release, this one runs int8-v2: make it again by linerwkv export"),
    ("arithmetic", "x" * 10_000, "arithmetic"),
    ("architecture", 5, "key architecture"),
    ("architecture", {**asdict(SHAPE), "features": 2**62}, "architecture: features is"),
    ("architecture", {**asdict(SHAPE), "group": 17}, "architecture: group is 17, allowed 1..16"),
    ("integers", {"file": "integers.bin", "tensors": {}}, "key integers.tensors"),
    ("integers", {"file": "integers.bin", "tensors": [[]]}, "key integers.tensors[0]"),
    ("integers", {"file": "integers.bin", "tensors": []}, "tensors of 0 bytes"),
    ("conformance", {"file": 1, "tensors": []}, "key conformance.file"),
    ("n_bands", -1, "key n_bands"),
]


@pytest.mark.parametrize(("key", "value", "told"), WRONG, ids=lambda value: str(value)[:30])
def test_a_wrong_value_is_one_line(key: str, value: Any, told: str) -> None:
    parts = random_parts()
    assert told in refused({**parts, "manifest.json": json.dumps({**manifest_of(parts), key: value}).encode()})


@pytest.mark.parametrize(
    "change",
    [{"shape": [2**70]}, {"shape": [2**62]}, {"shape": [1] * 100}, {"shape": []}, {"shape": 32}, {"shape": [True]},
     {"shape": [1.5]}, {"offset": 1}, {"offset": None}, {"dtype": []}, {"dtype": "float64"}, {"name": 3}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("table", ["integers", "conformance"])
def test_a_wrong_table_is_one_line(table: str, change: dict[str, Any]) -> None:
    parts = random_parts()
    manifest = manifest_of(parts)
    manifest[table]["tensors"][0].update(change)
    refused(sealed(parts, manifest))


def test_a_table_takes_no_more_memory_than_its_part() -> None:
    """Ten thousand tensors of the same bytes would be ten thousand copies."""
    parts = random_parts()
    manifest = manifest_of(parts)
    first = manifest["integers"]["tensors"][0]
    manifest["integers"]["tensors"] += [{**first, "name": f"{n}"} for n in range(10_000)]
    assert "allowed a name of its own and offset" in refused(sealed(parts, manifest))


def test_tensors_of_another_type_are_refused() -> None:
    parts = random_parts()
    manifest = manifest_of(parts)
    entry = next(one for one in manifest["integers"]["tensors"] if one["dtype"] == "int32")
    entry.update(dtype="int16", shape=[2 * entry["shape"][0]])
    assert "bias of shape (16,) int16, allowed (8,) int32" in refused(sealed(parts, manifest))


def test_a_float_package_names_both_graphs() -> None:
    parts = shipped_parts(SHIPPED_FLOAT)
    cells = {"line_step": "line_step.onnx", "band_step": 3}
    assert "key cells.band_step: found 3" in refused(
        {**parts, "manifest.json": json.dumps({**manifest_of(parts), "cells": cells}).encode()}
    )


def test_recorded_lines_of_another_shape_are_refused() -> None:
    """Contexts of a group less, where the taps have bands for it."""
    parts = random_parts()
    manifest = manifest_of(parts)
    tensors = unpack_tensors(parts["conformance.bin"], manifest["conformance"]["tensors"])
    tensors["contexts"] = tensors["contexts"][:, 1:]
    parts["conformance.bin"], manifest["conformance"]["tensors"] = pack_tensors(tensors)
    assert "conformance: contexts of shape (9, 2, 24, 20) int8, allowed (9, 3, 24, 20)" in refused(
        sealed(parts, manifest)
    )


STATE = {"name": "x", "is_per_band": True, "depth": 0, "initial": 0.0, "features": 32}


@pytest.mark.parametrize(
    "change",
    [{"base": []}, {"base": "other"}, {"normalisation": []}, {"normalisation": {"kind": "constants"}},
     {"normalisation": {"kind": "constants", "mean": [1.5], "scale": [1]}},
     {"normalisation": {"kind": "constants", "mean": [1], "scale": [0]}},
     {"normalisation": {"kind": "constants", "mean": [1, 2], "scale": [1]}},
     {"states": {}}, {"states": [{}]}, {"states": [{**STATE, "features": 10**9}]},
     {"states": [{**STATE, "name": "\n"}]},
     {"states": [{**STATE, "initial": "0"}]}, {"states": [STATE] * 2000}],
    ids=str,
)  # fmt: skip
def test_a_wrong_value_of_a_float_package_is_one_line(change: dict[str, Any]) -> None:
    parts = shipped_parts(SHIPPED_FLOAT)
    refused({**parts, "manifest.json": json.dumps({**manifest_of(parts), **change}).encode()})


@pytest.mark.parametrize(
    "text",
    [b"", b"null", b"[1]", b"[" * 200_000, b'{"a":' * 200_000, b"\xff\xfe", b'{"format_version": ' + b"9" * 9999],
    ids=lambda text: str(text[:8]),
)  # fmt: skip
def test_a_text_that_is_no_manifest_is_one_line(text: bytes) -> None:
    with pytest.raises(Corrupt) as found:
        read_manifest(PLACE, text)
    assert "\n" not in str(found.value)
