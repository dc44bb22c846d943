"""Writes the cards in docs/ of the shipped INT8 packages, and their README.md: `python -m benchmarks.model_card`.

Every figure comes from the package, the manifest of the scenes or a committed result. Results of another package are
refused.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.harness.record import RESULTS, SCENES
from benchmarks.rate import means as rate_means
from benchmarks.rate import store as rate_store
from benchmarks.rate.measure import DEFAULT
from hil_tests.findings.provenance import table
from hil_tests.places.place import REPOSITORY
from runtime.cell.flight_package import ALL_SHIPPED, SHIPPED, SHIPPED_LARGE, FlightPackage, open_package
from runtime.errors import BadArgument

CARDS = {SHIPPED: REPOSITORY / "docs" / "model_card.md", SHIPPED_LARGE: REPOSITORY / "docs" / "model_card_large.md"}
USES = {
    SHIPPED: "The INT8 flight package that `linerwkv` uses where no other is named.",
    SHIPPED_LARGE: "An INT8 flight package of twice the operations of `flight`: `--package flight-large`.",
}
CHANGES = {
    SHIPPED: "",
    SHIPPED_LARGE: " --set network.features=96 --set network.spectral_features=32",
}
UNSEEN = {SHIPPED: "unseen", SHIPPED_LARGE: "unseen-large"}
"""Their cross-validation models."""


def result(name: str) -> dict[str, Any]:
    """A committed result."""
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return found


def check_same(package: FlightPackage, name: str, found: str, expected: str) -> None:
    """Raise BadArgument where a result is of something else than the package."""
    if found != expected:
        raise BadArgument(
            f"results/{name}.json is of {found[:12]}..., package {package.source.name} of {expected[:12]}..."
        )


def short_card_of(package: FlightPackage) -> Path:
    """Where the package's own card lies."""
    return package.source / "README.md"


def data_rows(split: str) -> list[dict[str, Any]]:
    """The scenes of a split by sensor and terms."""
    groups = defaultdict(list)
    for entry in json.loads((SCENES / "MANIFEST.json").read_text()):
        if entry["split"] == split:
            groups[entry["sensor"], entry["terms"]].append(entry)
    return [
        {
            "sensor": sensor,
            "scenes": ", ".join(entry["name"] for entry in entries) if len(entries) < 20 else series(entries),
            "Msamples": f"{sum(entry['lines'] * entry['bands'] * entry['columns'] for entry in entries) / 1e6:.1f}",
            "terms, as found": terms,
        }
        for (sensor, terms), entries in groups.items()
    ]


def series(entries: list[dict[str, Any]]) -> str:
    """Many scenes in short."""
    return f"{entries[0]['name']} to {entries[-1]['name']} ({len(entries)})"


def package_rows() -> list[dict[str, Any]]:
    """The shipped packages."""
    rows = []
    for package in map(open_package, ALL_SHIPPED):
        training = package.manifest["training"]
        weights = "".join(f", {name} drawn {weight} times" for name, weight in training["data"]["weights"].items())
        rows.append(
            {
                "package": package.manifest["name"],
                "arithmetic": package.arithmetic,
                "sha256 of manifest.json": package.sha256.hex(),
                "trained on": f"{scenes_of(training['data'])}{weights}",
                "trained by commit": training["commit"][:7],
            }
        )
    return rows


def scenes_of(data: dict[str, Any]) -> str:
    """Which scenes of the manifest."""
    return "all scenes" if data.get("also_train") == ["*"] else f"split `{data['train_split']}`"


def optimiser(schedule: dict[str, Any]) -> str:
    """By its name, with what it has of its own."""
    if schedule.get("optimizer") != "muon":
        return "AdamW"
    return f"Muon at {schedule['matrix_rate']} and weight decay {schedule['weight_decay']} for matrices, else AdamW"


def n_steps(package: FlightPackage) -> int:
    """Of its training."""
    schedule = package.manifest["training"]["schedule"]
    return int(schedule["epochs"] * schedule["batches_per_epoch"])


