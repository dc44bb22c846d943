"""Links between documents lead somewhere, and every document can be reached from README."""

import re
import subprocess
from pathlib import Path

from hil_tests.places.place import REPOSITORY

README = REPOSITORY / "README.md"
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
TRACKED = subprocess.run(
    ["git", "-C", str(REPOSITORY), "ls-files", "*.md"], capture_output=True, text=True, check=True
).stdout.splitlines()
DOCUMENTS = sorted(REPOSITORY / name for name in TRACKED)


def links(document: Path) -> list[Path]:
    """What a document names in this repository."""
    found = LINK.findall(document.read_text())
    return [(document.parent / target).resolve() for target in found if "://" not in target]


def test_links_lead_to_files() -> None:
    dead = [f"{document.name}: {target}" for document in DOCUMENTS for target in links(document) if not target.exists()]
    assert not dead


def test_every_document_is_reached_from_readme() -> None:
    reached, left = {README}, [README]
    while left:
        place = left.pop()
        named = sorted(place.glob("*.md")) if place.is_dir() else links(place)
        new = {one for one in named if one.suffix == ".md" or one.is_dir()} - reached
        reached |= new
        left += new
    wanted = [one for one in DOCUMENTS if one.parent == REPOSITORY or REPOSITORY / "docs" in one.parents]
    assert not [str(one.relative_to(REPOSITORY)) for one in wanted if one not in reached]
