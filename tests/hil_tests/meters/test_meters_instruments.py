"""Instruments asked from here: a simulated bench supply through PyVISA, NVML through its own Python library."""

import ctypes
import re
import shutil
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from hil_tests.meters import polled_meter
from hil_tests.meters.meter import Meter, MeterFailed, PowerTrace
from hil_tests.meters.meter_factory import make_meters
from hil_tests.meters.this_machine import ThisMachine

pyvisa = pytest.importorskip("pyvisa")
pynvml = pytest.importorskip("pynvml")

SUPPLY = "TCPIP::supply.example::INSTR"
SIMULATION = f"{Path(__file__).with_name('simulated_supply.yaml')}@sim"


def meter_of(kind: str, **options: object) -> Meter:
    return make_meters([{"kind": kind, "period_s": 0.01, **options}], ThisMachine(Path()))[0]


def supply(rails: dict[str, list[str]]) -> Meter:
    return meter_of("scpi", resource=SUPPLY, backend=SIMULATION, rails=rails, timeout_s=0.5)


def recorded(meter: Meter) -> list[PowerTrace]:
    meter.start()
    time.sleep(0.1)
    return meter.stop()


def test_a_supply_is_asked_for_volts_and_amperes_or_for_watts() -> None:
    meter = supply({"board": ["MEAS:VOLT? (@1)", "MEAS:CURR? (@1)"], "heater": [":MEAS:POWE? CH2"]})
    began = time.monotonic()
    board, heater = recorded(meter)
    ended = time.monotonic()
    assert meter.rails == ("board", "heater")
    assert len(board.watts) >= 2
    assert set(board.watts) == {3.0}
    assert set(heater.watts) == {1.5}
    assert began < board.seconds[0] < board.seconds[-1] < ended
    assert 0 < board.clock_uncertainty_s < 0.1


def test_a_supply_shows_the_load_that_is_set() -> None:
    meter = supply({"board": ["MEAS:VOLT? (@1)", "MEAS:CURR? (@1)"]})
    with pyvisa.ResourceManager(SIMULATION).open_resource(SUPPLY, write_termination="\n") as load:
        for amperes in (0.5, 0.25):
            load.write(f"LOAD {amperes}")
            assert set(recorded(meter)[0].watts) == {12.0 * amperes}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("MEAS:VOLT? (@9)", r"answers 'MEAS:VOLT\? \(@9\)' by '9\.91E\+37', not by a number$"),
        ("*IDN?", "by 'simulated,supply,0,1', not by a number$"),
        ("MEAS:TEMP?", "by 'ERROR', not by a number$"),
    ],
)
def test_an_answer_that_is_no_power_is_one_line(query: str, message: str) -> None:
    with pytest.raises(MeterFailed, match=message):
        recorded(supply({"board": [query]}))


def test_a_supply_that_is_not_there_is_one_line() -> None:
    with pytest.raises(MeterFailed, match=r"^scpi: TCPIP::nothing::INSTR: ") as caught:
        meter_of("scpi", resource="TCPIP::nothing::INSTR", backend=SIMULATION).start()
    assert "\n" not in str(caught.value)
    with pytest.raises(MeterFailed, match=r"^scpi: TCPIP::127\.0\.0\.1::9::SOCKET: "):
        meter_of("scpi", resource="TCPIP::127.0.0.1::9::SOCKET", timeout_s=0.5).start()


class Supply(socketserver.StreamRequestHandler):
    """A supply on a real socket, until it is unplugged."""

    unplugged = threading.Event()

    def handle(self) -> None:
        for line in self.rfile:
            if self.unplugged.is_set():
                return
            self.wfile.write({b"*IDN?\n": b"socket,supply\n", b"MEAS:VOLT?\n": b"5.0\n"}.get(line, b"0.5\n"))


@pytest.fixture
def socket_supply() -> Iterator[str]:
    """The address of a supply on the loopback device."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Supply) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"TCPIP::127.0.0.1::{server.server_address[1]}::SOCKET"
        server.shutdown()


def test_a_supply_on_a_socket_is_asked_and_may_go_away(socket_supply: str) -> None:
    meter = meter_of("scpi", resource=socket_supply, timeout_s=0.5)
    (trace,) = recorded(meter)
    assert set(trace.watts) == {2.5}
    meter.start()
    Supply.unplugged.set()
    time.sleep(0.1)
    with pytest.raises(MeterFailed, match=rf"^scpi: {re.escape(socket_supply)}: ") as caught:
        meter.stop()
    assert "\n" not in str(caught.value)


@dataclass
class Hanging:
    """A source whose second answer takes longer than anyone waits."""

    rails: tuple[str, ...] = ("a",)
    is_counter: bool = False
    update_s: float | None = None
    caveat: str = ""
    label: str = ""
    released: threading.Event = field(default_factory=threading.Event)
    reads: int = 0

    def open(self) -> None:
        pass

    def read(self) -> list[float]:
        self.reads += 1
        if self.reads > 1:
            self.released.wait()
        return [1.0]

    def close(self) -> None:
        pass


def test_a_source_that_hangs_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polled_meter, "LONGEST_ANSWER_S", 0.05)
    source = Hanging()
    meter = polled_meter.PolledMeter("hanging", source, period_s=0.001, accuracy="")
    meter.start()
    time.sleep(0.05)
    with pytest.raises(MeterFailed, match=r"no answer within 0\.05 s"):
        meter.stop()
    source.released.set()


Library = Callable[..., None]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Puts a compiled simulation in the place of the driver's library, below the real Python library."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")

    def put(*definitions: str) -> None:
        path = tmp_path / "libnvidia-ml.so.1"
        source = Path(__file__).with_name("simulated_nvml.c")
        subprocess.run([compiler, "-shared", "-fPIC", *definitions, "-o", path, source], check=True)
        monkeypatch.setattr(pynvml, "nvmlLib", ctypes.CDLL(str(path)))
        monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})

    return put


def test_the_energy_counter_of_a_device_gives_its_power(library: Library) -> None:
    library()
    meter = meter_of("nvml")
    (trace,) = recorded(meter)
    assert meter.rails == ("Simulated (0)",)
    assert trace.is_integrating
    energy = (trace.watts[1:] * np.diff(trace.seconds)).sum()
    assert energy == pytest.approx(250 * (trace.seconds[-1] - trace.seconds[0]), rel=0.05)


def test_a_device_without_counter_is_asked_for_its_power(library: Library) -> None:
    library("-DNO_COUNTER")
    (trace,) = recorded(meter_of("nvml"))
    assert not trace.is_integrating
    assert set(trace.watts) == {250.0}
    assert "mean power of the last second" in trace.caveat


def test_a_device_that_is_lost_or_not_there_is_one_line(library: Library) -> None:
    library("-DNO_COUNTER", "-DLOST_AFTER=3")
    with pytest.raises(MeterFailed, match=r"^nvml: GPU is lost$"):
        recorded(meter_of("nvml"))
    with pytest.raises(MeterFailed, match=r"^nvml: Invalid Argument$"):
        meter_of("nvml", device=1).start()


def test_the_driver_of_this_machine_or_why_not() -> None:
    try:
        (trace,) = recorded(meter_of("nvml"))
    except MeterFailed as error:
        assert str(error) in ("nvml: NVML Shared Library Not Found", "nvml: Driver Not Loaded")
        pytest.skip(str(error))
    assert 0 < trace.watts.mean() < 2000
