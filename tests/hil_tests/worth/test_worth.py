"""Joules on board against joules on the radio, by values that were calculated by hand."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from hil_tests.findings.findings import Findings, FormCost
from hil_tests.findings.findings_file import write_findings
from hil_tests.places.place import REPOSITORY
from hil_tests.worth.answer import answer, day_rows, missing, shown
from hil_tests.worth.break_even import Form, Uncertain, Worth, references, worths
from hil_tests.worth.command import worth_command
from hil_tests.worth.link import Link, load_link
from runtime.errors import BadArgument

LINK = Link(
    name="by hand", source="made up", power_w=10.0, rate_mbit_per_s=40.0, efficiency=0.5, contact_minutes_per_day=10.0,
    msamples_per_day=1000.0, raw_bits=12, power_uncertainty_w=1.0, efficiency_uncertainty=0.0375,
)  # fmt: skip
"""10 W / 20 Mbit/s: 0.5 J/Msample for each bit of a sample, within sqrt(0.1**2 + 0.075**2) = 12.5 %."""


def cost(form: str, bits: float, joules: float | None, half: float = 0.1, rate: float = 10.0) -> FormCost:
    return FormCost(
        form, "", "measured", bits, rate, 1 / rate, 1.0, 2.0, meter="m r", joules_label="measured",
        joules_per_msample=joules, uncertainty=half,
        joules_per_msample_above_idle=None if joules is None else joules / 2, uncertainty_above_idle=half / 2,
    )  # fmt: skip


def report(*forms: FormCost) -> Findings:
    return Findings(
        "desk", "measured", "2026-11-30T00:00:00+00:00", "0", {}, "flight", "0" * 64, "scene", "real", (1, 1, 1),
        forms=list(forms),
    )  # fmt: skip


NETWORK, RLS, CCSDS = cost("network best", 3.6, 4.0), cost("rls fast", 4.0, 0.9), cost("ccsds123", 4.2, 0.5)


def test_sums_are_those_by_hand() -> None:
    raw, network, rls, ccsds = worths(report(NETWORK, RLS, CCSDS), LINK)
    assert LINK.joules_per_bit_of_sample == pytest.approx(0.5)
    assert LINK.relative_uncertainty == pytest.approx(0.125)
    assert [raw.radio.value, raw.radio.half] == pytest.approx([6.0, 0.75])
    assert [one.total for one in (raw, network, rls, ccsds)] == pytest.approx([6.0, 5.8, 2.9, 2.6])
    net = network.net(rls)
    assert net is not None
    assert net.value == pytest.approx(3.1 - 0.2)
    assert net.half == pytest.approx(math.sqrt(0.1**2 + 0.1**2 + (0.2 * 0.125) ** 2))
    saved = rls.net(raw)
    assert saved is not None
    assert saved.value == pytest.approx(0.9 - 4.0)
    assert saved.half == pytest.approx(math.hypot(0.1, 4.0 * 0.125))


def test_a_day_is_the_one_by_hand() -> None:
    _, network, *_ = day_rows(worths(report(NETWORK, RLS, CCSDS), LINK))
    assert network["contact, s"] == pytest.approx(1000 * 3.6 / 20)
    assert network["contact saved, s"] == pytest.approx(1000 * (12 - 3.6) / 20)
    assert network["GB"] == pytest.approx(0.45)
    assert network["GB saved"] == pytest.approx(1.05)
    assert network["coding, h"] == pytest.approx(100 / 3600)
    assert network["fits"] == "yes"
    assert network["net, kJ"] == "-0.20 ± 0.53"


def test_the_answer_is_one_sentence() -> None:
    found = worths(report(NETWORK, RLS), LINK)
    assert answer(found) == "fly rls fast: network best costs 3.1 J/Msample more and saves 0.2 on the radio"
    cheap = worths(report(replace(NETWORK, joules_per_msample=0.95), RLS), LINK)
    assert answer(cheap) == "fly network best: rls fast saves 0.05 J/Msample on board and costs 0.2 more on the radio"
    equal = worths(report(replace(NETWORK, joules_per_msample=1.15), RLS), LINK)
    assert answer(equal).endswith("which is within the uncertainty of 0.14")
    pretended = worths(report(replace(NETWORK, joules_label="simulated"), RLS), LINK)
    assert answer(pretended).startswith("simulated: fly rls fast: ")
    dear = worths(report(replace(NETWORK, joules_per_msample=40.0)), LINK)
    assert answer(dear) == "fly raw: network best costs 40 J/Msample more and saves 4.2 on the radio"


def test_a_form_that_does_not_fit_is_not_flown_and_the_sentence_says_so() -> None:
    slow = worths(report(replace(NETWORK, msamples_per_s=0.01), RLS), LINK)
    assert not slow[1].fits
    late = worths(report(NETWORK, replace(RLS, msamples_per_s=0.01)), LINK)
    assert answer(late).startswith("fly network best: ")
    assert answer(late).endswith("; rls fast needs fewer joules, but the day is too short to code it")
    short = replace(LINK, contact_minutes_per_day=190 / 60)
    assert "rls fast needs fewer joules, but the contact is too short for it" in answer(
        worths(report(NETWORK, RLS), short)
    )
    none = replace(LINK, contact_minutes_per_day=1.0)
    assert answer(worths(report(NETWORK, RLS), none)).endswith("; no form fits into the contact and the day")


def test_without_joules_it_says_what_is_missing_and_what_a_form_may_cost() -> None:
    findings = report(replace(NETWORK, joules_per_msample=None))
    found = worths(findings, LINK)
    assert answer(found) == (
        "no answer, joules are not measured; worth it below these J/Msample on board: network best 4.2"
    )
    assert missing(found, findings) == [
        "network best: joules are not measured, so it is in no sum",
        "ccsds123: not in the report; name it in [[forms]] of the board file",
        "rls: not in the report; name it in [[forms]] of the board file",
    ]
    assert answer(worths(report(), LINK)) == "no answer: the report has no form that was encoded"


def test_idle_above_takes_the_other_figure() -> None:
    found = worths(report(NETWORK), replace(LINK, idle="above"))
    assert found[1].form.board == Uncertain(2.0, 0.05)


def test_the_reference_of_rls_is_the_one_with_the_fewest_bits() -> None:
    found = worths(report(RLS, cost("rls best", 3.7, 2.0)), LINK)
    chosen = references(found)["rls"]
    assert chosen is not None
    assert chosen.form.name == "rls best"


@given(st.floats(0, 1e3), st.floats(0, 1e3), st.floats(1, 16), st.floats(1, 16))
def test_nets_are_opposite_and_a_form_is_worth_nothing_against_itself(
    one: float, other: float, bits: float, others_bits: float
) -> None:
    first, second = (Worth(Form("x", b, Uncertain(j, 0.1), 1.0), LINK) for j, b in ((one, bits), (other, others_bits)))
    there, back, same = first.net(second), second.net(first), first.net(first)
    assert there is not None and back is not None and same is not None
    assert there.value == pytest.approx(-back.value, abs=1e-9)
    assert there.half == pytest.approx(back.half)
    assert same == Uncertain(0.0)


def test_figures_have_the_digits_that_their_uncertainty_leaves() -> None:
    assert shown(Uncertain(3.14159, 0.012)) == "3.142 ± 0.012"
    assert shown(Uncertain(-1234.5, 80.0)) == "-1234 ± 80"
    assert shown(Uncertain(0.0)) == "0"
    assert shown(None) == "not measured"


@pytest.mark.parametrize("path", sorted((REPOSITORY / "hil_tests/worth/missions").glob("*.toml")), ids=lambda p: p.stem)
def test_each_mission_has_an_answer_and_a_page(path: Path, tmp_path: Path) -> None:
    assert "assumed" in load_link(path).source
    write_findings(report(NETWORK, RLS, CCSDS), tmp_path / "report.json")
    arguments = [str(tmp_path / "report.json"), "--link", str(path), "-o", str(tmp_path / "worth.html")]
    done = CliRunner().invoke(worth_command, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["answer"].startswith("fly ")
    assert said["missing"] == []
    page = (tmp_path / "worth.html").read_text()
    assert "<svg" in page
    assert "<script" not in page
    assert said["answer"].split(":")[0] in page


def test_the_emulated_board_has_no_joules_and_the_page_says_so(tmp_path: Path) -> None:
    emulated = REPOSITORY / "benchmarks/results/hil_emulated_aarch64/report.json"
    link = REPOSITORY / "hil_tests/worth/missions/cubesat_6u.toml"
    done = CliRunner().invoke(worth_command, [str(emulated), "--link", str(link), "-o", str(tmp_path / "worth.html")])
    assert done.exit_code == 0, done.output
    assert "No answer, joules are not measured" in done.stdout
    assert "the target is emulated" in done.stdout
    assert "not measured" in (tmp_path / "worth.html").read_text()
    assert "<svg" not in (tmp_path / "worth.html").read_text()


@pytest.mark.parametrize("mission", ["cubesat_6u", "small_satellite", "enmap"])
@pytest.mark.parametrize("run", ["hil_simulated_meter", "hil_emulated_aarch64", "hil_emulated_forms"])
def test_committed_answers_are_those_of_the_committed_reports(run: str, mission: str) -> None:
    folder = REPOSITORY / "benchmarks/results" / run
    link = REPOSITORY / "hil_tests/worth/missions" / f"{mission}.toml"
    done = CliRunner().invoke(worth_command, [str(folder / "report.json"), "--link", str(link)])
    assert done.stdout == (folder / f"worth_{mission}.md").read_text()
    if run == "hil_simulated_meter":
        assert done.stdout.splitlines()[2].startswith("Simulated: fly ")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("efficiency = 0.7", "efficiency = 1.7", "key efficiency: found 1.7, allowed finite number above 0, at most 1"),
        ("power_w = 10.0", "", "key power_w: found nothing"),
        ("efficiency_uncertainty = 0.15", "efficiency_uncertainty = 0.7", "allowed less than efficiency, 0.7"),
        ("raw_bits = 12", 'raw_bits = 12\nband = "X"', "key band: not known"),
    ],
)
def test_a_wrong_link_file_is_one_line(old: str, new: str, line: str, tmp_path: Path) -> None:
    text = (REPOSITORY / "hil_tests/worth/missions/cubesat_6u.toml").read_text()
    (tmp_path / "link.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(BadArgument) as caught:
        load_link(tmp_path / "link.toml")
    assert line in str(caught.value)
    assert str(caught.value).startswith(f"link file {tmp_path / 'link.toml'}: ")
