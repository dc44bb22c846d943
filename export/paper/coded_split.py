"""All patches of a split by all methods: a file of results for each patch, so that work can stop, go on and be shared.

A folder of results belongs to what its streams depend on: packages, settings, maximum errors. Nothing of another
checkpoint is ever mixed in.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from tqdm import tqdm

from export.paper.coding import Coding, coded, quantisations, warm
from export.paper.methods import Method, Samples
from model.scenes.scene import Scene
from runtime.checked_table import AtLeast0, Text, checked_table, json_table, read_file
from runtime.codec.compression import atomic_file
from runtime.errors import BadArgument, LineRwkvError
from runtime.stream.crc32c import crc32c

FORMAT = 2
"""Of the files; another number begins anew."""


class Part(NamedTuple):
    """Which patches this process codes: every `of`-th, from number `number` on, both from 1."""

    number: int
    of: int


def results_folder(output: Path, methods: Sequence[Method], max_errors: Sequence[int]) -> Path:
    """The folder of results of these methods."""
    identities = [(method.name, method.identity) for method in methods]
    text = json.dumps([FORMAT, identities, list(max_errors)])
    return output / "coded" / hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class PatchResult:
    """What a file holds."""

    samples_crc: AtLeast0
    """Of the patch that was coded: another data set may have one of the same name."""
    place: Text
    """Processor and commit that coded it."""
    codings: list[Coding]


def samples_crc(samples: Samples) -> int:
    """CRC-32C of the samples (Y, Z, X) in their type."""
    return crc32c(np.ascontiguousarray(samples).view(np.uint8).reshape(-1).data)


def code_patches(
    methods: Sequence[Method], patches: Sequence[Scene], max_errors: Sequence[int], folder: Path, part: Part, place: str
) -> None:
    """Code the patches of a part that have no result yet. Raises LineRwkvError, which names the patch."""
    folder.mkdir(parents=True, exist_ok=True)
    left = [patch for patch in patches[part.number - 1 :: part.of] if found_result(folder, patch) is None]
    if not left:
        return
    for method in methods:
        warm(method)
    for patch in tqdm(left, desc="code", unit="patch", disable=None, leave=False):
        samples = np.ascontiguousarray(patch.samples)
        try:
            codings = [
                coded(method, samples, max_error, quantisation)
                for method in methods
                for max_error in max_errors
                for quantisation in quantisations(method, max_error)
            ]
        except LineRwkvError as error:
            raise type(error)(f"patch {patch.name}: {error}") from error
        result = PatchResult(samples_crc(samples), place, codings)
        with atomic_file(result_path(folder, patch)) as file:
            file.write(msgspec.json.encode(result) + b"\n")


def result_path(folder: Path, patch: Scene) -> Path:
    """The file of a patch."""
    return folder / f"{patch.name}.json"


def found_result(folder: Path, patch: Scene) -> PatchResult | None:
    """The result of these samples, if there is one. Raises BadArgument for a damaged file."""
    path = result_path(folder, patch)
    result = result_of(path) if path.is_file() else None
    return result if result is not None and result.samples_crc == samples_crc(patch.samples) else None


def result_of(path: Path) -> PatchResult:
    """Read a file. Raises BadArgument."""
    try:
        result = checked_table(PatchResult, json_table(read_file(path, str(path)).decode(), str(path)), str(path))
        if not result.codings:
            raise BadArgument(f"{path}: key codings: found none, allowed one at least")
    except (BadArgument, ValueError) as error:
        raise BadArgument(f"{error}; remove it, and its patch is coded again") from None
    return result


def read_results(folder: Path, patches: Sequence[Scene]) -> list[PatchResult]:
    """Those of all these patches that have one, in their order. Raises BadArgument for a damaged file."""
    results = (found_result(folder, patch) for patch in patches)
    return [result for result in results if result is not None]
