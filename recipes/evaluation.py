"""The last table of `recipes/distill.py`: baselines and students, scored by the harness on pairs no stage has seen."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from idist.config import EvaluationConfig, RunConfig
from idist.errors import UserError

if TYPE_CHECKING:
    from eval_harness.registry import Registry
    from eval_harness.results import Result
    from eval_harness.tasks.file_task import FileTask

TABLES = (".tsv", ".csv")


@dataclass
class Evaluation:
    """What `evaluate` made."""

    table: str
    folder: Path  # results, as `idist-eval compare` and `idist-eval report` read them
    results: list[Result]


def evaluate(config: RunConfig, students: Sequence[Path], training_pairs: Path, folder: Path) -> Evaluation:
    """Score the config's baselines and every student on its tasks.

    Args:
        config: `evaluation` says on what.
        students: folders of models.
        training_pairs: folder of parquet files: their overlap with the tasks goes into the results.
        folder: of the results; those that are there are made again, their predictions are kept.

    Raises:
        UserError: what the harness raises for a task, metric or system.
    """
    from eval_harness import runner
    from eval_harness.request import Run
    from eval_harness.specs import Spec
    from eval_harness.table import table

    settings, (registry, tasks) = config.evaluation, registered(config.evaluation)
    beams = {"num_beams": str(settings.num_beams)}
    request = Run(
        tasks=tasks,
        systems=[*settings.baselines, *(str(Spec("idist", str(model), beams)) for model in students)],
        metrics=settings.metrics,
        data_dir=Path(settings.data_dir) if settings.data_dir else None,
        limit=settings.limit,
        out=folder,
        device=config.device,
        overwrite=True,
        decontaminate=str(training_pairs),
    )
    results = runner.run(request, registry, lambda text: print(text, file=sys.stderr))
    return Evaluation(table(results), folder, results)


def registered(settings: EvaluationConfig) -> tuple[Registry, list[str]]:
    """The harness's registry, and the names of the tasks: a table of pairs becomes a task with the file's name.

    Raises:
        UserError: an unknown task, a file that is not there or has no pairs.
    """
    from eval_harness.registry import discover

    registry, names = discover(), []
    for name in settings.tasks:
        if _is_table(name):
            task = _own_task(Path(name))
            registry.register("task", task.name, task, f"evaluation.tasks ({name})")
            names.append(task.name)
        else:
            registry.task(name)
            names.append(name)
    return registry, names


def check(config: EvaluationConfig, device: str) -> None:
    """What can be known before the run: tasks, baselines, metrics; data that lie here are read.

    Raises:
        UserError: as `evaluate`.
    """
    from eval_harness import scoring
    from eval_harness.request import Run

    registry, names = registered(config)
    Run(tasks=names, systems=config.baselines or ["copy-input"], device="cpu")
    for system in config.baselines:
        registry.system(system, {"device": device})
    for name in names:
        task = registry.task(name)
        if getattr(task, "hub", None) is not None and config.data_dir is None:
            continue  # asked for when it is needed
        data = task.load(Path(config.data_dir) if config.data_dir else None, config.limit)
        scoring.choose(task, data, config.metrics, registry, "paper", device)


def _is_table(name: str) -> bool:
    from idist.files import plain_suffix

    return plain_suffix(Path(name)) in TABLES


def _own_task(path: Path) -> FileTask:
    from eval_harness.tasks.file_task import Columns, FileTask

    if not path.is_file():
        raise UserError(f"evaluation.tasks: {path} does not exist, expected a table with the columns source, target.")
    name = path.name.split(".")[0].lower()
    columns = Columns(source="source", references=["target"])
    return FileTask(name, f"Pairs of {path.name}", "paraphrase", bundled=path.resolve(), columns=columns)
