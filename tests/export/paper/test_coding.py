"""Codings count what was decoded and compared; files of results are resumed, and never mixed."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from typing_extensions import override

from export.paper.coded_split import Part, code_patches, read_results, result_path, results_folder
from export.paper.coding import Coding, coded
from export.paper.methods import IN_LOOP, PREQUANTISED, Ccsds123Method, Method, Samples, all_methods
from export.paper.results import curves, rate, rows
from model.scenes.scene import Scene
from runtime.cell.flight_package import SHIPPED
from runtime.errors import BadArgument, LineRwkvError
from tests.export.paper.conftest import MAX_ERRORS, PLACE
from tests.model.conftest import smooth_scene


@dataclass(frozen=True)
class Wrong(Ccsds123Method):
    """Decodes one sample wrong."""

    @override
    def decode(self, data: bytes) -> Samples:
        samples = super().decode(data).copy()
        samples[1, 2, 3] += 3
        return samples


def test_every_method_is_coded_in_its_ways(codings: list[Coding], methods: list[Method]) -> None:
    found = [(one.method, one.quantisation, one.max_error) for one in codings]
    assert len(set(found)) == len(found)
    for method in methods:
        assert (method.name, PREQUANTISED, 0) in found
        assert {way for name, way, error in found if (name, error) == (method.name, 2)} == set(method.quantisations)
    assert all(one.squared_error == 0 for one in codings if one.max_error == 0)
    assert all(0 < one.squared_error <= 4 * one.n_samples for one in codings if one.max_error == 2)
    assert {one.shape for one in codings} == {(8, 202, 8)}


def test_the_bytes_are_those_of_the_stream(codings: list[Coding], methods: list[Method], patches: list[Scene]) -> None:
    for method in methods:
        (its,) = [one for one in codings if (one.method, one.max_error) == (method.name, 0)]
        assert its.n_bytes == len(method.encode(patches[0].samples, 0, PREQUANTISED))


def test_a_wrong_sample_counts_nothing() -> None:
    samples = smooth_scene(1)
    for max_error in (0, 2):
        with pytest.raises(LineRwkvError, match=f"a sample is off by [2-5], allowed {max_error}"):
            coded(Wrong(), samples, max_error, IN_LOOP)


def test_the_quality_is_that_of_its_definition() -> None:
    coding = Coding("rls", IN_LOOP, 1, 10, (2, 3, 4), 1.0, 1.0, squared_error=6, peak=50)
    assert coding.psnr_db == pytest.approx(10 * np.log10(50**2 / (6 / 24)))


def test_rows_and_curves_agree_with_the_codings(codings: list[Coding], methods: list[Method]) -> None:
    found = {row.method: row for row in rows(methods, codings, {"rls": 7.0})}
    assert list(found) == ["network", "ccsds123", "flight", "flight-large", "rls"]
    assert (found["network"].parameters, found["ccsds123"].parameters) == (methods[0].manifest["n_parameters"], None)
    assert (found["rls"].peak_mib, found["flight"].peak_mib) == (7.0, None)
    for curve in curves(methods, codings, MAX_ERRORS):
        lossless, near = curve.points
        assert lossless.bits_per_sample == found[curve.method].bits_per_sample
        assert near.bits_per_sample < lossless.bits_per_sample
        assert lossless.psnr_db is None and near.psnr_db is not None
    assert rate([*codings, *codings]) == rate(codings)


def test_a_patch_with_a_result_is_not_coded_again(
    results: Path, methods: list[Method], patches: list[Scene], tmp_path: Path
) -> None:
    before = result_path(results, patches[0]).stat().st_mtime_ns
    code_patches(methods, patches, MAX_ERRORS, results, Part(1, 1), PLACE)
    assert result_path(results, patches[0]).stat().st_mtime_ns == before
    code_patches(methods, patches, MAX_ERRORS, tmp_path, Part(2, 2), PLACE)  # another part's patch
    assert read_results(tmp_path, patches) == []


def test_results_of_other_streams_lie_elsewhere(methods: list[Method], results: Path) -> None:
    output = results.parents[1]
    assert results_folder(output, methods, MAX_ERRORS) == results
    assert results_folder(output, methods, (0, 3)) != results
    assert results_folder(output, all_methods(SHIPPED), MAX_ERRORS) != results


def test_a_patch_of_the_same_name_of_another_data_set_is_coded_anew(tmp_path: Path) -> None:
    method = Ccsds123Method()
    rates = []
    for seed, largest in ((0, 4000), (1, 4)):
        path = tmp_path / f"{seed}.npy"
        np.save(path, np.random.default_rng(seed).integers(0, largest, (8, 4, 16)).astype(np.int16))
        patch = Scene("patch", "test", path, (8, 4, 16), "g", 1.0, None)
        code_patches([method], [patch], (0,), tmp_path, Part(1, 1), PLACE)
        (result,) = read_results(tmp_path, [patch])
        assert result.place == PLACE
        rates.append(rate(result.codings))
    assert rates[1] < rates[0] / 1.5


def test_a_damaged_result_is_named(patches: list[Scene], tmp_path: Path) -> None:
    path = result_path(tmp_path, patches[0])
    head = {"samples_crc": 1, "place": PLACE}
    for text, told in [
        ("{", "not JSON"),
        ("[]", "allowed table"),
        (json.dumps(head | {"codings": [{"method": "rls"}]}), "found nothing"),
        (json.dumps(head | {"codings": []}), "codings: found none"),
    ]:
        path.write_text(text)
        with pytest.raises(BadArgument, match=told) as raised:
            read_results(tmp_path, patches)
        assert str(path) in str(raised.value)
