"""The forms that a recorder starts with: with the packages that updates have left, or those of the configuration.

A package that was on trial when the program or the power went has failed. Nothing that lies in a slot, or does not,
keeps the recorder from starting.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from runtime.cell.flight_package import open_integer_package
from runtime.codec.forms_encoder import Form, LoadedForms, loaded_forms
from runtime.errors import BadArgument, LineRwkvError
from runtime.stream.image_description import ImageDescription
from runtime.target.package_slots import PackageSlots, PackagesTable

Notes = list[dict[str, Any]]
"""Telemetry of what was found, in its order, for when it can be told."""


@contextlib.contextmanager
def booted_forms(
    table: PackagesTable | None, image: ImageDescription, forms: Sequence[Form], max_errors: Sequence[int],
    notes: Notes, n_threads: int = 1,
) -> Iterator[LoadedForms]:  # fmt: skip
    """As `loaded_forms`, each form with its package in the slots.

    notes: takes what was found. n_threads: as in `opened_encoder`. Raises LineRwkvError where the
    packages of the configuration do not load.
    """
    found = [form if table is None else form_in_slots(table, form, notes) for form in forms]
    with contextlib.ExitStack() as stack:
        try:
            loaded = stack.enter_context(loaded_forms(image, found, max_errors, n_threads))
        except LineRwkvError as error:
            if found == list(forms):
                raise
            notes.append({"package": None, "state": "left out", "why": f"{error}; all forms have the configured ones"})
            loaded = stack.enter_context(loaded_forms(image, forms, max_errors, n_threads))
        yield loaded


def form_in_slots(table: PackagesTable, form: Form, notes: Notes) -> Form:
    """The form with the package that its slots say runs; as it is where they say nothing, or what cannot be."""
    if not form.options.has_network:
        return form
    slots, told = PackageSlots(table.folder, form.name), {"form": form.name}
    try:
        state = slots.read()
        if state.trial is not None:
            told_trial = {"package": state.package(state.trial), **told, "state": "rolled back"}
            state = replace(state, trial=None, since=int(time.time()))
            notes.append({**told_trial, "why": "the recorder ended while it was on trial"})
            with noting(notes, told_trial):  # a trial that stays on the disk has failed at the next start as well
                slots.write(state)
        if state.active is None:
            return form
        path, wanted = slots.path(state.active), state.package(state.active)
        package = open_integer_package(path, table.trust)
        if package.sha256.hex() != wanted:
            raise BadArgument(f"package {path}: found {package.sha256.hex()[:12]}..., allowed {(wanted or '')[:12]}...")
    except LineRwkvError as error:
        notes.append({"package": None, **told, "state": "left out", "why": f"{error}; the configured one runs"})
        return form
    notes.append({"package": wanted, **told, "state": "in use", "slot": state.active})
    return Form(form.name, replace(form.options, package=path, trust=table.trust))


@contextlib.contextmanager
def noting(notes: Notes, told: dict[str, Any]) -> Iterator[None]:
    """Go on where the disk takes nothing."""
    try:
        yield
    except BadArgument as error:
        notes.append({**told, "state": "not written", "why": str(error)})
