"""The verb `linerwkv hil`: acceptance on a target."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from hil_tests.accelerators.command import accelerator
from hil_tests.accelerators.probe_command import probe
from hil_tests.acceptance.acceptance_run import OUTPUT, PAGE, REPORT, AcceptanceRun
from hil_tests.acceptance.dry_run import PlannedStep, planned_steps
from hil_tests.board.board import load_board
from hil_tests.energy.rehearsal_command import rehearse_command
from hil_tests.findings.findings import Findings, Outcome, Step
from hil_tests.findings.provenance import table
from hil_tests.fly.command import fly_command
from hil_tests.meters.listing import meters_command
from hil_tests.places.prepared_folder import locked
from hil_tests.report.command import report_command
from hil_tests.report.form_table import form_rows
from hil_tests.worth.command import worth_command
from runtime.command_options import EXIT_CHECK_FAILED, json_option, trust_option

FILE = click.Path(path_type=Path)


@click.group()
def hil() -> None:
    """Accept the runtime on a target: this machine, an emulated board, a real one."""


hil.add_command(accelerator)
hil.add_command(fly_command)
hil.add_command(probe)
hil.add_command(meters_command)
hil.add_command(rehearse_command)
hil.add_command(report_command)
hil.add_command(worth_command)


@hil.command()
@click.option("--board", "board_file", type=FILE, required=True, help="The board file, docs/hil.md.")
@click.option("--scene", type=FILE, help="ENVI, GeoTIFF or .npy; default: what the board file says.")
@click.option("--short", is_flag=True, help="Few lines, no soak, no energy.")
@click.option("--output", type=FILE, help="Folder of the run; default: hil_output/BOARD/IDENTITY.")
@click.option("--again", is_flag=True, help="Do finished steps again.")
@trust_option
@click.option("--compare", type=FILE, multiple=True, help="report.json of another run, for the page.")
@click.option("--dry-run", is_flag=True, help="Check the board file and print each step; the target is not touched.")
@json_option
def run(
    board_file: Path,
    scene: Path | None,
    short: bool,
    output: Path | None,
    again: bool,
    trust: Path | None,
    compare: tuple[Path, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Run every step on a target and write report.json and report.html; exit code 1 where a step or limit fails.

    Started again with the same arguments it continues after the last finished step.
    """
    board = load_board(board_file)
    if dry_run:
        show_plan(planned_steps(board, OUTPUT / board.name, is_short=short), as_json=as_json)
        return
    with AcceptanceRun(board, scene=scene, output=output, is_short=short, again=again, trust=trust) as acceptance:
        with locked(acceptance.beside):
            for name in acceptance.steps:
                show_step(acceptance.perform(name), to_stderr=as_json)
            findings = acceptance.finish()
        page = acceptance.write_page(findings, compare)
    report = acceptance.folder / REPORT
    if as_json:
        click.echo(json.dumps({"passed": findings.passed, "report": str(report), **asdict(findings)}))
    else:
        show_findings(findings)
        click.echo(f"report: {report}")
        click.echo(f"page: {page}" if page else f"page: no {PAGE}, it needs linerwkv[hil]")
    if not findings.passed:
        sys.exit(EXIT_CHECK_FAILED)


ENERGY_ALONE = ("bring-up", "deploy", "energy")


@hil.command()
@click.option("--board", "board_file", type=FILE, required=True, help="The board file, docs/energy.md.")
@click.option("--scene", type=FILE, help="ENVI, GeoTIFF or .npy; default: what the board file says.")
@click.option("--output", type=FILE, help="Folder of the run; default: hil_output/BOARD/IDENTITY.")
@click.option("--again", is_flag=True, help="Do finished steps again.")
@trust_option
@json_option
def energy(
    board_file: Path, scene: Path | None, output: Path | None, again: bool, trust: Path | None, as_json: bool
) -> None:
    """Measure joules alone, of each form of the board file: bring-up, deploy, energy. Minutes for each form.

    Exit code 1 where a meter of the board file fails or its limit on joules is not met.
    """
    board = load_board(board_file)
    with AcceptanceRun(
        board, scene=scene, output=output, again=again, trust=trust, only=ENERGY_ALONE
    ) as acceptance:  # fmt: skip
        with locked(acceptance.beside):
            for name in acceptance.steps:
                show_step(acceptance.perform(name), to_stderr=as_json)
            findings = acceptance.finish()
        acceptance.write_page(findings, ())
    report = acceptance.folder / REPORT
    if as_json:
        rows = [asdict(form) for form in findings.forms]
        click.echo(json.dumps({"passed": findings.passed, "report": str(report), "forms": rows}))
    else:
        click.echo(table(form_rows(findings.forms)) if findings.forms else "no form was coded")
        for note in findings.notes:
            click.echo(f"note: {note}")
        click.echo(f"report: {report}")
    if not findings.passed:
        sys.exit(EXIT_CHECK_FAILED)


def show_plan(steps: list[PlannedStep], *, as_json: bool) -> None:
    """Each step with what it needs and what it would measure."""
    if as_json:
        click.echo(json.dumps([asdict(step) for step in steps]))
        return
    for step in steps:
        click.echo(step.name)
        for need in step.needs:
            click.echo(f"    needs     {need}")
        for measure in step.measures:
            click.echo(f"    {'held      ' if step.name == 'limits' else 'measures  '}{measure}")


def show_step(step: Step, *, to_stderr: bool) -> None:
    """One line for a step, with the seconds since the start."""
    click.echo(f"{step.began_s:8.1f} s  {step.name:12} {step.outcome:12} {step.detail}", err=to_stderr)


def show_findings(findings: Findings) -> None:
    """Limits and notes."""
    for limit in findings.limits:
        found = "not measured" if limit.found is None else f"{limit.found:.4g}"
        sign = "<=" if limit.is_ceiling else ">="
        click.echo(f"limit {limit.name:24} {found:>12} {sign} {limit.allowed:g} {limit.unit:12} {limit.outcome}")
    for note in findings.notes:
        click.echo(f"note: {note}")
    outcome = Outcome.PASSED if findings.passed else Outcome.FAILED
    click.echo(f"{findings.board} ({findings.label}), {findings.scene_kind} scene {findings.scene}: {outcome}")
