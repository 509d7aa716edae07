"""What holds for every test."""

import os
from pathlib import Path

import pytest

# One thread here and in every process that a test starts: sums in another order would give weights with other last
# bits, and a resumed training could not be compared with an undisturbed one. Set before torch is imported.
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def distilled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder of a finished run and what the recipe printed. Tests that change it work on a copy."""
    from tests.small_run import distil

    runs = tmp_path_factory.mktemp("runs")
    return runs / "mini", distil(runs)
