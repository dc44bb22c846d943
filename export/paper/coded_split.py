"""All patches of a split by all methods: a file of results for each patch, so that work can stop, go on and be shared.

A folder of results belongs to what its streams depend on: packages, settings, maximum errors. Nothing of another
checkpoint is ever mixed in.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from export.paper.coding import Coding, coded, quantisations, warm
from export.paper.methods import Method
from model.scenes.scene import Scene
from runtime.checked_table import checked_value
from runtime.codec.compression import atomic_file
from runtime.errors import BadArgument, LineRwkvError

FORMAT = 1
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


def code_patches(
    methods: Sequence[Method], patches: Sequence[Scene], max_errors: Sequence[int], folder: Path, part: Part
) -> None:
    """Code the patches of a part that have no result yet. Raises LineRwkvError, which names the patch."""
    folder.mkdir(parents=True, exist_ok=True)
    left = [patch for patch in patches[part.number - 1 :: part.of] if not result_path(folder, patch).is_file()]
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
        with atomic_file(result_path(folder, patch)) as file:
            file.write(json.dumps([coding.to_dict() for coding in codings]).encode() + b"\n")


def result_path(folder: Path, patch: Scene) -> Path:
    """The file of a patch."""
    return folder / f"{patch.name}.json"


def read_results(folder: Path, patches: Sequence[Scene]) -> list[Coding]:
    """The codings of all these patches that have a result, in their order. Raises BadArgument for a damaged file."""
    found: list[Coding] = []
    for path in (result_path(folder, patch) for patch in patches):
        if not path.is_file():
            continue
        try:
            values = json.loads(path.read_bytes())
        except ValueError as error:
            raise BadArgument(f"{path}: no JSON: {error}; remove it, and its patch is coded again") from None
        found += checked_value(list[Coding], values, str(path), "")
    return found
