"""python -m tests.golden.write: write the golden streams and packages that are missing, and never over one.

An encoder may get better, so what this version would write otherwise is named and left as it is. What is not as the
manifest says is named too, left, and makes the exit code 1: take it back from the history.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from hil_tests.places.place import REPOSITORY
from runtime.cell.flight_package import open_package
from runtime.stream.stream_header import VERSION
from tests.golden.case import Case, Packages
from tests.golden.cases import CASES
from tests.golden.manifest import (
    FOLDER,
    GoldenPackage,
    GoldenStream,
    Writer,
    package_path,
    read_manifest,
    stream_path,
    write_manifest,
)
from tests.golden.packages import PACKAGES, Made, loaded, zipped
from tests.golden.restored import check, restored, sha256

REFUSED, WRITTEN, SAME, DIFFERS, NOT_MADE = "refused", "written", "same", "differs", "not made"


def git(*words: str) -> str:
    """What git says of this working tree."""
    done = subprocess.run(["git", *words], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def this_version() -> Writer:
    """What this working tree is. Ends the program where its runtime is in no commit."""
    if changed := git("status", "--porcelain", "runtime"):
        sys.exit(f"golden streams: found {changed.splitlines()[0]}, allowed a runtime/ that is committed")
    commit, runtime = git("log", "-1", "--format=%H", "--", "runtime"), git("rev-parse", "HEAD:runtime")
    return Writer(version("linerwkv"), VERSION, commit, runtime)


def put(path: Path, data: bytes) -> None:
    """Write a new file. Raises FileExistsError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(data)


def fault_of(path: Path, entry: GoldenStream | GoldenPackage | None) -> str | None:
    """How a file is not as the manifest says; None where it is, or where neither of both is there."""
    if path.exists() != (entry is not None):
        return "a file that the manifest does not name" if path.exists() else "named by the manifest and not there"
    if entry is not None and sha256(path.read_bytes()) != entry.sha256:
        return "not the file that the manifest names"
    return None


class Missing:
    """What writes the missing files of a folder, and tells what became of each."""

    def __init__(self, folder: Path, writer: Writer) -> None:
        """Raises BadArgument where the folder's manifest is none."""
        self.folder, self.writer, self.manifest = folder, writer, read_manifest(folder)

    def writer_name(self) -> str:
        """The key of this version among the writers."""
        name = self.writer.runtime[:12]
        self.manifest.writers.setdefault(name, self.writer)
        return name

    def package(self, name: str, made: Made) -> str:
        """What became of a package."""
        path, entry = package_path(self.folder, name), self.manifest.packages.get(name)
        if fault := fault_of(path, entry):
            return f"{REFUSED}: {fault}"
        data = zipped(made.parts())
        if entry is not None:
            return SAME if sha256(data) == entry.sha256 else DIFFERS
        put(path, data)
        identity = open_package(path).sha256.hex()
        self.manifest.packages[name] = GoldenPackage(made.shows, sha256(data), self.writer_name(), identity)
        return WRITTEN

    def packages(self) -> Packages:
        """Those that are as the manifest says."""
        paths = {name: package_path(self.folder, name) for name in self.manifest.packages}
        return {name: loaded(path) for name, path in paths.items() if not fault_of(path, self.manifest.packages[name])}

    def stream(self, name: str, case: Case, packages: Packages) -> str:
        """What became of a stream."""
        path, entry = stream_path(self.folder, name), self.manifest.streams.get(name)
        if fault := fault_of(path, entry):
            return f"{REFUSED}: {fault}"
        if entry is not None:
            return self.compared(case, packages, path.read_bytes())
        source = case.source()
        data = case.make(case, source, packages)
        back = restored(data, packages.values(), is_salvaged=case.is_salvaged)
        check(back, case, source)
        put(path, data)
        self.manifest.streams[name] = GoldenStream(
            case.shows, case.words, sha256(data), self.writer_name(), back.digests(), case.packages, case.is_salvaged
        )
        return WRITTEN

    def compared(self, case: Case, packages: Packages, data: bytes) -> str:
        """Whether this version would write a stream that is there in the same way; it may fail to."""
        try:
            made = case.make(case, case.source(), packages)
        except Exception as error:
            return f"{NOT_MADE}: {error}"
        return SAME if made == data else f"{DIFFERS}: {len(data)} bytes, this version makes {len(made)}"


def write_missing(
    folder: Path, writer: Writer, cases: Mapping[str, Case] = CASES, packages: Mapping[str, Made] = PACKAGES
) -> Iterator[tuple[str, str]]:
    """Write what is missing of a folder; each file and what became of it."""
    missing = Missing(folder, writer)
    before = missing.manifest.to_json()
    try:
        for name, made in packages.items():
            yield f"package {name}", missing.package(name, made)
        opened = missing.packages()
        for name, case in cases.items():
            yield f"stream {name}", missing.stream(name, case, opened)
    finally:
        if missing.manifest.to_json() != before:
            write_manifest(folder, missing.manifest)


def told(found: Iterable[tuple[str, str]]) -> int:
    """Print every file that is not as this version would write it; 1 where one is refused."""
    counts = Counter[str]()
    for name, became in found:
        word = became.partition(":")[0]
        counts[word] += 1
        if word != SAME:
            print(f"{name}: {became}", flush=True)
    print(", ".join(f"{n} {word}" for word, n in sorted(counts.items())))
    return int(REFUSED in counts)


if __name__ == "__main__":
    sys.exit(told(write_missing(FOLDER, this_version())))
