"""Which models and which dataset the demo shows: settings.json, environment variables, or the runs in ``runs/``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from idist.config import RunConfig, load_config
from idist.controls import CONTROLS_FILE, load_controls
from idist.critics import build_cascade
from idist.errors import UserError
from space_kit.serving import read_settings

VARIABLES = {
    "model": "IDIST_MODEL",
    "syntax_model": "IDIST_SYNTAX_MODEL",
    "attribute_model": "IDIST_ATTRIBUTE_MODEL",
    "summary_model": "IDIST_SUMMARY_MODEL",
    "dataset": "IDIST_DATASET",
}
NO_STUDENT = (
    "There is no distilled student in {runs}/ yet: run `make distill` first (about a quarter of an hour on two cores), "
    "or name a student's folder or Hub repository in IDIST_MODEL."
)


@dataclass(frozen=True)
class Settings:
    """Names of models (Hub ids, folders, ``embedded:NAME``); None: the demo does without.

    Attributes:
        model: paraphrases.
        syntax_model: was trained with the control of syntax.
        attribute_model: was trained with controls that have codes.
        summary_model: summarizes.
        dataset: a dataset's release (Hub id or folder), or a run's folder.
    """

    model: str | None = None
    syntax_model: str | None = None
    attribute_model: str | None = None
    summary_model: str | None = None
    dataset: str | None = None


def read(folder: Path, runs: Path) -> Settings:
    """What is set, and for the rest what the finished runs have; of several the newest.

    Args:
        folder: of the Space, with ``settings.json``.
        runs: where runs lie; it need not be there.

    Raises:
        UserError: ``settings.json`` is damaged; there is no student at all.
    """
    told = read_settings(folder, VARIABLES)
    found = from_runs(runs) if not told["model"] else Settings()
    both = {name: told[name] or value for name, value in dataclasses.asdict(found).items()}
    if not both["model"]:
        raise UserError(NO_STUDENT.format(runs=runs.name))
    return Settings(**both)


def from_runs(runs: Path) -> Settings:
    """The newest finished student of each kind, and the run of the one that paraphrases."""
    found: dict[str, str] = {}
    configs = sorted(runs.glob("*/config.yaml"), key=lambda path: (-path.stat().st_mtime, str(path)))
    for path in configs:
        try:
            students = dict(_students(path.parent, load_config(path)))
        except UserError as error:  # of another version, or with a critic that is not installed
            print(f"left out: {error}")
            continue
        if "model" in students and "model" not in found:
            found["dataset"] = str(path.parent)
        found = students | found
    return Settings(**found)


def _students(run: Path, config: RunConfig) -> Iterator[tuple[str, str]]:
    """(setting, folder) of each finished student of a run."""
    student, controlled = (run / stage / "model" for stage in ("train_final", "train_control"))
    if _has_model(student):
        yield "model" if _both_ways(config) else "summary_model", str(student)
    if _has_model(controlled) and (controlled / CONTROLS_FILE).is_file():
        wishes = {wish for control in load_controls(str(controlled)).controls for wish in control.wishes}
        yield "syntax_model" if "tree" in wishes else "attribute_model", str(controlled)


def _both_ways(config: RunConfig) -> bool:
    """Whether the critics ask the same of x and y: then y says x again, else it says less (a summary)."""
    return build_cascade(config.self_distil_critics()).judged_once


def _has_model(folder: Path) -> bool:
    return (folder / "config.json").is_file() and (folder.parent / "training.json").is_file()
