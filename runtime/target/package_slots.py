"""Two places on the disk for the packages of a form, and a small file that says which of them runs.

Nothing that runs is overwritten: a new package goes to the other place. Each step is on the disk before the next
begins, and the small file is replaced whole, so that a power cut leaves the state before a step or the one after it.
"""

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from runtime.cell.package_manifest import Sha256
from runtime.cell.package_store import zip_of
from runtime.checked_table import AtLeast0, AtLeast1, checked_table, checked_value, json_table
from runtime.errors import BadArgument
from runtime.stream.crc32c import crc32c
from runtime.whole_output import replacing, sync, writing

Slot = Literal["a", "b"]
STATE = "state.json"
CRC = "crc32c"
KEPT_OF_NAME = 40
LARGEST_STATE_BYTES = 1 << 12


@dataclass(frozen=True)
class PackagesTable:
    """Of the configuration: packages that come while the recorder runs."""

    folder: Path
    trust: Path  # Public keys (docs/formats/package.md); who has none of their private keys puts no package in
    trial_segments: AtLeast1 = 4  # That the old package codes as well; then the new one stays or leaves


@dataclass(frozen=True)
class SlotState:
    """What the small file says."""

    a: Sha256 | None = None  # Of the packages there, as streams name them
    b: Sha256 | None = None
    active: Slot | None = None  # The slot that runs; none: the package of the configuration does
    trial: Slot | None = None
    since: AtLeast0 = 0  # Seconds since 1970: when the trial began, or the last one ended

    def __post_init__(self) -> None:
        """Raise BadArgument where it names a slot without a package, or one slot twice."""
        for key, slot in (("active", self.active), ("trial", self.trial)):
            if slot is not None and self.package(slot) is None:
                raise BadArgument(f"{key}: found {slot}, allowed a slot with a package")
        if self.trial is not None and self.trial == self.active:
            raise BadArgument(f"trial: found {self.trial}, allowed another slot than the active one")

    def package(self, slot: Slot) -> str | None:
        """Of a slot."""
        return self.a if slot == "a" else self.b

    def with_package(self, slot: Slot, package: str) -> "SlotState":
        """The same, with a package in a slot."""
        return replace(self, a=package) if slot == "a" else replace(self, b=package)

    def crc(self) -> int:
        """CRC-32C of what it says."""
        return crc32c(json.dumps(asdict(self), sort_keys=True).encode())


class PackageSlots:
    """Of one form."""

    def __init__(self, folder: Path, form: str) -> None:
        """folder: of all forms. form: its name, any text."""
        kept = re.sub(r"[^A-Za-z0-9_-]", "-", form)[:KEPT_OF_NAME]
        self.folder = folder / f"{kept}-{crc32c(form.encode()):08x}"

    def path(self, slot: Slot) -> Path:
        """Where the package of a slot lies."""
        return self.folder / f"{slot}.zip"

    def slot_of(self, path: Path) -> Slot | None:
        """The slot of a package's place; None: it is of no slot."""
        slots: tuple[Slot, ...] = ("a", "b")
        return next((slot for slot in slots if self.path(slot) == path), None)

    def read(self) -> SlotState:
        """The state; that of no update where there is no file. Raises BadArgument: it is torn, or none of ours."""
        path = self.folder / STATE
        where = f"package slots {path}"
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return SlotState()
        except OSError as error:
            raise BadArgument(f"{where}: {error.strerror or error}") from None
        if len(text) > LARGEST_STATE_BYTES:
            raise BadArgument(f"{where}: {len(text)} bytes, allowed {LARGEST_STATE_BYTES}")
        values = json_table(text.decode(errors="replace"), where)
        crc = checked_value(int, values.pop(CRC, None), where, CRC)
        state = checked_table(SlotState, values, where)
        if crc != state.crc():
            raise BadArgument(f"{where}: key {CRC}: found {crc}, allowed {state.crc()}, which is of its text")
        return state

    def write(self, state: SlotState) -> None:
        """Replace the state; it is on the disk then. Raises BadArgument."""
        text = json.dumps({**asdict(state), CRC: state.crc()}) + "\n"
        self.replace(self.folder / STATE, text.encode())

    def fill(self, slot: Slot, parts: Mapping[str, bytes]) -> None:
        """Put the files of a package into a slot that does not run; they are on the disk then. Raises BadArgument."""
        with writing(self.folder):
            new = [one for one in (self.folder, *self.folder.parents) if not one.exists()]
            self.folder.mkdir(parents=True, exist_ok=True)
            for one in new:
                sync(one.parent)
        self.replace(self.path(slot), zip_of(parts, zipfile.ZIP_STORED))

    def replace(self, path: Path, data: bytes) -> None:
        """Write a file whole, and its name."""
        with writing(path), replacing(path) as part:
            part.write_bytes(data)
        with writing(path):
            sync(self.folder)
