"""The demo: what it shows is true, its picture can be read, and docs/demo.png is what it draws now."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from hil_tests.places.place import REPOSITORY
from runtime.cell.flight_package import SHIPPED, open_package
from runtime.codec.stream_info import stream_info
from runtime.commands.demo import N_BANDS, N_COLUMNS, PICTURE, forms, run_demo
from runtime.commands.demo_picture import SHOWN, drawn
from runtime.commands.picture_labels import label_points
from runtime.images.scene_reader import open_scene
from tests.text_overlaps import overlaps

LINES = 64  # what `make demo` codes
REFRESH = "docs/demo.png is stale: linerwkv demo --output demo_output && cp demo_output/demo.png docs/demo.png"
PACKAGE = open_package(SHIPPED)
FORMS = forms(PACKAGE)


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo as `make demo` runs it."""
    folder = tmp_path_factory.mktemp("demo")
    run_demo(folder, n_lines=LINES, seed=1, package=PACKAGE)
    return folder


def rows_of(output: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((output / "report.json").read_text())
    return rows


def shown_by(picture: Path) -> Any:
    with Image.open(picture) as image:
        return json.loads(image.info[SHOWN])


def test_the_picture_of_the_documents_is_what_the_demo_draws(output: Path) -> None:
    assert shown_by(REPOSITORY / "docs" / PICTURE) == shown_by(output / PICTURE), REFRESH


def test_rows_are_the_forms_within_their_errors(output: Path) -> None:
    *rows, general = rows_of(output)
    assert [row["name"] for row in rows] == [form.name for form in FORMS]
    assert [row["largest_error"] for row in rows] == [form.options.max_error for form in FORMS]
    assert general["bits_per_sample"] > max(row["bits_per_sample"] for row in rows)


def test_all_forms_are_those_and_fast() -> None:
    names = [form.name for form in forms(PACKAGE, is_all=True)]
    assert names == [*(form.name for form in FORMS[:-1]), "rls, fast", FORMS[-1].name]


@pytest.mark.parametrize("i", range(len(FORMS)), ids=[form.name for form in FORMS])
def test_bits_of_the_bands_are_those_of_the_stream(output: Path, i: int) -> None:
    """But for heads: what is left of a payload is its byte of flags, the ends of coders, and CCSDS 123's header."""
    row = rows_of(output)[i]
    payload = sum(segment["bytes"] for segment in stream_info(output / f"{FORMS[i].file}.lrwk")["segments"])
    bits = sum(row["bits_per_band"]) * LINES * N_COLUMNS
    rounding = N_BANDS * LINES * N_COLUMNS * 0.0005  # three digits are kept
    assert -rounding <= 8 * payload - bits <= 8 * 64 + rounding


def test_texts_of_the_picture_do_not_overlap(output: Path) -> None:
    scene, restored = (open_scene(output / f"{name}.hdr").samples for name in ("scene", "scene_error3"))
    assert overlaps(drawn(scene, restored, 3, rows_of(output))) == []


COLD_FORM = """
import json, sys
import numpy as np
from pathlib import Path
from runtime.codec.coding_options import CodingOptions
from runtime.commands.demo import Form, round_trip
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind, SampleType
scene = np.arange(8 * 4 * 16, dtype=np.uint16).reshape(8, 4, 16)
image = ImageDescription(4, 16, 13, False, 8, SampleType.UINT16)
form = Form("dpcm", "scene", CodingOptions(predictor=PredictorKind.DPCM))
print(json.dumps(round_trip(form, scene, image, Path(sys.argv[1]) / "scene.lrwk")))
"""


def test_what_compiles_is_not_timed(tmp_path: Path) -> None:
    """With no compiled kernel a first run takes a second or so; the timed ones take some milliseconds."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kernels"), "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", COLD_FORM, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    row = json.loads(done.stdout)
    timed_s = 8 * 4 * 16 / 1e6 * (1 / row["encode_msamples_per_s"] + 1 / row["decode_msamples_per_s"])
    assert row["compile_s"] > 5 * timed_s


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.1, 100), st.floats(0, 10)), min_size=1, max_size=12), st.sampled_from(["a", "name"])
)
def test_labels_lie_beside_each_other_or_are_refused(points: list[tuple[float, float]], name: str) -> None:
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.set(xscale="log", xlim=(0.01, 1000), ylim=(-1, 11))
    named = {f"{name} {i}": point for i, point in enumerate(points)}
    try:
        label_points(axes, named)
    except ValueError as error:
        assert "no place for the label" in str(error)
        return
    assert len(axes.texts) == len(named)
    assert overlaps(figure) == []


def test_labels_of_one_point_all_find_a_place() -> None:
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(0, 2), ylim=(0, 2))
    label_points(axes, {f"number {i}": (1.0, 1.0) for i in range(12)})
    assert overlaps(figure) == []
    assert np.all([text.get_text().startswith("number") for text in axes.texts])
