"""The simulated meter: joules by processor time of children, and never called measured."""

import os
import subprocess
import sys
import time

import numpy as np

from hil_tests.energy.account import Batch, energy_of
from hil_tests.meters.polled_meter import PolledMeter
from hil_tests.meters.simulated import SimulatedSource, children_seconds

BUSY = "import time\nwhile time.process_time() < 0.4: pass\nprint(flush=True)\ninput()\n"


def test_idle_power_is_what_was_said_within_what_the_clock_leaves_open() -> None:
    meter = PolledMeter("m", SimulatedSource(3.0, 0.0), period_s=0.02, accuracy="simulated")
    meter.start()
    time.sleep(0.3)
    (trace,) = meter.stop()
    steps = np.diff(trace.seconds)
    joules = float((trace.watts[1:] * steps).sum())
    assert abs(joules - 3.0 * float(steps.sum())) <= 3.0 * 2 * trace.clock_uncertainty_s


def test_a_busy_child_uses_what_its_processor_time_says_and_the_label_stays() -> None:
    meter = PolledMeter("m", SimulatedSource(2.0, 10.0), period_s=0.02, accuracy="simulated")
    meter.start()
    before = children_seconds(os.getpid())
    with subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        used = children_seconds(os.getpid()) - before
        time.sleep(0.1)
        (trace,) = meter.stop()
        child.communicate(b"\n")
    assert used >= 0.28  # ticks of 10 ms, of user and system time
    began, ended = float(trace.seconds[0]), float(trace.seconds[-1])
    joules = float((trace.watts[1:] * (trace.seconds[1:] - trace.seconds[:-1])).sum())
    assert abs(joules - 2.0 * (ended - began) - 10.0 * used) <= 10.0 * 0.05
    middle = (began + ended) / 2
    batch = Batch(trace, (began, middle), [(began, middle), (middle, ended)])
    energy = energy_of(
        "board", [batch], 1.0, label="measured", run_began=began, performance_msamples_per_s=1.0, target=1.0
    )  # fmt: skip
    assert energy.label == "simulated"
    assert energy.note.startswith("simulated from processor time, no meter")
