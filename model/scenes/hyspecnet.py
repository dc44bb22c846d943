"""The patches of HySpecNet-11k (Fuchs and Demir, arXiv 2306.00385) in the folders in which it is distributed.

    patches/TILE/PATCH/PATCH-SPECTRAL_IMAGE.TIF
    splits/easy/train.csv, val.csv, test.csv and splits/hard/...

A row of a split names a patch's data file relative to patches/; only its folder and the patch's name are used. In the
hard splits all patches of a tile are in one split, in the easy splits they are not.
"""

import csv
from pathlib import Path
from typing import NamedTuple

from runtime.checked_table import read_file
from runtime.errors import BadArgument

IMAGE_SUFFIX = "-SPECTRAL_IMAGE.TIF"
SPLITS = ("train", "val", "test")
DIFFICULTIES = ("easy", "hard")


class Patch(NamedTuple):
    """One row of a split."""

    name: str
    tile: str
    image: Path


def is_hyspecnet(folder: Path) -> bool:
    """Whether the folder has the layout above."""
    return (folder / "patches").is_dir() and (folder / "splits").is_dir()


def split_words(text: str) -> tuple[str, str]:
    """`hard/test` as `hard` and `test`. Raises BadArgument for what is no split."""
    difficulty, _, split = text.partition("/")
    if difficulty not in DIFFICULTIES or split not in SPLITS:
        raise BadArgument(f"HySpecNet-11k: split {text}, allowed {'|'.join(DIFFICULTIES)}/{'|'.join(SPLITS)}")
    return difficulty, split


def split_lists(root: Path, difficulty: str) -> list[bytes]:
    """The files of a difficulty's splits as they are. Raises BadArgument."""
    return [read_file(split_path(root, difficulty, split), "HySpecNet-11k split") for split in SPLITS]


def split_path(root: Path, difficulty: str, split: str) -> Path:
    """Where the list of a split lies."""
    return root / "splits" / difficulty / f"{split}.csv"


def patches(root: Path, difficulty: str, split: str) -> list[Patch]:
    """The patches of one split, in its order. Raises BadArgument for what is not there."""
    split_words(f"{difficulty}/{split}")
    path = split_path(root, difficulty, split)
    try:
        with path.open(newline="") as file:
            rows = [cell.strip() for row in csv.reader(file) for cell in row if cell.strip()]
    except OSError as error:
        raise BadArgument(f"HySpecNet-11k split {path}: {error.strerror}") from error
    found = []
    for number, row in enumerate(rows, start=1):
        folder = (root / "patches" / row).parent
        image = folder / f"{folder.name}{IMAGE_SUFFIX}"
        if not image.is_file():
            raise BadArgument(f"HySpecNet-11k split {path}, entry {number}: {image} not found")
        found.append(Patch(folder.name, folder.parent.name, image))
    return found
