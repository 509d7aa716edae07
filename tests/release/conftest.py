"""A whole run in some seconds, made once: on the shipped models, trainings of a few steps. Nobody changes it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from idist.config import RunConfig, dump_yaml
from idist.release import build_dataset
from idist.stages import contexts, pairs, self_distil
from recipes.pipeline import train_stage
from tests.stages import tiny

TEMPLATES = Path(__file__).parents[2] / "model_cards"
CHANGES: dict[str, Any] = {
    "name": "tiny",
    "pairs.critics.rouge_l.max": 0.9,
    "pairs.critics.entailment.min": 0.2,
    "pairs.critics.diversity.min": 0.2,
    "self_distil.count": 12,
    "train.model": "embedded:student",
    "train.batch_size": 2,
    "train.epochs": 1,
    "train.held_out": 0.3,
    "train.evaluations": 1,
    "train.warmup_steps": 1,
    "train.max_source_tokens": 48,
    "train.max_target_tokens": 48,
    "evaluation.num_beams": 2,
    "hub.title": "Tiny pairs",
    "hub.license": "cc-by-sa-4.0",
}


def config(changes: dict[str, Any] | None = None) -> RunConfig:
    """The run's config, with dotted keys changed."""
    return tiny.config(CHANGES | (changes or {}))


def make_run(folder: Path, changes: dict[str, Any] | None = None, stages: tuple[str, ...] = ("pairs",)) -> Path:
    """A run in ``folder`` with the stage `contexts` and those named."""
    own = config(changes)
    for stage in ("contexts", *stages):
        if stage.startswith("train"):
            train_stage(stage)(own, folder, None, False)
        else:
            {"contexts": contexts, "pairs": pairs, "self_distil": self_distil}[stage].run(own, folder, progress=False)
    (folder / "config.yaml").write_text(dump_yaml(own), encoding="utf-8")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes of all files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All five stages."""
    folder = tmp_path_factory.mktemp("whole") / "tiny"
    return make_run(folder, stages=("pairs", "train", "self_distil", "train_final"))


@pytest.fixture(scope="session")
def release(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset release of `whole`, with candidates."""
    folder = tmp_path_factory.mktemp("release") / "dimple"
    build_dataset(config(), whole, folder, "dimple", "v1.0.0", TEMPLATES, candidates=True)
    return folder


@pytest.fixture
def copy_of(whole: Path, tmp_path: Path) -> Path:
    """A copy of `whole` that a test may change."""
    return Path(shutil.copytree(whole, tmp_path / "tiny"))
