"""The steps before anything is coded: bring-up, deployment, self-test."""

from hil_tests.acceptance.bench import Bench, State
from hil_tests.acceptance.job_results import ROW, check_answer
from hil_tests.acceptance.outcome import StepResult
from hil_tests.places.place import REPOSITORY


def bring_up(bench: Bench) -> StepResult:
    """From an unknown state to one where commands run, in the power mode of the board file."""
    bench.reach(State.UP)
    said = "".join(f"; {name} {value}" for name, value in bench.power.items())
    return StepResult.passed(f"commands run in {bench.target.folder}{said}", {"machine": dict(bench.power)})


def deploy(bench: Bench) -> StepResult:
    """Wheel, package and scene; executor made; every kernel compiled."""
    bench.ready()
    assert bench.loaded is not None
    assert bench.warmed is not None
    loaded, warm_up_s = bench.loaded.result, bench.warmed.result["seconds"]
    where = str(loaded["runtime"])
    found = {"machine": {str(key): str(value) for key, value in loaded["machine"].items()}}
    if where == str(REPOSITORY / "runtime"):
        return StepResult.failed(f"the runtime of the checkout runs there ({where}), not the wheel", found)
    return StepResult.passed(
        f"runtime in {where}; loaded in {bench.loaded.ended - bench.loaded.began:.1f} s, compiled in {warm_up_s:.1f} s "
        "before the first line", found,
    )  # fmt: skip


def self_test(bench: Bench, *, is_short: bool) -> StepResult:
    """The recorded lines of the package on the target's executor, in every tiling, bit for bit."""
    board = bench.board
    done = bench.ready().do(
        "self_test", seconds=board.start_seconds, executor=board.executor_words, all_settings=not is_short
    )  # fmt: skip
    rows = done.result["rows"]
    for row in rows:
        check_answer(row, ROW, f"{bench.target.name}: self-test")
    wrong = [row for row in rows if row.get("is_equal") is not True]
    if wrong:
        return StepResult.failed(f"{wrong[0]['executor']}, tile {wrong[0]['tile']}: {wrong[0]['finding']}")
    if not rows:
        return StepResult.skipped(f"package {bench.package.arithmetic} has no recorded lines")
    return StepResult.passed(f"{rows[0]['executor']}: {len(rows)} settings and tilings equal the recorded lines")
