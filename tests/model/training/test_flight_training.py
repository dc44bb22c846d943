"""A run of the flight network by the same loop: the loss falls, and a resumed run is the same run."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from model.training import train as training
from model.training.training_config import TrainingConfig
from runtime.errors import BadArgument
from tests.model.training.test_training import assert_equal_runs, curve


@pytest.fixture
def flight_config(tiny_config: TrainingConfig) -> TrainingConfig:
    schedule = replace(tiny_config.schedule, loss="rate", learning_rate=4e-3)
    return replace(tiny_config, name="flight", network=FlightConfig(group=2, features=4), schedule=schedule)


def test_the_loss_falls_and_the_checkpoint_rebuilds_the_network(flight_config: TrainingConfig) -> None:
    last = training.train(flight_config)
    rows = curve(last)
    # the last epoch has other crops, and twelve steps do not yet beat the taps that a network starts with
    assert float(rows[2]["loss"]) < float(rows[0]["loss"])
    module, config = training.load_checkpoint(last)
    assert config == flight_config and isinstance(module.network, FlightNetwork)


def test_a_run_stopped_and_resumed_equals_one_that_was_not(flight_config: TrainingConfig) -> None:
    whole = training.train(replace(flight_config, name="whole"))
    stopped: Path = training.train(flight_config, max_minutes=0)
    assert len(curve(stopped)) == 1
    assert_equal_runs(training.train(flight_config, resume=True), whole)


@pytest.fixture
def bank_config(flight_config: TrainingConfig) -> TrainingConfig:
    data = replace(flight_config.data, variants=["plain", "later+flipped"], crop_columns=12)
    schedule = replace(flight_config.schedule, loss="staged", decay="cosine", warm_up=2, validate_every=0)
    return replace(flight_config, name="bank", data=data, schedule=schedule)


def test_a_run_from_a_bank_validates_cheaply_each_epoch_and_by_the_coder_at_the_end(
    bank_config: TrainingConfig,
) -> None:
    rows = curve(training.train(bank_config))
    assert [bool(row["bits_per_sample"]) for row in rows] == [False, False, False, True]
    assert float(rows[-1]["validation_rate"]) < float(rows[0]["validation_rate"])
    # what the stage leaves is noise in scenes so smooth: twelve steps do not move it, but it is less than without one
    assert all(0 < float(row["validation_staged"]) < float(row["validation_rate"]) for row in rows)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_run_from_a_bank_stopped_and_resumed_equals_one_that_was_not(
    bank_config: TrainingConfig, optimizer: Literal["adamw", "muon"]
) -> None:
    config = replace(bank_config, schedule=replace(bank_config.schedule, optimizer=optimizer))
    whole = training.train(replace(config, name="whole"))
    training.train(config, max_minutes=0)
    assert_equal_runs(training.train(config, resume=True), whole)


def test_mixed_precision_keeps_the_taps_exact(bank_config: TrainingConfig) -> None:
    config = replace(bank_config, schedule=replace(bank_config.schedule, precision="bf16-mixed"))
    bits = float(curve(training.train(config))[-1]["bits_per_sample"])
    assert bits < 6.2  # 0.8 of them is what surrounds the two segments of so small a scene


def test_a_larger_network_starts_with_what_a_smaller_one_has_learned(flight_config: TrainingConfig) -> None:
    last = training.train(flight_config)
    still = replace(flight_config.schedule, epochs=1, learning_rate=1e-9, final_learning_rate=1e-9)
    larger = replace(flight_config, name="larger", network=FlightConfig(group=2, features=8), schedule=still)
    grown = float(curve(training.train(larger, start=last))[-1]["bits_per_sample"])
    assert grown == pytest.approx(float(curve(last)[-1]["bits_per_sample"]), abs=1e-3)  # rates too small to move it
    other = replace(larger, network=FlightConfig(group=4, features=8))
    with pytest.raises(BadArgument, match="network has group 2, the configuration 4; larger may be features"):
        training.train(other, start=last)


def test_a_run_of_another_optimizer_is_not_resumed(bank_config: TrainingConfig) -> None:
    training.train(bank_config, max_minutes=0)
    other = replace(bank_config, schedule=replace(bank_config.schedule, optimizer="muon"))
    with pytest.raises(BadArgument, match=r"last.ckpt: schedule.optimizer is adamw, not muon: cannot resume$"):
        training.train(other, resume=True)
