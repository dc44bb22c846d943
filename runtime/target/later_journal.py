"""What `record --compress-later` has done in a folder, so that each stream is done once and packets are counted on."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from runtime.checked_table import AtLeast0, checked_table, json_table, read_file
from runtime.packets.space_packet import COUNTS
from runtime.whole_output import replacing

NAME = "later.json"


@dataclass(frozen=True)
class Done:
    """A stream that is as it will be: by its size and time, which tell it from one that was put in its place."""

    bytes: AtLeast0
    mtime_ns: AtLeast0
    form: str

    @classmethod
    def of(cls, path: Path, form: Mapping[str, Any]) -> "Done":
        """A stream as it lies there. Raises OSError."""
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns, json.dumps(form, sort_keys=True, default=str))


@dataclass(frozen=True)
class Journal:
    """Of one folder."""

    next_count: Annotated[int, Meta(ge=0, lt=COUNTS)] = 0  # Of the packet that comes next
    done: dict[str, Done] = field(default_factory=dict)
    """By the names of streams."""

    def to_folder(self, folder: Path) -> None:
        """Replace the journal of a folder. Raises BadArgument."""
        with replacing(folder / NAME) as part:
            part.write_text(json.dumps(asdict(self), indent=1) + "\n")


def read_journal(folder: Path) -> Journal:
    """The journal of a folder, empty where there is none. Raises BadArgument: it is none."""
    path = folder / NAME
    if not path.is_file():
        return Journal()
    return checked_table(Journal, json_table(read_file(path, str(path)).decode(errors="replace"), str(path)), str(path))