def unseen_model(package: FlightPackage) -> FlightPackage:
    """Its cross-validation model."""
    return open_package(REPOSITORY / "benchmarks" / "cross_validation" / UNSEEN[package.source])


def recipe(package: FlightPackage) -> str:
    """How the weights came about."""
    training, quantization = package.manifest["training"], package.manifest["quantization"]
    data, schedule, options = training["data"], training["schedule"], quantization["options"]
    tuning = f"{options['epochs']} epochs of fine-tuning in Brevitas" if options["epochs"] else "no fine-tuning"
    crop = f"{data['crop_lines']} lines, {data['crop_bands']} bands, {data['crop_columns']} columns"
    rates = f"{schedule['learning_rate']:g} falling ({schedule.get('decay', 'linear')}) to"
    return (
        f"{n_steps(package)} steps of {data['batch_size']} crops ({crop}), {optimiser(schedule)}, "
        f"learning rate {rates} "
        f"{schedule['final_learning_rate']:g}, loss `{schedule['loss']}`, seed {schedule['seed']}; "
        f"weights of {quantization['weight_bits']} bits after calibration, {tuning}"
    )


def command(package: FlightPackage) -> str:
    """How it is trained and quantized."""
    configuration = f"benchmarks/results/training_{package.manifest['name']}/config.json"
    return f"`linerwkv train flight{CHANGES[package.source]}` on a CPU ({configuration}); quantize/configs/flight.toml"


def facts(package: FlightPackage) -> list[dict[str, Any]]:
    """The table that both cards begin with."""
    manifest = package.manifest
    run = result(f"training_{manifest['name']}/run")
    shape = manifest["architecture"]
    network = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shape.items())
    return [
        {"fact": "package", "value": f"`{manifest['name']}`, sha256 {package.sha256.hex()}"},
        {"fact": "network", "value": f"preset flight: {network}"},
        {
            "fact": "size",
            "value": f"{manifest['n_parameters']:,} parameters, {manifest['macs_per_sample']:,} MAC a sample",
        },
        {"fact": "arithmetic", "value": f"{package.arithmetic} (docs/arithmetic.md): streams decode on any machine"},
        {"fact": "recipe", "value": recipe(package)},
        {
            "fact": "command",
            "value": command(package),
        },
        {"fact": "trained by commit", "value": manifest["training"]["commit"]},
        {"fact": "machine, time", "value": f"{' and '.join(run['machines'])}; {run['seconds'] / 3600:.2f} hours"},
        {"fact": "weights' licence", "value": "Apache-2.0; no scene is part of the package"},
    ]


def result_rows(package: FlightPackage) -> list[dict[str, Any]]:
    """Rates of cross-validation models on unseen scenes, beside those of the shipped package and of the stage alone."""
    results = rate_store.load(RESULTS / "rate.json")
    for key, measurement in results.measurements.items():
        if key.row == f"{package.manifest['name']}-best":
            check_same(package, "rate", measurement["identity"].split(", ")[-1], package.sha256.hex())
    found = rate_means.table(results, DEFAULT)
    shipped = f"{package.manifest['name']}-best"
    names = {"stage alone": "rls-best", "unseen": f"{UNSEEN[package.source]}-best", "shipped, all seen": shipped}
    return [
        {"scene": scene}
        | {name: f"{found[row][scene].rate:.3f}" if scene in found.get(row, {}) else "" for name, row in names.items()}
        for scene in sorted(found["rls-best"])
    ]


def fine_tuning(package: FlightPackage) -> str:
    """What a mission may expect: a cross-validation model that has not seen the sensor, before and after."""
    unseen = UNSEEN[package.source]
    name = f"finetune{unseen.removeprefix('unseen').replace('-', '_')}"
    found, start = result(name), unseen_model(package)
    check_same(start, name, found["package_sha256"], start.sha256.hex())
    return f"From the cross-validation model `{unseen}`, bits per sample:\n\n{table(found['rows'])}"


def fewer_steps(package: FlightPackage) -> str:
    """How many steps the cross-validation model has, where it does not have as many as the package."""
    steps, of_unseen = n_steps(package), n_steps(unseen_model(package))
    return "" if steps == of_unseen else f", but of {of_unseen} steps in place of {steps}"


