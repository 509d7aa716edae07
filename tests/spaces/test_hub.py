"""The Space and what it shows on a Hub on loopback: pushed, and read back by name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.made import TOKEN, USERS
from tests.hub.mini_hub import MiniHub
from tests.small_run import recipe

ROOT = Path(__file__).parents[2]
READ = """
import json
from demo import made, origin
student = origin.fetch("acme/dimple-student")
told = made.read("acme/dimple@v1.0.0")
pairs = told.pairs["pairs"]
print(json.dumps([origin.critics_of(student), told.stages, len(pairs), pairs[0]["context"]]))
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[MiniHub]:
    with MiniHub(tmp_path / "hub", USERS).running() as running:
        yield running


def online(hub: MiniHub, folder: Path) -> dict[str, str]:
    """What a recipe needs to reach it."""
    home = {"HF_HOME": str(folder / "home"), "HF_HUB_DISABLE_XET": "1"}
    return {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN} | home


def test_a_space_is_pushed_once(hub: MiniHub, tmp_path: Path) -> None:
    arguments = ["impossible_t5", "--set", "model=acme/dimple-student", "--push", "acme/demo"]
    dry = recipe("push_space", *arguments, "--dry-run", folder=tmp_path, **online(hub, tmp_path))
    assert "space acme/demo v1.0.0 would be made" in dry.stdout and not hub.counted("POST", "commit"), dry.stderr
    done = recipe("push_space", *arguments, folder=tmp_path, **online(hub, tmp_path))
    assert done.returncode == 0 and TOKEN not in done.stdout + done.stderr, done.stderr
    again = recipe("push_space", *arguments, folder=tmp_path, **online(hub, tmp_path))
    assert "already published" in again.stdout and len(hub.titles("spaces", "acme/demo")) == 2


def test_student_and_dataset_are_read_by_name(distilled: tuple[Path, str], hub: MiniHub, tmp_path: Path) -> None:
    shutil.copytree(distilled[0], tmp_path / "runs" / "mini")
    known = online(hub, tmp_path)
    done = recipe("publish", "runs/mini", "--push", "acme/dimple", folder=tmp_path, **known)
    assert done.returncode == 0, done.stderr
    path = os.pathsep.join(str(ROOT / place) for place in ("", "spaces", "spaces/impossible_t5"))
    read = subprocess.run(
        [sys.executable, "-c", READ],
        cwd=tmp_path,
        env=os.environ | known | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert read.returncode == 0, read.stderr
    critics, stages, pairs, context = json.loads(read.stdout)
    from demo import made, origin

    assert critics == origin.critics_of(str(distilled[0] / "train_final" / "model"))
    assert stages == made.read(str(distilled[0])).stages and pairs > 0 and context
