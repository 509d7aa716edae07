"""The human evaluation, served for a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from eval_harness.human.store import Store
from eval_harness.human.study import Study
from rating.desk import Desk


@contextmanager
def serving(folder: Path, study: Study) -> Iterator[tuple[str, Desk]]:
    """The address, and the desk behind it."""
    pytest.importorskip("gradio", reason="gradio is not installed")
    from rating.page import build, look
    from space_kit.serving import launch

    desk = Desk(study, Store(folder, study))
    app = build(desk)
    _, url, _ = launch(app, css=look(), prevent_thread_lock=True, quiet=True)
    try:
        yield url, desk
    finally:
        app.close()
        desk.store.close()


def call(address: str, name: str, *values: Any, wait: float = 120.0) -> tuple[int, Any]:
    """One request to an endpoint, without a client of gradio's: (status, answer)."""
    import httpx

    done = httpx.post(f"{address}gradio_api/run/{name}", json={"data": list(values)}, timeout=wait)
    told = done.json()
    return done.status_code, told["data"][0] if done.status_code == 200 else told
