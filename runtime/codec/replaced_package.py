"""Another package in a form's place: the forms as they are after it, and the encoders that compare the two."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from runtime.cell.flight_package import IntegerPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.forms_encoder import Form, LoadedForms, form_encoder
from runtime.codec.network_choice import NetworkUse
from runtime.codec.segment_encoder import SegmentEncoder
from runtime.codec.warm_up import warm_up
from runtime.errors import ExecutorFailed
from runtime.executors.array_executor import ArrayExecutor
from runtime.stream.image_description import ImageDescription


class Replacement(NamedTuple):
    """All forms in three ways: on trial the network of the new package is used whatever `network` says."""

    before: LoadedForms
    on_trial: LoadedForms
    after: LoadedForms
    old: dict[int, SegmentEncoder]
    """By maximum error: the form by the package before, always with its network. It shares that package's executor."""


def replaced_package(
    image: ImageDescription, loaded: LoadedForms, form: int, max_errors: Sequence[int], options: CodingOptions,
    package: IntegerPackage, executor: ArrayExecutor,
) -> Replacement:  # fmt: skip
    """Make and warm what codes a form, one with a network, by another package; what runs now is not touched.

    options: the form's, which name the new package. Raises BadArgument where they do not go with it, ExecutorFailed
    where its executor fails.
    """
    row = free_row(loaded, form)
    made: dict[int, SegmentEncoder] = {}
    always: dict[int, SegmentEncoder] = {}
    for max_error in max_errors:
        for encoders, words in ((made, options), (always, with_network(options))):
            # without threads: those are for lines that come meanwhile
            warmed = form_encoder(image, words, max_error, package, executor, row)
            warm_up(warmed)
            if warmed.faults:
                raise ExecutorFailed(warmed.faults[0].text)
            encoders[max_error] = form_encoder(image, words, max_error, package, executor, row, loaded.threads)
    old = {max_error: running_form(image, loaded, form, max_error) for max_error in max_errors}
    after = with_package(loaded, form, options, package, executor, made)
    return Replacement(loaded, with_package(loaded, form, options, package, executor, always), after, old)


def with_network(options: CodingOptions) -> CodingOptions:
    """The same, with the network in every segment."""
    return replace(options, network=NetworkUse.ALWAYS)


def running_form(image: ImageDescription, loaded: LoadedForms, form: int, max_error: int) -> SegmentEncoder:
    """A form by the package that runs, always with its network."""
    row, options = loaded.rows[form], with_network(loaded.forms[form].options)
    return form_encoder(image, options, max_error, loaded.packages[row], loaded.executors[form], row, loaded.threads)


def free_row(loaded: LoadedForms, form: int) -> int:
    """Row of the table for a form's new package: its own, or one more where another form uses that."""
    row = loaded.rows[form]
    return row if loaded.rows.count(row) == 1 else len(loaded.packages)


def with_package(
    loaded: LoadedForms, form: int, options: CodingOptions, package: IntegerPackage, executor: ArrayExecutor,
    encoders: Mapping[int, SegmentEncoder],
) -> LoadedForms:  # fmt: skip
    """The forms with another package and its encoders, by maximum error, in a form's place."""
    row = free_row(loaded, form)
    packages = (*loaded.packages[:row], package, *loaded.packages[row + 1 :])
    forms, executors, rows = list(loaded.forms), list(loaded.executors), list(loaded.rows)
    forms[form], executors[form], rows[form] = Form(loaded.forms[form].name, options), executor, row
    placed = {(form, max_error): encoder for max_error, encoder in encoders.items()}
    return LoadedForms(tuple(forms), packages, loaded.encoders | placed, tuple(executors), tuple(rows), loaded.threads)
