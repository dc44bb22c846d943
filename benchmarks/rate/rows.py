"""All rows of the rate benchmark: codecs, and the scenes and maximum errors that each is measured with."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.rate.codecs import Ccsds123Codec, Codec, StreamCodec
from benchmarks.rate.peers import PeerCodec, peer_codecs
from benchmarks.rate.scenes import NEAR_LOSSLESS, folds, matches
from runtime.images.scene_reader import Scene
from runtime.stream.kinds import AdaptiveStage, PredictorKind, Quantisation
from runtime.stream.segment_header import allowed_stages

HERE = Path(__file__).parents[1]
PACKAGES = HERE / "cross_validation.json"
CODERS = ("sample_adaptive", "hybrid", "block_adaptive")
MAX_ERRORS = (0, 1, 2, 5, 10, 20, 50)


@dataclass(frozen=True)
class FloatNetwork:
    """A float checkpoint, its rate counted with the stream's coder (model/evaluation/evaluate.py), not decoded."""

    name: str
    checkpoint: Path

    @property
    def identity(self) -> str:
        """The sha256 of the checkpoint."""
        return hashlib.sha256(self.checkpoint.read_bytes()).hexdigest()

    def measure(self, scene: Scene) -> dict[str, Any]:
        """As `benchmarks.rate.measure.measure`, rates only."""
        from benchmarks.rate.measure import DEFAULT, ONE
        from model.evaluation.networks import coded_size
        from model.training.train import load_checkpoint
        from runtime.codec.coding_options import DEFAULT_SEGMENT_LINES

        network = load_checkpoint(self.checkpoint)[0].network.eval()
        samples = scene.samples.astype("int32")
        lengths = {DEFAULT: DEFAULT_SEGMENT_LINES, ONE: len(samples)}
        rates = {name: coded_size(network, samples, n_lines).bits_per_sample for name, n_lines in lengths.items()}
        return {"samples": samples.size, "rate": {name: round(value, 5) for name, value in rates.items()}}


@dataclass(frozen=True)
class Row:
    """A codec and what it is measured with."""

    codec: Codec | FloatNetwork
    scenes: tuple[str, ...] = ("*",)
    """Patterns."""
    unseen: tuple[str, ...] | None = None
    """Patterns of the scenes that its network was not trained on; none for what was not trained."""
    max_errors: tuple[int, ...] = (0,)

    def is_measured(self, scene: str, max_error: int) -> bool:
        """Whether the table has such a cell."""
        is_near = max_error == 0 or matches(scene, NEAR_LOSSLESS)
        return matches(scene, self.scenes) and max_error in self.max_errors and is_near

    def seen(self, scene: str) -> dict[str, bool]:
        """What a measurement says of the training."""
        return {} if self.unseen is None else {"seen": not matches(scene, self.unseen)}


@dataclass(frozen=True)
class Trained:
    """A flight package and its place in the benchmark."""

    name: str
    folder: Path
    unseen: tuple[str, ...] | None = None
    measured: tuple[str, ...] = field(default=("*",))


def listed_packages() -> list[Trained]:
    """The packages that cross_validation.json lists and that are there."""
    found = []
    for entry in json.loads(PACKAGES.read_text())["packages"]:
        unseen = entry["unseen"]
        unseen = folds()[unseen] if isinstance(unseen, str) else tuple(unseen)
        folder = (HERE / entry["folder"]).resolve()
        if folder.exists():
            found.append(Trained(entry["name"], folder, unseen, tuple(entry.get("measured", unseen))))
    return found


def stream_rows(name: str, predictor: PredictorKind, package: Trained | None = None) -> list[Row]:
    """A row for each adaptive stage; the best one also near-lossless, with both quantisations."""
    folder, measured, unseen = (package.folder, package.measured, package.unseen) if package else (None, ("*",), None)
    rows = []
    for stage in allowed_stages(predictor):
        errors = MAX_ERRORS if stage is AdaptiveStage.BEST else (0,)
        codec = StreamCodec(f"{name}-{stage.name.lower()}", predictor, stage, folder)
        rows.append(Row(codec, measured, unseen, errors))
    codec = StreamCodec(f"{name}-best-prequantised", predictor, AdaptiveStage.BEST, folder, Quantisation.PREQUANTISED)
    return [*rows, Row(codec, measured, unseen, MAX_ERRORS[1:])]


def all_rows(packages: list[Trained], checkpoints: dict[str, Path]) -> list[Row]:
    """Every row, in the order of the table."""
    rows = [Row(FloatNetwork(f"{name}-float", path)) for name, path in checkpoints.items()]
    for package in packages:
        rows += stream_rows(package.name, PredictorKind.LINERWKV, package)
    rows += stream_rows("rls", PredictorKind.RLS)
    rows.append(Row(StreamCodec("dpcm", PredictorKind.DPCM, AdaptiveStage.NONE)))
    for is_tuned in (False, True):
        for coder in CODERS:
            errors = MAX_ERRORS if is_tuned and coder != "block_adaptive" else (0,)
            rows.append(Row(Ccsds123Codec(coder, is_tuned), max_errors=errors))
    near = PeerCodec("jpegls")
    return rows + [Row(codec, max_errors=MAX_ERRORS if codec == near else (0,)) for codec in peer_codecs()]
