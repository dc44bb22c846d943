"""The certificates of a run: by which rules the executors of the board file compute on the target (the probe)."""

import contextlib
from dataclasses import asdict
from pathlib import Path

from hil_tests.accelerators.probe import Finding, probed, verdict
from hil_tests.acceptance.bench import Bench, State
from hil_tests.acceptance.outcome import StepResult
from hil_tests.acceptance.target_executor import TargetExecutor
from hil_tests.board.board import Board
from hil_tests.findings.findings import Certificate, ProbedOperator
from runtime.errors import BadArgument, Corrupt
from runtime.executors.array_executor import ArrayExecutor
from runtime.executors.executor_registry import BUILT_IN, ONNXRUNTIME, known_places

GRAPH = "probe.onnx"
SUBGRAPHS = {"export.accelerator_executor:load_uint8": "uint8", "export.accelerator_executor:load_int8": "int8"}
"""Executors of a package's sub-graphs on ONNX Runtime, which run no ONNX file themselves: their activations."""
OF_MASTER_CELL = (
    BUILT_IN[ONNXRUNTIME], "hil_tests.executors.own_process:load_openvino",
    "hil_tests.executors.own_process:load_openvino_provider",
)  # fmt: skip
"""Executors that run the master cell, which has none of the probed operators; the self-test decides about them."""
NOT_KNOWN = "not known"


def probe(bench: Bench) -> StepResult:
    """Each executor of the board file on the target; one that codes by sub-graphs and cannot be exact has failed.

    An executor that runs no ONNX file has no certificate, and the step says why. Raises TargetFailed.
    """
    found: list[Certificate] = []
    said: list[str] = []
    refused = False
    for words in executors_of(bench.board):
        try:
            one = certificate_of(bench, words)
        except (BadArgument, Corrupt) as error:
            said.append(f"{words}: no certificate, it runs no ONNX file: {error}")
            continue
        found.append(one)
        is_refused = not one.is_usable and one.is_deciding
        refused |= is_refused
        aside = "" if one.is_usable or is_refused else " (sub-graphs alone; the master cell is held by the self-test)"
        said.append(f"{words}, {one.activation}: {'refused, ' if is_refused else ''}{one.verdict}{aside}")
    detail, values = "; ".join(said), {"certificates": [asdict(one) for one in found]}
    if refused:
        return StepResult.failed(detail, values)
    return StepResult.passed(detail, values) if found else StepResult.skipped(detail, values)


def executors_of(board: Board) -> list[str]:
    """The executor of the board file, then the others of its forms."""
    return list(dict.fromkeys([board.executor_words, *(form.executor for form in board.forms if form.executor)]))


def parted(words: str) -> tuple[str, str]:
    """The function behind an executor, as `module:function`, and its provider."""
    name, _, rest = words.partition(":")
    place = known_places().get(name)
    if place is not None:
        return place, rest
    function, _, provider = rest.partition(":")
    return f"{name}:{function}", provider


def certificate_of(bench: Bench, words: str) -> Certificate:
    """Of one executor. Raises TargetFailed; BadArgument or Corrupt where it runs no ONNX file."""
    bench.reach(State.DEPLOYED)
    target, board = bench.target, bench.board
    place, provider = parted(words)
    activation = SUBGRAPHS.get(place, "uint8")
    asked = f"{ONNXRUNTIME}:{provider}".rstrip(":") if place in SUBGRAPHS else words
    with contextlib.ExitStack() as opened:

        def load(file: Path) -> ArrayExecutor:
            opened.close()  # one process at a time: a board's memory may be small
            target.put(file, GRAPH)
            return opened.enter_context(
                TargetExecutor(
                    target, asked, GRAPH, start_deadline_s=board.start_seconds, step_deadline_s=board.line_seconds
                )
            )

        provider_words, findings = probed(load, activation)
    target.shell(["rm", "-f", GRAPH])  # a target that was lost in between is no finding about its executor
    is_usable, sentence = verdict(findings)
    return Certificate(
        executor=words, provider=provider_words, activation=activation, is_usable=is_usable, verdict=sentence,
        is_deciding=place not in OF_MASTER_CELL, operators=[operator_of(one) for one in findings],
    )  # fmt: skip


def operator_of(finding: Finding) -> ProbedOperator:
    """The rules of one operator by kind; those of outputs that no known rule explains are not known."""
    is_known = not finding.refusal and not finding.n_missed

    def word(kind: str) -> str:
        return " or ".join(dict.fromkeys(getattr(rule, kind) for rule in finding.rules)) if is_known else NOT_KNOWN

    return ProbedOperator(
        operator=finding.operator, outputs=finding.n_outputs, rounding=word("rounding"), saturation=word("saturation"),
        sums=word("sums"), finding=finding.text, is_exact=finding.conditions is not None,
    )  # fmt: skip
