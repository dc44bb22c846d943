"""The command `linerwkv paper`."""

import hashlib
import json
from pathlib import Path

import click

from export.paper.coded_split import Part, PatchResult, code_patches, read_results, results_folder
from export.paper.cost import Plan, coding_hours, training_plan
from export.paper.memory import encoding_memory
from export.paper.methods import Method, all_methods
from export.paper.page import write_page
from export.paper.printed import recipe_differences, split_differences
from export.paper.record import Record, Training, this_machine
from export.paper.results import curves, rows
from export.paper.trained_run import check_devices, experiment, package_of, record_training, run_folder
from model.commands import set_option
from model.scenes import hyspecnet
from model.scenes.scene import Scene
from model.scenes.scene_list import entries_of, open_entry, spread
from model.training.train import is_first_process, say, stored_checkpoint, train
from model.training.training_config import TrainingConfig
from runtime.codec.compression import atomic_file
from runtime.errors import BadArgument

FILE = click.Path(path_type=Path)
MAX_ERRORS = (0, 1, 2, 5, 10, 20)
TEST = "test"
PLANNED_PATCHES = 4
"""Of which the crops of measured steps are cut."""
PAGE, RESULTS = "paper.html", "results.json"


def max_errors_of(text: str) -> tuple[int, ...]:
    """`0,1,2` as numbers, the lossless 0 always first. Raises BadArgument."""
    try:
        found = sorted({0, *(int(word) for word in text.split(","))})
    except ValueError:
        raise BadArgument(f"--max-errors: found {text}, allowed whole numbers such as 0,1,2") from None
    if found[0] < 0:
        raise BadArgument(f"--max-errors: found {found[0]}, allowed 0 or more")
    return tuple(found)


def part_of(text: str) -> Part:
    """`2/8` as a part. Raises BadArgument."""
    number, _, of = text.partition("/")
    if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise BadArgument(f"--part: found {text}, allowed I/N with I of 1..N")
    return Part(int(number), int(of))


def coded_patches(config: TrainingConfig, n_most: int) -> tuple[list[Scene], int]:
    """The patches to code, at most `n_most` (0: all) spread over the test split, and how many it has."""
    entries = entries_of(config.data, TEST)
    if not entries:
        raise BadArgument(f"{config.data.manifest}: no patch in {config.data.hyspecnet_split}/{TEST}")
    return [open_entry(entry, config.data) for entry in spread(entries, n_most)], len(entries)


def plan_of(config: TrainingConfig) -> Plan:
    """What the training costs here."""
    entries = entries_of(config.data, config.data.train_split)
    few = [open_entry(entry, config.data) for entry in spread(entries, PLANNED_PATCHES)]
    return training_plan(config, few, len(entries))


def training_of(checkpoint: Path) -> tuple[Training, TrainingConfig]:
    """What is known of a checkpoint, and its configuration."""
    stored = stored_checkpoint(checkpoint)
    config = TrainingConfig.from_dict(stored["hyper_parameters"]["config"], f"checkpoint {checkpoint}")
    run = checkpoint.parent / "run.json"
    facts = json.loads(run.read_bytes()) if run.is_file() else {}
    hours = facts["seconds"] / 3600 if "seconds" in facts else None
    sha256 = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    done = int(stored["epoch"]) + 1
    machines = tuple(facts.get("machines", ()))
    return Training(str(checkpoint), sha256, done, config.schedule.epochs, machines, hours), config


