"""Which study is rated, and where the answers go: settings.json, environment variables, or practice."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

from eval_harness.human.study import Study, read_study
from idist.errors import UserError
from rating.practice import practice_study
from space_kit.serving import read_settings

VARIABLES = {
    "study": "IDIST_STUDY",
    "answers": "IDIST_ANSWERS",
    "annotators": "IDIST_ANNOTATORS",
    "backup": "IDIST_BACKUP",
    "results_code": "IDIST_RESULTS_CODE",
}
STUDY = "study.json"  # in a dataset of the Hub
PERSISTENT = Path("/data")  # of a Space that has persistent storage


@dataclass(frozen=True)
class Settings:
    """What the Space needs to know.

    Attributes:
        study: what is rated.
        answers: folder of the answers.
        backup: dataset of the Hub that gets a copy of the answers; None: none.
        results_code: opens the results; None: they open when everything is rated.
    """

    study: Study
    answers: Path
    backup: str | None = None
    results_code: str | None = None


def read(folder: Path, runs: Path) -> Settings:
    """What is set; without a study, the one for practice.

    Args:
        folder: of the Space, with ``settings.json``.
        runs: answers are kept in ``annotations`` below it, unless told otherwise.

    Raises:
        UserError: ``settings.json`` or the study is damaged or missing, or ``annotators`` is no number of people.
    """
    told = read_settings(folder, VARIABLES)
    study = find_study(told["study"]) if told["study"] else practice_study()
    answers = Path(told["answers"]) if told["answers"] else _home(runs)
    if told["annotators"]:
        study = dataclasses.replace(study, annotators=_people(told["annotators"]))
    return Settings(study, answers, told["backup"], told["results_code"])


def find_study(name: str) -> Study:
    """A study by its file, its folder, or the dataset of the Hub that holds it (``you/study`` or ``you/study@v1``).

    Raises:
        UserError: it is not there, or damaged.
    """
    path = Path(name)
    if path.is_dir():
        path /= STUDY
    if path.exists() or path.suffix == ".json" or name.count("/") != 1:
        return read_study(path)
    from idist.hub import download

    repository, _, revision = name.partition("@")
    return read_study(download("dataset", repository, revision or None, [STUDY]) / STUDY)


def _home(runs: Path) -> Path:
    lasting = os.environ.get("SPACE_ID") and os.access(PERSISTENT, os.W_OK)
    return (PERSISTENT if lasting else runs) / "annotations"


def _people(told: object) -> int:
    if not str(told).strip().isdecimal() or not 1 <= int(str(told)) <= 1000:
        raise UserError(f"annotators is {str(told)[:40]!r}, expected how many people an item needs: 1 to 1000.")
    return int(str(told))
