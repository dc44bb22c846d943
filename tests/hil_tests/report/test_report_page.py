"""report.html: whatever was found it stands alone, escapes, and shows; headless Chromium loads it where it is there."""

import dataclasses
import math
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from hil_tests.findings.findings import (
    Energy,
    Findings,
    Latency,
    Limit,
    LineRate,
    Outcome,
    Phase,
    Reading,
    Speed,
    Step,
)
from hil_tests.report.page import write_page
from hil_tests.report.record_table import MANY, record_table

HOSTILE = "<script>alert(1)</script>'\"&\n$x_{ \x00\ud800\u4e2d{{ 7 * 7 }}"
BROWSERS_OWN = (".google.com", ".googleapis.com", ".gvt1.com")
"""What Chromium itself asks for at every start."""
EMPTY = Findings("", "measured", "", "", {}, "", "", "", "synthetic", (0, 0, 0))


def whole(n_lines: int = 16, text: str = "rail") -> Findings:
    """Something of everything."""
    seconds = [0.1 * index for index in range(300)]
    watts = [5.0 if index >= 100 else 2.0 for index in range(300)]
    times = [20 + math.sin(index) for index in range(n_lines)]
    return Findings(
        board="bench",
        label="emulated",
        started="2026-01-02T03:04:05+00:00",
        commit=text,
        machine={"processor": text},
        package=text,
        package_sha256="00ff",
        scene=text,
        scene_kind="synthetic",
        scene_shape=(n_lines, 6, 17),
        steps=[Step("encode", Outcome.PASSED, 1, 2, text), Step(text, Outcome.FAILED, 3, 4, "lost the link")],
        speeds=[Speed("encode", 10**6, 4.0, 3.5, "emulated"), Speed(text, 10, 0.0, 0.0, text)],
        latencies=[Latency("encode", times), Latency(text, times)],
        line_rates=[LineRate(230, 0.5, 64, 1000, 900, 64, 1 / 12)],
        readings=[Reading(index, 1500, 40 + index, 0.25) for index in range(9)],
        phases=[Phase("idle before window 1", 0, 10), Phase("window 1", 10, 20), Phase(text, 20, 30)],
        energy=[Energy("meter", text, "emulated", text, seconds, watts, 2, 5, 0.25, 20, 12, 0.4, 5, text)],
        limits=[Limit("peak_mib", True, 600, 431, "MiB"), Limit(text, False, 1, None, text)],
        peak_memory_mib=431,
        bits_per_sample=5.5,
        telemetry=[{"segment": 0, "residuals": {"mean": 1.5}, "errors": [{"text": text}]}, {text: 10**400}],
        estimates=[{"label": "estimated by Vela", "cycles": 123456}, {text: math.nan}],
        notes=[text],
    )


NO_METERS = dataclasses.replace(whole(), energy=[], readings=[], telemetry=[{"lines": 2}] * 3, estimates=[{}])
EXTREME = dataclasses.replace(
    whole(),
    latencies=[Latency("encode", [1e300, -1e300, math.nan, math.inf]), Latency("decode", [])],
    readings=[Reading(0, 1e308, 5e-324, math.inf), Reading(math.nan, None, 1.0, 1.0)],
    energy=[Energy("m", "r", "", "", [0.0, 1.0], [math.nan, 1e200], math.nan, 0, 0, math.inf, 0, math.inf, 0, "")],
    limits=[Limit("nothing", True, 0.0, math.nan, "")],
    phases=[Phase("backwards", 5, 1), Phase("for ever", 0, math.inf)],
)
CASES: dict[str, tuple[Findings, list[Findings]]] = {
    "empty": (EMPTY, []),
    "one line": (whole(1), [EMPTY]),
    "no meters": (NO_METERS, [whole()]),
    "hostile": (whole(text=HOSTILE), [whole(text=HOSTILE * 2)]),
    "extreme": (EXTREME, [EXTREME]),
    "thousands of lines and fifty runs": (
        whole(5000),
        [dataclasses.replace(whole(3), started=f"{2000 + year}") for year in range(50)],
    ),
}


