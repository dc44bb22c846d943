"""A run by a configuration, on the scenes that a command names; the same for all commands that train."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from model.scenes.own_scenes import own_scenes
from model.training.train import say
from model.training.training_config import TrainingConfig
from runtime.errors import BadArgument

SPLIT = "scenes.json"
"""In the run's folder: which lines serve as what, where the scenes did not say."""


def chosen_run(config: TrainingConfig, scenes: Path | None, packages: Sequence[Path]) -> TrainingConfig:
    """The run with `scenes` in place of its own, if given, and what became of them printed. Raises LineRwkvError.

    packages: flight packages that streams among the scenes need, beside those of the configuration.
    """
    data = replace(config.data, packages=[*config.data.packages, *map(str, packages)])
    if scenes is None and not Path(data.manifest).exists():
        raise BadArgument(f"{config.name}: its scenes, {data.manifest}, are not here; allowed others by --scenes")
    if scenes is not None:
        data, said = own_scenes(data, scenes, Path(config.output) / config.name / SPLIT)
        say(said)
    return replace(config, data=data)
