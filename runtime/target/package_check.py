"""A package that came while the recorder runs: read once, put beside the one that runs, and tested from there."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from runtime.cell.flight_package import IntegerPackage, open_integer_package, package_of_parts
from runtime.cell.integer_cell import ARITHMETIC
from runtime.cell.package_files import MANIFEST, read_parts
from runtime.cell.package_manifest import check_identity
from runtime.cell.signature import SIGNATURE, read_trust, signer_of
from runtime.codec.forms_encoder import LoadedForms
from runtime.codec.opened_encoder import executor_of
from runtime.codec.replaced_package import Replacement, replaced_package
from runtime.errors import BadArgument
from runtime.stream.image_description import ImageDescription
from runtime.target.package_slots import PackageSlots, PackagesTable, Slot, SlotState


class Offer(NamedTuple):
    """A signed package, in memory."""

    package: IntegerPackage
    signer: str
    files: dict[str, bytes]
    """Those that its manifest names, the manifest and the signature."""


class Candidate(NamedTuple):
    """A package that may be tried, and what it needs."""

    form: int
    slots: PackageSlots
    tried: SlotState
    """As the disk says it once the trial begins."""
    package: IntegerPackage
    replacement: Replacement
    held: contextlib.ExitStack
    """Its executor."""

    @property
    def slot(self) -> Slot:
        """Where it lies."""
        assert self.tried.trial is not None
        return self.tried.trial


def read_offer(path: Path, trust: Path) -> Offer:
    """The package at a path, once. Raises as `open_integer_package`."""
    keys, parts = read_trust(trust), read_parts(path)
    signer = signer_of(path, parts, keys)
    package = package_of_parts(path, parts)
    if not isinstance(package, IntegerPackage):
        lines = "which has recorded lines"
        raise BadArgument(f"package {path} is of arithmetic {package.arithmetic}, allowed {ARITHMETIC}, {lines}")
    return Offer(package, signer, {**package.parts, SIGNATURE: parts[SIGNATURE]})


def checked(
    offer: Offer, table: PackagesTable, image: ImageDescription, loaded: LoadedForms, form: int,
    max_errors: Sequence[int],
) -> Candidate:  # fmt: skip
    """Put an offer into the slot that does not run, and make from there what codes lines.

    Its executor runs the recorded lines; all that lines need is compiled. Raises LineRwkvError.
    """
    runs = loaded.forms[form]
    slots = PackageSlots(table.folder, runs.name)
    state, slot = tried_state(slots, loaded, form, offer.package)
    slots.fill(slot, offer.files)
    package = open_integer_package(slots.path(slot), table.trust)
    check_identity(package.source, offer.package.sha256, package.parts[MANIFEST])
    options = replace(runs.options, package=package.source, trust=table.trust)
    with contextlib.ExitStack() as stack:
        executor = stack.enter_context(executor_of(options, package))
        assert executor is not None
        replacement = replaced_package(image, loaded, form, max_errors, options, package, executor)
        return Candidate(form, slots, state, package, replacement, stack.pop_all())


def tried_state(slots: PackageSlots, loaded: LoadedForms, form: int, package: IntegerPackage) -> tuple[SlotState, Slot]:
    """What the disk will say of a trial, and the slot of the new package: never the one that runs."""
    running = loaded.packages[loaded.rows[form]]
    active = slots.slot_of(running.source)
    try:
        known = slots.read()
    except BadArgument:
        known = SlotState()
    if active is not None:
        known = replace(known.with_package(active, running.sha256.hex()), trial=None, active=active)
    slot: Slot = "b" if known.active == "a" else "a"
    return replace(known.with_package(slot, package.sha256.hex()), trial=slot), slot
