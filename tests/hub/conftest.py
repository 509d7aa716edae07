"""A Hub on loopback, and the settings of its clients in this process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from idist.hub import FolderTarget, HubTarget, Target
from tests.hub.made import NAME, TOKEN, USERS
from tests.hub.mini_hub import MiniHub

ROOT = Path(__file__).parents[2]
QUICK = (0.0, 0.0, 0.0, 0.0)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MiniHub]:
    """A running Hub of users alice (of acme) and bob. This process has no token but those that a test hands over."""
    from huggingface_hub import close_session, constants
    from huggingface_hub.utils import _http

    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    # the client's own pauses between tries; ours are given to the target
    monkeypatch.setattr(_http, "time", SimpleNamespace(sleep=lambda _: None, time=time.time, monotonic=time.monotonic))
    close_session()  # the settings of an earlier client
    with MiniHub(tmp_path / "hub", USERS).running() as running:
        yield running
    close_session()


@pytest.fixture
def target(hub: MiniHub) -> HubTarget:
    return HubTarget(hub.url, TOKEN, waits=QUICK)


class Place(ABC):
    """A target and a look at what it holds of `NAME`, past the code under test."""

    target: Target

    @abstractmethod
    def files(self, revision: str = "main") -> dict[str, bytes]: ...

    @abstractmethod
    def edit(self, path: str, content: bytes) -> None:
        """As someone else would."""

    @abstractmethod
    def forget_tag(self, tag: str) -> None: ...


class OnHub(Place):
    def __init__(self, hub: MiniHub) -> None:
        from huggingface_hub import HfApi

        self.hub, self.target = hub, HubTarget(hub.url, TOKEN, waits=QUICK)
        self.api = HfApi(hub.url, TOKEN)

    def files(self, revision: str = "main") -> dict[str, bytes]:
        repo = self.hub.repo("datasets", NAME)
        found = repo.files(repo.resolve(revision))
        return {path: repo.content(file).read_bytes() for path, file in found.items() if path != ".gitattributes"}

    def edit(self, path: str, content: bytes) -> None:
        self.api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=NAME, repo_type="dataset")

    def forget_tag(self, tag: str) -> None:
        self.api.delete_tag(NAME, tag=tag, repo_type="dataset")


class InFolder(Place):
    def __init__(self, root: Path) -> None:
        self.root, self.target = root, FolderTarget(root)

    def files(self, revision: str = "main") -> dict[str, bytes]:
        folder = (self.root if revision == "main" else self.root / "tags" / revision) / "datasets" / "dimple"
        paths = [path for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    def edit(self, path: str, content: bytes) -> None:
        (self.root / "datasets" / "dimple" / path).write_bytes(content)

    def forget_tag(self, tag: str) -> None:
        shutil.rmtree(self.root / "tags" / tag)


@pytest.fixture(params=["hub", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "hub":
        return OnHub(request.getfixturevalue("hub"))
    return InFolder(tmp_path / "published")


def child(
    program: str, hub: MiniHub, home: Path, *args: str, token: str = TOKEN, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a program whose clients are set by environment variables, which they read when they are imported."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_OFFLINE": "0",
        "TRANSFORMERS_OFFLINE": "0",
        "HF_TOKEN": token,
        **settings,
    }
    return subprocess.run(
        [sys.executable, "-c", program, *args],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
