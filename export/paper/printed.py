"""What the paper prints (Valsesia, Bianchi, Magli, IGARSS 2024, section 4), and how a run differs from it."""

from pathlib import Path

from model.training.training_config import TrainingConfig, load_training_config

RECIPE = Path("paper_hyspecnet")
"""Of model/configs."""
TITLE = "Hybrid Recurrent-Attentive Neural Network for Onboard Predictive Hyperspectral Image Compression"
LOSSLESS = {"network": 5.593, "ccsds123": 5.801}
"""Bits per sample, the mean of the hard test split."""
LABELS = {
    "network": "the paper's network", "ccsds123": "CCSDS 123", "flight": "flight", "flight-large": "flight-large",
    "rls": "rls",
}  # fmt: skip
PARAMETERS = 110_000
FLOPS = 120_000
"""A sample; the paper's word, of what is counted here as multiply-accumulates."""
ENCODING = 1.86
"""Msamples/s of its network on a desktop GPU in float32."""
PEAK_MB = 1200
N_PATCHES = 11_483
"""Of HySpecNet-11k, all splits together."""
PATCH_SHAPE = (128, 202, 128)
"""(Y, Z, X) without the invalid bands."""

SCHEDULE_KEYS = ("epochs", "final_epochs", "learning_rate", "final_learning_rate", "decay", "loss")
DATA_KEYS = ("hyspecnet_split", "crop_lines", "crop_columns", "crop_bands", "final_bands")


def recipe_differences(config: TrainingConfig) -> list[str]:
    """What of a run's configuration is not as printed, each in words."""
    wanted = load_training_config(RECIPE)
    found = []
    for table, keys in (("schedule", SCHEDULE_KEYS), ("data", DATA_KEYS)):
        here, there = getattr(config, table), getattr(wanted, table)
        found += [
            f"{table}.{key} is {getattr(here, key)}, printed {getattr(there, key)}"
            for key in keys
            if getattr(here, key) != getattr(there, key)
        ]
    if config.network != wanted.network:
        found.append("the network is not that of the preset paper")
    devices = config.schedule.devices * config.schedule.nodes
    if devices != wanted.schedule.devices:
        found.append(f"{devices} processes trained, printed {wanted.schedule.devices}")
    return found


def split_differences(shapes: set[tuple[int, int, int]], n_coded: int, n_test: int, n_listed: int) -> list[str]:
    """What is not the printed test set: shapes (Y, Z, X) of the coded patches, how many of how many, listed in all."""
    found = []
    if n_coded != n_test:
        found.append(f"{n_coded} of the {n_test} patches of the test split are coded")
    if n_listed != N_PATCHES:
        found.append(f"the splits list {n_listed} patches, HySpecNet-11k has {N_PATCHES:,}")
    found += [
        f"patches of {lines} lines, {bands} bands, {columns} columns, printed 128, 202 valid, 128"
        for lines, bands, columns in sorted(shapes - {PATCH_SHAPE})
    ]
    return found
