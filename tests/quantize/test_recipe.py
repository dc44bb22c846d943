"""Recipes: what they may say, and one line for what they may not."""

from pathlib import Path

import pytest

from quantize.recipe import recipe_values
from runtime.errors import BadArgument

KEYS = "weight_bits, epochs, batches, learning_rate, seed, calibration_batches, validation_lines"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("weight_bit = 7", f"key weight_bit: not known, allowed {KEYS}"),
        ("resume = true", f"key resume: not known, allowed {KEYS}"),
        ("manifest = 'x'", f"key manifest: not known, allowed {KEYS}"),
        ("[quantization]\nepochs = 1", f"key quantization: not known, allowed {KEYS}"),
        ("weight_bits = 5", "key weight_bits: found 5, allowed 6, 7, 8"),
        ("weight_bits = '7'", 'key weight_bits: found "7", allowed int'),
        ("epochs = 1.5", "key epochs: found 1.5, allowed int at least 0"),
        ("epochs = true", "key epochs: found true, allowed int at least 0"),
        ("epochs = -1", "key epochs: found -1, allowed int at least 0"),
        ("batches = 0", "key batches: found 0, allowed int at least 1"),
        ("learning_rate = 0", "key learning_rate: found 0, allowed finite number above 0"),
        ("learning_rate = nan", "key learning_rate: found NaN, allowed finite number above 0"),
        ("learning_rate = inf", "key learning_rate: found Infinity, allowed finite number above 0"),
        ("seed = -1", "key seed: found -1, allowed int at least 0, below 4294967296"),
        ("calibration_batches = [1]", "key calibration_batches: found [1], allowed int at least 1 or null"),
        ("validation_lines = -1", "key validation_lines: found -1, allowed int at least 0"),
        ("epochs = ", "not TOML: Invalid value (at end of document)"),
    ],
)
def test_a_wrong_recipe_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "int7.toml"
    path.write_text(text)
    with pytest.raises(BadArgument) as caught:
        recipe_values(path)
    assert str(caught.value) == f"quantization recipe {path}: {line}"


def test_a_recipe_gives_what_it_sets_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "int7.toml"
    path.write_text("weight_bits = 7\nlearning_rate = 1")
    assert recipe_values(path) == {"weight_bits": 7, "learning_rate": 1.0}
    with pytest.raises(BadArgument, match=r"quantization recipe .*none.toml: No such file or directory$"):
        recipe_values(tmp_path / "none.toml")


def test_a_name_is_that_of_a_shipped_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert recipe_values(Path("flight")) == {"weight_bits": 7, "epochs": 0}
    with pytest.raises(BadArgument, match=r"^quantization recipe int9: not found, allowed a TOML file or flight$"):
        recipe_values(Path("int9"))
    Path("flight").write_text("seed = 1")  # a file of that name is meant
    assert recipe_values(Path("flight")) == {"seed": 1}
