"""The model card is of the shipped package, and is what its script writes."""

import hashlib
from pathlib import Path

import pytest

from benchmarks import model_card
from runtime.cell.flight_package import SHIPPED, open_package
from runtime.errors import BadArgument


@pytest.mark.parametrize("path", model_card.CARDS)
def test_both_cards_name_the_package(path: Path) -> None:
    identity = hashlib.sha256((path / "manifest.json").read_bytes()).hexdigest()
    for card in (model_card.CARDS[path], model_card.short_card_of(open_package(path))):
        assert f"sha256 {identity}" in card.read_text()


@pytest.mark.parametrize("path", model_card.CARDS)
def test_both_cards_are_what_the_script_writes(path: Path, scenes: Path) -> None:
    package = open_package(path)
    assert model_card.CARDS[path].read_text() == model_card.card(package)
    assert model_card.short_card_of(package).read_text() == model_card.short_card(package)


def test_results_of_another_package_are_refused() -> None:
    with pytest.raises(BadArgument, match=r"results/rate\.json is of abc\.\.\., package flight of def"):
        model_card.check_same(open_package(SHIPPED), "rate", "abc", "def")
