"""Every page of results, and pictures of them, from the JSON files beside them: after a change of how they are made.

python -m benchmarks.pages
"""

import json
from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.bench_features import picture as features_picture
from benchmarks.bench_form_rule import picture as form_rule_picture
from benchmarks.harness.answers import is_answered
from benchmarks.harness.forms_picture import picture as forms_picture
from benchmarks.harness.page import page
from benchmarks.harness.record import RESULTS
from benchmarks.rate import store as rate_store
from benchmarks.rate.pictures import file_speeds, rate_and_error, rate_and_speed
from benchmarks.rate.pictures import save as save_picture
from benchmarks.rate.tables import markdown as rate_page
from hil_tests.accelerators.written_report import markdown as accelerator_page
from hil_tests.findings.findings_file import read_findings
from hil_tests.places.place import REPOSITORY
from hil_tests.worth.command import worth_text
from hil_tests.worth.link import load_link
from quantize.report import markdown as quantization_page

MISSIONS = REPOSITORY / "hil_tests" / "worth" / "missions"


def pages() -> Iterator[tuple[Path, str]]:
    """Each file and its text."""
    for file in sorted(RESULTS.glob("*.json")):
        if is_answered(file.stem):
            yield file.with_suffix(".md"), page(file.stem, json.loads(file.read_text()))
    for file in sorted(RESULTS.glob("accelerator_*.json")):
        yield file.with_suffix(".md"), accelerator_page(json.loads(file.read_text()))
    for file in sorted(RESULTS.glob("quantization_*/report.json")):
        yield file.with_suffix(".md"), quantization_page(json.loads(file.read_text()))
    for file in sorted(RESULTS.glob("hil_*/report.json")):
        for mission in sorted(MISSIONS.glob("*.toml")):
            yield file.with_name(f"worth_{mission.stem}.md"), worth_text(read_findings(file), load_link(mission))
    yield RESULTS / "rate.md", rate_page(rate_store.load(RESULTS / "rate.json"))


def pictures() -> dict[str, Figure]:
    """By file, those that need nothing but results."""
    results = rate_store.load(RESULTS / "rate.json")
    names = ("features", "network_forms", "form_rule")
    features, forms, form_rule = (json.loads((RESULTS / f"{name}.json").read_text()) for name in names)
    return {
        "rate_speed.png": rate_and_speed(results, file_speeds()),
        "rate_near_lossless.png": rate_and_error(results),
        "features.png": features_picture(features["rows"]),
        "form_rule.png": form_rule_picture(form_rule["rows"]),
        "network_forms.png": forms_picture(forms["rows"]),
    }


def main() -> None:
    """Write all of them."""
    for file, text in pages():
        file.write_text(text)
    for name, figure in pictures().items():
        save_picture(figure, RESULTS / name)


if __name__ == "__main__":
    main()
