"""Table `[data]` of a training configuration: scenes and crops."""

from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta

from model.scenes.scene_variants import check_variant
from runtime.checked_table import AtLeast0, AtLeast1, Text


@dataclass(frozen=True)
class DataConfig:
    """Which scenes, and how crops are cut from them."""

    manifest: Text
    """A JSON list of scenes, a folder of scenes, or the root of HySpecNet-11k (model/scenes/scene_list.py); relative to
    the configuration file."""
    train_split: str = "train"
    validation_split: str = "validation"
    also_train: list[str] = field(default_factory=list)
    """Patterns of names (`enmap_*`) of scenes that train whatever their split is, and so do not validate."""
    without: list[str] = field(default_factory=list)
    """Patterns of names of scenes that do not train, whatever their split is and `also_train` says."""
    validate: list[str] = field(default_factory=list)
    """Patterns of names of the scenes that validate, whatever their split is, even if they train; empty: those of
    `validation_split` that do not train."""
    hyspecnet_split: str = "hard"
    """Which splits of HySpecNet-11k."""
    validation_fraction: Annotated[float, Meta(ge=0, le=1)] = 0.1
    """Share of the groups of a folder that validate."""
    groups: list[list[str]] = field(default_factory=list)
    """Names of scenes that must be in one split, a list for each group."""
    weights: dict[str, Annotated[float, Meta(ge=0)]] = field(default_factory=dict)
    """Pattern of names (`neon_*`) to how much more often those scenes are drawn."""
    cache: str = "runs/scene_cache"
    """Folder for scenes converted from compressed files, relative to the working directory."""
    packages: list[str] = field(default_factory=list)
    """Flight packages, by path or name, that streams among the scenes need beside the shipped ones."""
    check: bool = True
    """Read every scene once before the training and say what is odd."""
    crop_lines: Annotated[int, Meta(ge=2)] = 64
    crop_bands: AtLeast1 = 16
    """Contiguous bands of a crop, as in the paper."""
    crop_columns: AtLeast1 = 24
    """Columns that enter the encoder; the two at each side serve as context only."""
    kept_columns: AtLeast0 = 0
    """Random columns that are kept after the encoder, as the paper suggests; 0 keeps all."""
    batch_size: AtLeast1 = 2
    """Crops of a batch, for each process."""
    final_bands: AtLeast1 = 100
    """Contiguous bands in the schedule's final epochs."""
    final_batch_size: AtLeast1 = 1
    final_kept_columns: AtLeast0 | None = None
    """As `kept_columns`, in the schedule's final epochs; not given: the same."""
    variants: list[str] = field(default_factory=list)
    """Variants of each scene whose inputs are made once and kept on the device (model/batches/flight_bank.py, words in
    model/scenes/scene_variants.py); flight network only. Empty: crops are cut from the files for each batch. With
    variants, a batch's crops are independent, all of one shape, and mirrored only where a variant is."""
    flip_columns: bool = True
    """Mirror half of the crops: a sensor has no preferred side."""
    flip_lines: bool = False
    """Reverse half of the crops in time. Off: noise and drift of a sensor run forwards."""
    gain: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    """Crops are multiplied by a factor of 1 - gain..1 + gain and rounded. Off: it thins or repeats sample values."""
    workers: AtLeast0 = 0
    """Processes that cut crops."""
    validation_scenes: AtLeast0 = 0
    """Scenes that validate at most, taken evenly from all of their split; 0: all."""
    validation_lines: AtLeast0 = 0
    """Lines of each validation scene that are coded; 0: all."""

    def __post_init__(self) -> None:
        """Refuse words that name no variant."""
        for variant in self.variants:
            check_variant(variant)
