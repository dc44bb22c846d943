"""The model card is of the shipped package, and is what its script writes."""

import hashlib
from pathlib import Path

import pytest

from benchmarks import model_card
from runtime.cell.flight_package import SHIPPED, open_package
from runtime.errors import BadArgument


def test_both_cards_name_the_shipped_package() -> None:
    identity = hashlib.sha256((SHIPPED / "manifest.json").read_bytes()).hexdigest()
    for path in (model_card.CARD, model_card.SHORT_CARD):
        assert f"sha256 {identity}" in path.read_text()


def test_both_cards_are_what_the_script_writes(scenes: Path) -> None:
    package = open_package(SHIPPED)
    assert model_card.CARD.read_text() == model_card.card(package)
    assert model_card.SHORT_CARD.read_text() == model_card.short_card(package)


def test_results_of_another_package_are_refused() -> None:
    with pytest.raises(BadArgument, match=r"results/rate\.json is of abc\.\.\., package flight of def"):
        model_card.check_same(open_package(SHIPPED), "rate", "abc", "def")
