"""Undisturbed runs that several test files compare with; nobody changes them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from idist.models import EMBEDDED
from idist.stages import contexts, pairs, self_distil
from tests.stages.tiny import config


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Contexts and pairs of `tiny.SETTINGS`, made at one go in this process; the shipped student as stage `train`."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    contexts.run(config(), folder, progress=False)
    pairs.run(config(), folder, progress=False)
    put_student(folder)
    return folder


@pytest.fixture(scope="session")
def distilled(undisturbed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `undisturbed` with stage `self_distil`."""
    folder = Path(shutil.copytree(undisturbed, tmp_path_factory.mktemp("distilled") / "run"))
    self_distil.run(config(), folder, progress=False)
    return folder


@pytest.fixture
def copy_of(undisturbed: Path, tmp_path: Path) -> Path:
    """A copy of `undisturbed` that a test may change."""
    return Path(shutil.copytree(undisturbed, tmp_path / "run"))


def put_student(folder: Path) -> None:
    """The shipped student where stage `train` would leave one."""
    shutil.copytree(EMBEDDED / "student", folder / "train" / "model")
