"""Rounds of self-distillation: each round's student writes the pairs that the next round's student learns from.

The paper has one round; its first version says that the loop may be iterated. The last round's stages keep the plain
names `self_distil` and `train_final`, so that whatever reads a run's result (controls, releases, evaluation) reads it
where it always was; round r before it is `self_distil_r` and `train_final_r`. Each round has sources of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from idist.config import RunConfig

ROUND_STAGES = ("self_distil", "train_final")


def base(stage: str) -> str:
    """``train_final_2`` -> ``train_final``; the name of a stage's settings and code."""
    plain, _, number = stage.rpartition("_")
    return plain if number.isdigit() and plain in ROUND_STAGES else stage


def earlier(rounds: int) -> list[str]:
    """The stages of all rounds but the last, in order."""
    return [f"{stage}_{number}" for number in range(1, rounds) for stage in ROUND_STAGES]


def round_of(config: RunConfig, stage: str) -> int:
    """1 for ``self_distil_1``; of the last round's plain name, the number of rounds."""
    return config.self_distil.rounds if base(stage) == stage else int(stage.rpartition("_")[2])


def writer(config: RunConfig, stage: str) -> str:
    """The training whose student writes a round's pairs, and from which the round's own training goes on: ``train`` for
    the first round, then that of the round before."""
    number = round_of(config, stage)
    return "train" if number == 1 else f"train_final_{number - 1}"


def pairs_of(stage: str) -> str:
    """``train_final_2`` -> ``self_distil_2``: the stage whose pairs a round's training learns from."""
    return stage.replace("train_final", "self_distil")


def in_order(stages: tuple[str, ...], rounds: int) -> tuple[str, ...]:
    """Stages with those of the earlier rounds in their place: before ``self_distil``, where both stages of a round are
    among them."""
    if not set(ROUND_STAGES) <= set(stages):
        return stages
    at = stages.index(ROUND_STAGES[0])
    return (*stages[:at], *earlier(rounds), *stages[at:])


def with_earlier(stages: Sequence[str], rounds: int) -> list[str]:
    """Stages with all that the earlier rounds made before ``self_distil``, whose student they taught."""
    return [name for stage in stages for name in ([*earlier(rounds), stage] if stage == ROUND_STAGES[0] else [stage])]


def known_rounds(run: Path, stage: str) -> int:
    """Rounds that have left a folder in a run, or that a stage's name tells of; at least 1."""
    names = [stage, *(path.name for plain in ROUND_STAGES for path in run.glob(f"{plain}_*"))]
    return 1 + max(int(name.rpartition("_")[2]) if base(name) != name else 0 for name in names)
