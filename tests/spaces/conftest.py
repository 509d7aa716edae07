"""The models of the demo, loaded once for all its tests, and its page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.settings import Settings
from demo.studio import Studio
from tests.spaces.browser import browser
from tests.spaces.models import save_controlled

__all__ = ["browser"]


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """Paraphrases by the shipped denoiser, and two controlled students of it; no summaries."""
    folders = {kind: tmp_path_factory.mktemp(kind) for kind in ("syntax", "attributes")}
    made = {kind: save_controlled(kind, folder) for kind, folder in folders.items()}
    return Studio(Settings("embedded:student", made["syntax"], made["attributes"]))


@pytest.fixture(scope="session")
def address(studio: Studio, distilled: tuple[Path, str]) -> Iterator[str]:
    """The demo, served; tells of the small run."""
    pytest.importorskip("gradio", reason="gradio is not installed")
    from demo.page import build
    from space_kit.serving import launch

    app = build(studio, str(distilled[0]))
    _, url, _ = launch(app, prevent_thread_lock=True, quiet=True)
    yield url
    app.close()
