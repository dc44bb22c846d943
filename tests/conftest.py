"""What several test files need: the packages that they run, the real scenes where they exist."""

from pathlib import Path

import pytest
from hypothesis import settings

from runtime.cell.flight_package import SHIPPED, SHIPPED_FLOAT, FlightPackage, FloatPackage, open_package

settings.register_profile("untimed", deadline=None)  # a busy machine is no defect, nor is a kernel's compilation
settings.load_profile("untimed")
PACKAGE_STORE = "LINERWKV_PACKAGES"
SCENES = Path(__file__).parents[2] / "shared" / "scenes"


@pytest.fixture(autouse=True)
def no_package_store(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user keeps is not looked at."""
    monkeypatch.setenv(PACKAGE_STORE, str(tmp_path_factory.getbasetemp() / "no_packages"))


@pytest.fixture(scope="session")
def package() -> FlightPackage:
    """The package that this repository ships."""
    return open_package(SHIPPED)


@pytest.fixture(scope="session")
def float_package() -> FloatPackage:
    """The shipped package in float32."""
    found = open_package(SHIPPED_FLOAT)
    assert isinstance(found, FloatPackage)
    return found


@pytest.fixture(scope="session")
def scenes() -> Path:
    """The folder of real scenes beside the repository; tests that need it are skipped without it."""
    if not SCENES.is_dir():
        pytest.skip("the real scenes (shared/scenes beside the repository) are not here")
    return SCENES