def record_of(
    config: TrainingConfig, checkpoint: Path, package: Path, methods: list[Method], patches: list[Scene], n_test: int,
    max_errors: tuple[int, ...], found: list[PatchResult],
) -> Record:  # fmt: skip
    """The whole experiment, all patches of which are coded."""
    training, trained = training_of(checkpoint)
    codings = [coding for result in found for coding in result.codings]
    differences = recipe_differences(trained)
    if training.epochs_done != training.epochs:
        differences.append(f"{training.epochs_done} of the {training.epochs} epochs are done")
    root, difficulty = Path(config.data.manifest), config.data.hyspecnet_split
    n_listed = sum(len(hyspecnet.patches(root, difficulty, split)) for split in hyspecnet.SPLITS)
    differences += split_differences({one.shape for one in codings}, len(patches), n_test, n_listed)
    peaks = {method.name: encoding_memory(package, method, patches[0].path) for method in methods}
    return Record(
        f"{difficulty}/{TEST}", len(patches), n_test, tuple(differences), training,
        tuple(rows(methods, codings, peaks)), tuple(curves(methods, codings, max_errors)), plan_of(config),
        coding_hours(codings, len(patches), n_test), this_machine(),
        tuple(dict.fromkeys(result.place for result in found)),
    )  # fmt: skip


@click.command()
@click.option("--hyspecnet", "root", type=FILE, required=True, help="The root of HySpecNet-11k: patches/ and splits/.")
@click.option("--checkpoint", type=FILE, help="Measure this one; without it, the recipe is trained, or resumed.")
@click.option("--epochs", type=click.IntRange(1), help="In place of the printed 2000; all else keeps its share.")
@click.option("--max-minutes", type=float, help="Stop the training in time; the same command resumes it.")
@click.option(
    "--patches", "n_patches", type=click.IntRange(0), default=0, help="Code so many of the test split; 0: all."
)
@click.option("--max-errors", default=",".join(map(str, MAX_ERRORS)), show_default=True, help="Of the curves.")
@click.option("--part", default="1/1", help="I/N: code the I-th of N parts; the last of all writes the page.")
@click.option("--plan", "only_plan", is_flag=True, help="Measure a step, print what the training costs here, and end.")
@click.option("-o", "--output", type=FILE, help="Folder of runs in place of runs/; the run's name is added.")
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print results.json, too.")
def paper(
    root: Path, checkpoint: Path | None, epochs: int | None, max_minutes: float | None, n_patches: int,
    max_errors: str, part: str, only_plan: bool, output: Path | None, settings: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """The experiment of the paper: train, code the hard test split, write the results as a page.

    Everything is resumable: started again, the command continues the training and codes the patches that are left.
    """
    config = experiment(root, epochs, output, settings)
    errors, own_part = max_errors_of(max_errors), part_of(part)
    if only_plan:
        plan = plan_of(config)
        click.echo(json.dumps(plan.to_dict()) if as_json else "\n".join(plan.lines()))
        return
    folder = run_folder(config)
    if checkpoint is None:
        check_devices(config)
        record_training(config)
        checkpoint = train(config, resume=True, max_minutes=max_minutes)
        if not is_first_process():
            return
        done = stored_checkpoint(checkpoint)["epoch"] + 1
        if done < config.schedule.epochs:
            say(f"{checkpoint}: epoch {done} of {config.schedule.epochs}, stopped; the same command resumes it")
            return
    package = package_of(checkpoint, folder)
    methods = all_methods(package)
    patches, n_test = coded_patches(config, n_patches)
    results = results_folder(folder, methods, errors)
    code_patches(methods, patches, errors, results, own_part, this_machine().place)
    found = read_results(results, patches)
    if n_left := len(patches) - len(found):
        say(
            f"{results}: {n_left} of {len(patches)} patches are left for other parts, the last of which writes the page"
        )
        return
    record = record_of(config, checkpoint, package, methods, patches, n_test, errors, found)
    text = json.dumps(record.to_dict(), indent=1)
    with atomic_file(folder / RESULTS) as file:
        file.write(text.encode() + b"\n")
    write_page(record, folder / PAGE)
    network, ccsds123 = record.row("network").bits_per_sample, record.row("ccsds123").bits_per_sample
    click.echo(text if as_json else f"{folder / PAGE}: network {network:.3f}, CCSDS 123 {ccsds123:.3f} bits per sample")
