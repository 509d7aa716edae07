"""The models of the demo, loaded once for all its tests."""

from __future__ import annotations

import pytest

from demo.settings import Settings
from demo.studio import Studio
from tests.spaces.models import save_controlled


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """Paraphrases by the shipped denoiser, and two controlled students of it; no summaries."""
    folders = {kind: tmp_path_factory.mktemp(kind) for kind in ("syntax", "attributes")}
    made = {kind: save_controlled(kind, folder) for kind, folder in folders.items()}
    return Studio(Settings("embedded:student", made["syntax"], made["attributes"]))
