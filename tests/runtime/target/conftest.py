"""What several tests of the recorder need."""

from pathlib import Path

import pytest

from tests.runtime.target.package_flights import Ground


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """Who signs packages."""
    return Ground.made(tmp_path / "ground")