class Elements(HTMLParser):
    """What a page consists of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("name", CASES)
def test_a_page_stands_alone_whatever_was_found(tmp_path: Path, name: str) -> None:
    path = tmp_path / "report.html"
    write_page(*CASES[name], path)
    text = path.read_text(encoding="utf-8")
    page = Elements(text)
    assert {tag for tag, _ in page.elements} >= {"html", "title", "style", "h1"}
    assert not {tag for tag, _ in page.elements} & {"script", "iframe", "object", "embed", "img", "base"}
    for _, attributes in page.elements:
        assert not [key for key in attributes if key.startswith("on") or key == "src"]
        for key in ("href", "xlink:href"):
            assert (attributes.get(key) or "#").startswith(("#", "data:,"))
    assert not re.search(r"@import|url\((?!#)", text)
    assert len(text) < 500_000
    assert [found.name for found in tmp_path.iterdir()] == ["report.html"]


def drawn_page(tmp_path: Path, findings: Findings, earlier: list[Findings]) -> Elements:
    path = tmp_path / "report.html"
    write_page(findings, earlier, path)
    return Elements(path.read_text(encoding="utf-8"))


def test_what_was_found_is_said(tmp_path: Path) -> None:
    page = drawn_page(tmp_path, whole(), [dataclasses.replace(whole(3), board="other", started="2025-05-05T05:05")])
    for words in (
        "Not passed", "First: step rail failed: lost the link", "The target is an emulation",
        "real time is 12.0 times away", "20.00", "0.40", "estimated by Vela", "Estimates, not measured",
        "2025-05-05 05:05", "board, scene", "0.250", "123 456", "window 1",
    ):  # fmt: skip
        assert words in page.text, words
    pictures = [attributes["aria-label"] or "" for tag, attributes in page.elements if tag == "svg"]
    beginnings = ("Histogram", "Throughput against temperature", "Power", "Speed, time of a line and energy")
    assert all(picture.startswith(words) for picture, words in zip(pictures, beginnings, strict=True))


def test_of_few_lines_the_largest_is_shown_and_p99_is_left_out(tmp_path: Path) -> None:
    findings = dataclasses.replace(EMPTY, latencies=[Latency("encode", [4.0, 5.0, 9.0])])
    assert "encode 3 4.000 5.000 \u2013 9.000" in drawn_page(tmp_path, findings, []).text


def test_no_meter_is_not_measured_and_never_a_number(tmp_path: Path) -> None:
    page = drawn_page(tmp_path, NO_METERS, [])
    for words in ("no meter gave an account of energy", "no power was sampled", "no reading has both"):
        assert f"not measured : {words}" in page.text
    assert not re.search(r"[\d.]+ J/Msample", page.text)


def test_text_stays_text(tmp_path: Path) -> None:
    page = drawn_page(tmp_path, whole(text=HOSTILE), [])
    assert page.text.count("<script>alert(1)</script>") >= 10
    assert "{{ 7 * 7 }}" in page.text


def test_segments_with_errors_are_shown_whatever_their_number() -> None:
    records: list[dict[str, Any]] = [{"segment": index, "stage": "fast", "errors": []} for index in range(1000)]
    records[500]["errors"] = [{"line": 7}]
    table = record_table(records, gather=True)
    segments, errors = (column.cells for column in table.columns)
    assert table.same == {"stage": "fast"}
    assert len(segments) == MANY + 1
    assert errors[segments.index("500")] == "line 7"
    assert table.gaps == [MANY // 2, MANY // 2 + 1]


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium")


@pytest.fixture
def asked_for() -> Iterator[tuple[int, list[str]]]:
    """A proxy that serves nothing: its port, and what it was asked for."""
    asked: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(re.sub(r"^\w+://|[:/].*", "", self.path))
            self.send_error(404)

        do_CONNECT = do_GET  # noqa: N815  # the name that the server looks for

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, asked
        server.shutdown()


def browse(page: Path, port: int, *options: str) -> str:
    """The page's elements after headless Chromium has loaded it."""
    assert CHROMIUM is not None
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", f"--proxy-server=127.0.0.1:{port}",
        "--proxy-bypass-list=<-loopback>", f"--user-data-dir={page.parent / 'profile'}", "--dump-dom", *options,
        page.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@needs_chromium
def test_chromium_shows_the_page_and_fetches_nothing(tmp_path: Path, asked_for: tuple[int, list[str]]) -> None:
    port, asked = asked_for
    path, picture = tmp_path / "report.html", tmp_path / "page.png"
    write_page(whole(500), [whole(3)], path)
    page = Elements(browse(path, port, "--window-size=1000,3000", f"--screenshot={picture}"))
    assert "Not passed: bench, emulated" in page.text
    assert "First: step rail failed: lost the link" in page.text
    sizes = [attributes.get("viewbox") or "" for tag, attributes in page.elements if tag == "svg"]
    assert len(sizes) == 4
    assert all(float(size.split()[2]) > 500 and float(size.split()[3]) > 100 for size in sizes)
    assert [host for host in asked if not host.endswith(BROWSERS_OWN)] == []
    pixels = imread(picture)[..., :3]
    assert pixels.shape == (3000, 1000, 3)
    inked = np.any(pixels != pixels[0, 0], axis=(1, 2)).reshape(10, 300).mean(axis=1)
    assert (inked > 0.2).all(), inked  # every tenth of the page shows something
    assert (np.ptp(pixels, axis=2) > 0.3).mean() > 0.002  # pictures and outcomes are in colour


@needs_chromium
def test_the_proxy_sees_what_a_page_fetches(tmp_path: Path, asked_for: tuple[int, list[str]]) -> None:
    port, asked = asked_for
    path = tmp_path / "page.html"
    path.write_text('<img src="http://pictures.invalid/x.png">')
    browse(path, port)
    assert "pictures.invalid" in asked