def rounding_loss(package: FlightPackage) -> str:
    """What INT8 costs."""
    name = f"quantization_{package.manifest['name']}/report"
    found = result(name)
    check_same(package, name, found["checkpoint_sha256"], package.manifest["quantization"]["checkpoint_sha256"])
    return ", ".join(f"{loss:+.4f} ({scene})" for scene, loss in found["loss"].items())


def speed(package: FlightPackage) -> str:
    """How fast, how much memory."""
    found = result("int8_line")
    key = (package.manifest["name"], "best", 1000)
    best = next(row for row in found["rows"] if (row["package"], row["adaptive stage"], row["columns"]) == key)
    memory = f"{found['memory_mib'][package.manifest['name']]['all']:.0f} MiB"
    return (
        f"{best['encoding Msamples/s']} Msamples/s encoding and {best['decoding Msamples/s']} decoding with the stage "
        f"`best`, {memory}, one core of a shared {found['processor']}"
    )


def card(package: FlightPackage) -> str:
    """docs/model_card.md."""
    name = package.manifest["name"]
    rows, fewer = result_rows(package), fewer_steps(package)
    return f"""# Model card: `{name}`

Written by `python -m benchmarks.model_card`; do not edit.

{table(facts(package))}

## Intended use

Lossless and near-lossless compression of pushbroom hyperspectral images of 8 to 16 bits, any number of bands and
columns, as the predictor of `linerwkv compress`, followed by the adaptive stage `best`. Decoding is exact whatever the
data: a scene that the network was not made for costs bits, never samples. It is no model of reflectance, materials or
noise, and nothing else should be read from its predictions. For a mission: docs/finetuning.md.

## Data

Packages that are shipped, and what they were trained on:

{table(package_rows())}

Scenes of split `train`:

{table(data_rows("train"))}

Scenes of split `validation`, which `{name}` was trained on too:

{table(data_rows("validation"))}

## Curve

![Training loss and validation](../benchmarks/results/training_{name}/curve.svg)

Table and configuration: benchmarks/results/training_{name}.

## Results

Bits per sample, lossless, segments of 64 lines, every byte counted (benchmarks/results/rate.md), network and adaptive
stage `best`. The shipped network has seen all of these scenes. What it does on others is shown by a cross-validation
model, `{UNSEEN[package.source]}`, of the same recipe{fewer}, without the scenes of EnMAP, a sensor that it
never saw, and without five AVIRIS scenes, a sensor that it knows.

{table(rows)}

Quantized less float, bits per sample without a stage: {rounding_loss(package)}.

Speed: {speed(package)} (benchmarks/results/int8_line.md).

## After fine-tuning

{fine_tuning(package)}

## Limits

- The train split is mostly of one airborne sensor, with bands removed and pixels resampled upstream; no scene is known
  to be raw detector data, and for none is the line axis known to be the flight direction.
- Recipes were compared on the validation scenes, and the adaptive stage and its coder were tuned on them and a few
  others.
- Most of what is gained over CCSDS 123.0-B-2 on an unknown sensor is the adaptive stage's work.
- No figure comes from flight hardware.
"""


def short_card(package: FlightPackage) -> str:
    """The package's README.md."""
    rows = data_rows("train") + data_rows("validation")
    training = sorted({row["sensor"] for row in rows})
    terms = "\n".join(f"- {row['sensor']}, {row['scenes']}: {row['terms, as found']}" for row in rows)
    return f"""# Model card: `{package.manifest["name"]}`

{USES[package.source]} In full, with results: docs/{CARDS[package.source].name}.

{table(facts(package))}

Trained on scenes of {", ".join(training)}. Terms of the training data, as found:

{terms}
"""


def main() -> None:
    """Write all."""
    for path, written in CARDS.items():
        package = open_package(path)
        for place, text in ((written, card(package)), (short_card_of(package), short_card(package))):
            place.write_text(text)
            print(place.relative_to(REPOSITORY))


if __name__ == "__main__":
    main()
