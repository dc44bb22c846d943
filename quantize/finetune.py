"""Quantization-aware fine-tuning: the training loop of model/ around the Brevitas network."""

from dataclasses import replace
from pathlib import Path

from lightning.pytorch.callbacks import Callback
from torch import Tensor

from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from model.scenes.scene import Scene
from model.training.lightning_module import LineRwkvTraining
from model.training.time_limit import TimeLimit
from model.training.train import fit, stored_checkpoint
from model.training.training_config import TrainingConfig
from quantize.flight_layers import QuantizedMemory, quantized_network
from runtime.errors import BadArgument

RUN = "qat"


class QuantizedTraining(LineRwkvTraining):
    """The Brevitas network with the loss, optimiser and schedule of the float one. The memories' rates stay."""

    def __init__(self, config: TrainingConfig, weight_bits: int, source: str) -> None:
        super().__init__(config, [])
        self.save_hyperparameters({"weight_bits": weight_bits, "source": source})
        assert isinstance(config.network, FlightConfig)
        self.network = quantized_network(config.network, weight_bits)
        for module in self.network.modules():
            if isinstance(module, QuantizedMemory):
                module.rate.requires_grad_(False)


def finetuning_config(
    config: TrainingConfig, output: Path, *, epochs: int, batches: int, learning_rate: float, seed: int
) -> TrainingConfig:
    """The float run's configuration with the fine-tuning's schedule, on the CPU in float32, without validation."""
    schedule = replace(
        config.schedule,
        epochs=epochs,
        batches_per_epoch=batches,
        final_epochs=0,
        learning_rate=learning_rate,
        final_learning_rate=learning_rate / 50,
        seed=seed,
        validate_every=epochs + 1,
        patience=0,
        precision="32-true",  # what carries the integers
        accelerator="cpu",
        devices=1,
        nodes=1,
    )
    return replace(config, name=RUN, output=str(output), schedule=schedule)


def finetune(
    config: TrainingConfig,
    weights: dict[str, Tensor],
    weight_bits: int,
    training: list[Scene],
    *,
    source: str,
    resume: bool,
    max_minutes: float | None,
) -> FlightNetwork:
    """The fine-tuned Brevitas network that begins with `weights`, exponents included; in evaluation mode.

    Writes the run's folder as `train` does. `source` names what the weights come from; a run that began otherwise is
    not resumed. Raises BadArgument.
    """
    limits: list[Callback] = [TimeLimit(60 * max_minutes)] if max_minutes is not None else []
    last = Path(config.output) / config.name / "last.ckpt"
    module = QuantizedTraining(config, weight_bits, source)
    if resume and last.is_file():
        saved = stored_checkpoint(last)["hyper_parameters"]
        for name in ("weight_bits", "source"):
            if saved.get(name) != module.hparams[name]:
                raise BadArgument(f"{last}: {name} is {saved.get(name)!r}, not {module.hparams[name]!r}: cannot resume")
    module.network.load_state_dict(weights)
    fit(config, module, training, limits, resume=resume)
    network = module.network
    assert isinstance(network, FlightNetwork)
    return network.eval()


def load_quantized(path: Path) -> QuantizedTraining:
    """The Brevitas network of a checkpoint of `finetune`. Raises BadArgument."""
    stored = stored_checkpoint(path)
    values = stored["hyper_parameters"]
    if "weight_bits" not in values:
        raise BadArgument(f"checkpoint {path} is not of a fine-tuning")
    config = TrainingConfig.from_dict(values["config"], f"checkpoint {path}")
    module = QuantizedTraining(config, values["weight_bits"], values["source"])
    try:
        module.load_state_dict(stored["state_dict"])
    except RuntimeError as error:
        raise BadArgument(f"checkpoint {path}: its weights are not those of a quantized network") from error
    return module
