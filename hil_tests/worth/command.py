"""`linerwkv hil worth`: is a form worth its joules on this radio."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from hil_tests.findings.findings import Findings
from hil_tests.findings.findings_file import read_findings
from hil_tests.findings.provenance import table
from hil_tests.worth.answer import answer, day_rows, energy_rows, missing
from hil_tests.worth.break_even import worths
from hil_tests.worth.link import Link, load_link
from runtime.command_options import json_option
from runtime.extras import needed_for

FILE = click.Path(path_type=Path)


@click.command("worth")
@click.argument("report", type=FILE)
@click.option("--link", "link_file", type=FILE, required=True, help="The link file, docs/energy.md.")
@click.option("-o", "--output", type=FILE, help="A page with the picture.")
@json_option
def worth_command(report: Path, link_file: Path, output: Path | None, as_json: bool) -> None:
    """Hold the joules of each form of REPORT, a report.json, against what it saves on a radio: one sentence."""
    findings, link = read_findings(report), load_link(link_file)
    found = worths(findings, link)
    sentence, notes = answer(found), missing(found, findings)
    if output is not None:
        with needed_for("the page", "hil"):
            from hil_tests.worth.page import write_page
        write_page(found, sentence, [*notes, f"link: {link.source}"], about(findings, link), output)
    if as_json:
        rows = {"joules_per_msample": energy_rows(found), "day": day_rows(found)}
        click.echo(json.dumps({"answer": sentence, **rows, "missing": notes, "link": asdict(link)}))
        return
    click.echo(worth_text(findings, link), nl=False)


def about(findings: Findings, link: Link) -> str:
    """What was held against what."""
    return (
        f"{findings.board} ({findings.label}), {findings.scene_kind} scene {findings.scene}, {findings.started[:10]}; "
        f"link {link.name}: {link.msamples_per_day:g} Msamples a day, idle power of the board {link.idle}"
    )


def worth_text(findings: Findings, link: Link) -> str:
    """The answer and its tables as Markdown."""
    found = worths(findings, link)
    sentence = answer(found)
    notes = "\n".join(f"- {note}" for note in [*missing(found, findings), f"link: {link.source}"])
    parts = [f"# Worth on a radio: {link.name}", f"{sentence[0].upper()}{sentence[1:]}.", f"{about(findings, link)}."]
    return "\n\n".join([*parts, table(energy_rows(found)), "A day:", table(day_rows(found)), notes]) + "\n"
