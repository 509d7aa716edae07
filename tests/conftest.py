"""What holds for every test."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples each time, so that what fails came with the change and not by chance; no deadlines, since two cores
# may be busy with other things. `HYPOTHESIS_PROFILE=random make test` looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# One thread here and in every process that a test starts: sums in another order would give weights with other last
# bits, and a resumed training could not be compared with an undisturbed one. Set before torch is imported.
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def distilled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder of a finished run and what the recipe printed. Tests that change it work on a copy."""
    from tests.small_run import distil

    runs = tmp_path_factory.mktemp("runs")
    return runs / "mini", distil(runs)
