"""Fixtures of the tests of systems: tiny models, and a chat model on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eval_harness.systems.chat import Chat
from tests.eval_harness.chat_server import KEY, Server, serving
from tests.eval_harness.tiny_models import ROOT, save_tiny


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Kind -> folder of a tiny random model, and of the student that ships."""
    folder = tmp_path_factory.mktemp("tiny")
    made = {kind: save_tiny(kind, folder / kind) for kind in ("t5", "bart", "gpt2")}
    return {**made, "student": str(ROOT / "idist" / "embedded" / "student")}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)  # it would forbid loopback, too
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving() as state:
        yield state


@pytest.fixture
def make(server: Server, tmp_path: Path) -> Callable[..., Chat]:
    def chat(**settings: Any) -> Chat:
        system = Chat("m", **{"base_url": server.url, "cache": str(tmp_path / "cache"), **settings})
        system._client.first_wait = 0.01
        return system

    return chat
