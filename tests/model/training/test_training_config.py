"""Training configurations: one line for what they may not say, with the file and the key."""

from pathlib import Path
from typing import Any

import pytest

from model.training.training_config import TrainingConfig, load_cross_validation, load_training_config
from runtime.checked_table import toml_table
from runtime.errors import BadArgument

CONFIG = """
[network]
preset = "flight"
[data]
manifest = "scenes.json"
[schedule]
epochs = 2
batches_per_epoch = 3
"""
STEPS = "plain, later, flipped, bands/2, transposed, noisy, joined by +"


def written(folder: Path, text: str = CONFIG, name: str = "a.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("network.features=3", "key network.features: found 3, allowed int at least 4, at most 128"),
        ("network.features=abc", 'key network.features: found "abc", allowed int at least 4, at most 128'),
        ("network.preset=fligt", 'key network.preset: found "fligt", allowed "flight", "paper", "small"'),
        ("network=3", "key network: found 3, allowed table"),
        ("data=3", "key data: found 3, allowed table"),
        ("data={}", "key data.manifest: found nothing, allowed text of length at least 1"),
        ("data.manifest=3", "key data.manifest: found 3, allowed text of length at least 1"),
        ('data.check="false"', 'key data.check: found "false", allowed true or false'),
        ("data.also_train=*", 'key data.also_train: found "*", allowed list of text'),
        ("data.without=[1]", "key data.without[0]: found 1, allowed text"),
        ('data.groups=["a"]', 'key data.groups[0]: found "a", allowed list of text'),
        ("data.weights={a='1'}", 'key data.weights.a: found "1", allowed finite number at least 0'),
        ("data.weights={a=nan}", "key data.weights.a: found NaN, allowed finite number at least 0"),
        ("data.crop_lines=1", "key data.crop_lines: found 1, allowed int at least 2"),
        ("data.crop_bands=2.0", "key data.crop_bands: found 2.0, allowed int at least 1"),
        ("data.gain=1", "key data.gain: found 1, allowed finite number at least 0, below 1"),
        ('data.variants=["sooner"]', f'key data.variants: found "sooner", allowed {STEPS}'),
        ("schedule.epochs=true", "key schedule.epochs: found true, allowed int at least 1"),
        ("schedule.epochs=0", "key schedule.epochs: found 0, allowed int at least 1"),
        ("schedule.final_epochs=3", "key schedule.final_epochs: found 3, allowed int at most epochs, 2"),
        ("schedule.learning_rate=0", "key schedule.learning_rate: found 0, allowed finite number above 0"),
        ("schedule.learning_rate=inf", "key schedule.learning_rate: found Infinity, allowed finite number above 0"),
        ("schedule.loss=l2", 'key schedule.loss: found "l2", allowed "l1", "rate", "staged"'),
        ("schedule.accelerator=npu", 'key schedule.accelerator: found "npu", allowed "auto", "cpu", "cuda", "gpu"'),
        ("schedule.seed=2024-01-01", 'key schedule.seed: found "2024-01-01", allowed int at least 0, below 4294967296'),
        ("output=[]", "key output: found [], allowed text"),
        ("name=''", 'key name: found "", allowed text of length at least 1'),
        ("nmae=x", "key nmae: not known, allowed name, network, data, schedule, output"),
    ],
)
def test_a_wrong_value_is_one_line_with_file_and_key(tmp_path: Path, setting: str, line: str) -> None:
    path = written(tmp_path)
    with pytest.raises(BadArgument) as caught:
        load_training_config(path, settings=[setting])
    assert str(caught.value) == f"training configuration {path}, --set {setting}: {line}"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("[network]", "[network"), "not TOML: Expected ']' at the end of a table declaration (at line 2, column 9)"),
        (('[network]\npreset = "flight"', "network = 1"), "key network: found 1, allowed table"),
        (("epochs = 2", ""), "key schedule.epochs: found nothing, allowed int at least 1"),
        (("epochs = 2", "epochs = '2'"), 'key schedule.epochs: found "2", allowed int at least 1'),
        (('"flight"', '"small"\n[data]\nvariants = ["plain"]'), "not TOML: Cannot declare ('data',) twice"),
        (
            ('"flight"\n[data]', '"small"\n[data]\nvariants = ["plain"]'),
            'key data.variants: found ["plain"], allowed with network.preset "flight" alone',
        ),
        (
            ('"flight"\n[data]', '"small"\n[schedule]\nloss = "staged"\nepochs = 1\nbatches_per_epoch = 1\n[data]'),
            "not TOML: Cannot declare ('schedule',) twice",
        ),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, change: tuple[str, str], line: str) -> None:
    path = written(tmp_path, CONFIG.replace(*change))
    with pytest.raises(BadArgument) as caught:
        load_training_config(path)
    assert str(caught.value).startswith(f"training configuration {path}: {line}")
    assert "\n" not in str(caught.value)


def test_a_wrong_table_of_a_cross_validation_is_named(tmp_path: Path) -> None:
    path = written(tmp_path)
    where = f"training configuration {path}, cross-validation b"
    for text, line in [
        ("[b.schedule]\nepochs = 0", f"{where}: key schedule.epochs: found 0, allowed"),
        ("[b]\ndata = 1", f"{where}: key data: found 1, allowed table"),
        ("b = 1", f"cross-validation {tmp_path / 'models.toml'}: key b: found 1, allowed table"),
    ]:
        tables = written(tmp_path, text, "models.toml")
        with pytest.raises(BadArgument) as caught:
            load_cross_validation(path, tables)
        assert str(caught.value).startswith(line)


def test_what_a_run_stores_reads_back(tmp_path: Path) -> None:
    config = load_training_config(written(tmp_path), settings=["data.weights={a=2}", "data.variants=['later+flipped']"])
    assert TrainingConfig.from_dict(config.to_dict()) == config
    stored: dict[str, Any] = toml_table(CONFIG.encode(), "a.toml")
    stored["schedule"] = [1]
    with pytest.raises(BadArgument, match=r"^checkpoint last.ckpt: key schedule: found \[1\], allowed table$"):
        TrainingConfig.from_dict({"name": "a", **stored}, "checkpoint last.ckpt")
