"""The rate benchmark: what it codes comes back, what it measured is kept, no scene is in two folds."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.rate import store as rate_store
from benchmarks.rate.__main__ import main
from benchmarks.rate.check import check
from benchmarks.rate.codecs import Ccsds123Codec, Codec, StreamCodec
from benchmarks.rate.means import mean, ranked, table
from benchmarks.rate.measure import ONE, measure, smallest, spectral_angles
from benchmarks.rate.peers import PEERS, PeerCodec, peer_codecs
from benchmarks.rate.residuals import coded_bits, of_ccsds123, of_stream
from benchmarks.rate.rows import Row, all_rows, listed_packages
from benchmarks.rate.scenes import entries, folds, matches
from benchmarks.rate.store import Key
from benchmarks.rate.tables import markdown
from runtime.errors import LineRwkvError
from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import Scene
from runtime.images.synthetic import synthetic_lines
from runtime.stream.kinds import AdaptiveStage, PredictorKind

RLS = StreamCodec("rls-fast", PredictorKind.RLS, AdaptiveStage.FAST)
CODECS: list[Codec] = [*peer_codecs(), Ccsds123Codec("hybrid", False), RLS]


def synthetic(shift: int = 0) -> Scene:
    """70 lines, more than a segment; negative samples where `shift` is."""
    lines = np.stack(list(synthetic_lines(70, 5, 9, np.random.default_rng(0)))).astype(np.int16)
    return Scene(lines - np.int16(shift))


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@pytest.mark.parametrize("shift", [0, 2000])
def test_a_row_comes_back(codec: Codec, shift: int) -> None:
    scene = synthetic(shift)
    for choice in next(iter(codec.rounds(scene, 0)), [{}]):
        parts = codec.encode(scene, 0, 64, choice)
        np.testing.assert_array_equal(codec.decode(parts), scene.samples)


@pytest.mark.parametrize("codec", peer_codecs(), ids=lambda codec: codec.name)
@given(shape=st.tuples(*[st.integers(1, 4)] * 3), seed=st.integers(0, 9), kind=st.sampled_from(["int16", "uint16"]))
@settings(max_examples=10, deadline=None)
def test_any_samples_come_back_from_a_peer(codec: PeerCodec, shape: tuple[int, int, int], seed: int, kind: str) -> None:
    limits = np.iinfo(kind)
    samples = np.random.default_rng(seed).integers(limits.min, limits.max, shape, np.dtype(kind), endpoint=True)
    for choice in PEERS[codec.peer].choices:
        np.testing.assert_array_equal(codec.decode(codec.encode(Scene(samples), 0, 2, choice)), samples)


@pytest.mark.parametrize("codec", [PeerCodec("jpegls"), Ccsds123Codec("sample_adaptive", False), RLS])
def test_near_lossless_is_smaller_and_near(codec: Codec) -> None:
    exact, near = (measure(codec, synthetic(2000), max_error) for max_error in (0, 5))
    assert 0 < near["error"] <= 5
    assert near["rate"][ONE] < exact["rate"][ONE]
    assert 30 < near["psnr_db"] < 90


def test_what_does_not_come_back_has_no_figure() -> None:
    class Careless(PeerCodec):
        def decode(self, parts: list[bytes]) -> np.ndarray:
            return super().decode(parts) + 1

    with pytest.raises(LineRwkvError, match="off by 1"):
        measure(Careless("zstd"), synthetic(), 0)


def test_angles_are_those_between_spectra() -> None:
    original = np.array([[[3, 0, 7, 1000], [4, 0, 0, 1]]])  # one line, two bands, four pixels
    restored = np.array([[[4, 0, 0, 1000], [-3, 0, 7, 2]]])
    found = spectral_angles(original, restored)[0]
    np.testing.assert_allclose(found, [90, 0, 90, np.degrees(np.arctan(0.002) - np.arctan(0.001))], rtol=1e-9)


def test_the_bits_of_lines_and_bands_are_those_of_the_stream() -> None:
    scene = synthetic(2000)
    bits = coded_bits(of_stream(RLS, scene), describe(scene, None).depth)
    assert bits.shape == scene.samples.shape[:2]
    n_bytes = len(RLS.encode(scene, 0, 70, {})[0])
    assert 0.9 * n_bytes < bits.sum() / 8 < n_bytes
    codec = Ccsds123Codec("sample_adaptive", False)
    parts = codec.encode(scene, 0, 70, smallest(codec, scene, 0))
    bits = coded_bits(of_ccsds123(codec, scene, smallest(codec, scene, 0)), describe(scene, None).depth)
    assert 0 < 8 * len(parts[0]) - bits.sum() < 8 * 40, "all but the header"


def keep(path: Path, row: str, scene: str, rate: float, samples: int, max_error: int = 0, **more: bool) -> None:
    """A made-up measurement."""
    values = {"samples": samples, "rate": {"segments": rate, "one": rate}, **more}
    rate_store.add(path, Key(row, scene, max_error), "package", {"commit": "abc"}, values)


def test_a_measurement_is_kept_until_the_package_changes(tmp_path: Path) -> None:
    path = tmp_path / "rate.json"
    keep(path, "flight-best", "samson", 2.5, 100)
    keep(path, "flight-best", "moffett", 5.5, 100)
    keep(path, "flight-best", "samson", 2.25, 100)
    results = rate_store.load(path)
    key = Key("flight-best", "samson", 0)
    found = rate_store.find(results, key, "package")
    assert found is not None and found["rate"]["one"] == 2.25
    assert rate_store.find(results, key, "another package") is None
    assert rate_store.find(results, key._replace(max_error=1), "package") is None
    assert len(results.measurements) == 2 and len(results.runs) == 1
    assert json.loads(path.read_text())["measurements"][0]["scene"] == "moffett"
    rate_store.add(path, key, "another package", {"commit": "abc"}, found)
    assert set(rate_store.load(path).measurements) == {key}


def test_a_second_run_measures_only_what_is_missing(scenes: Path, tmp_path: Path) -> None:
    path = tmp_path / "rate.json"
    arguments = ["--scenes", "neon_mlbs_01", "--max-error", "0", "--output", str(path), "--json", "--rows"]
    first = CliRunner().invoke(main, [*arguments, "ccsds121"], catch_exceptions=False)
    kept = path.read_text()
    assert CliRunner().invoke(main, [*arguments, "ccsds121"], catch_exceptions=False).stdout == first.stdout
    assert path.read_text() == kept
    assert json.loads(first.stdout)[0]["rate"]["one"] < 8
    CliRunner().invoke(main, [*arguments, "ccsds121", "--rows", "dpcm"], catch_exceptions=False)
    assert {row.row for row in rate_store.load(path).measurements} == {"ccsds121", "dpcm"}
    assert "neon_mlbs" in path.with_suffix(".md").read_text()


def test_plots_are_one_column_and_folds_one_row(tmp_path: Path) -> None:
    path = tmp_path / "rate.json"
    for row, first, second in (("rls-best", 4.0, 6.0), ("zstd", 8.0, 10.0)):
        keep(path, row, "neon_mlbs_01", first, 100)
        keep(path, row, "neon_mlbs_02", second, 100)
        keep(path, row, "samson", 2.0, 200)
    keep(path, "fold-1-best", "neon_mlbs_01", 3.0, 100, seen=False)
    keep(path, "fold-3-best", "samson", 1.0, 200, seen=False)
    found = table(rate_store.load(path), ONE)
    assert found["rls-best"]["neon_mlbs"].rate == 5.0
    assert mean(found["rls-best"]).rate == 3.5
    assert set(found["folds-best"]) == {"neon_mlbs", "samson"}
    assert ranked(found) == ["rls-best", "zstd", "folds-best"]
    assert "| rls-best | 3.500 |" in markdown(rate_store.load(path))


def test_no_criterion_passes_without_measurements(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert not check(rate_store.load(tmp_path / "none.json"))
    verdicts = capsys.readouterr().out.splitlines()
    assert all(line.startswith("FAIL") for line in verdicts if "M =" in line or "unseen" in line)


def test_every_scene_is_in_one_fold(scenes: Path) -> None:
    found = {
        entry.name: [name for name, patterns in folds().items() if matches(entry.name, patterns)] for entry in entries()
    }
    assert {len(names) for names in found.values()} == {1}
    assert found["abu_airport_2"] == found["abu_urban_5"]
    assert len({found[name][0] for name in found if name.startswith("neon_mlbs")}) == 1


def test_rows_have_names_of_their_own_and_say_what_was_seen() -> None:
    rows = all_rows(listed_packages(), {})
    names = [row.codec.name for row in rows]
    assert len(set(names)) == len(names)
    row = Row(RLS, unseen=("abu_*",), max_errors=(0, 1))
    assert row.seen("abu_beach_1") == {"seen": False} and row.seen("samson") == {"seen": True}
    assert row.is_measured("abu_beach_1", 0) and not row.is_measured("abu_beach_1", 1) and row.is_measured("samson", 1)
