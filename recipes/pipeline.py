"""The stages in order, what each prints when it ends, and the plan that --dry-run shows."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from idist.config import FIRST_STUDENT, TRAININGS, RunConfig, TrainConfig, dump_yaml
from idist.engine import write_bytes
from idist.engine.lock import alone
from idist.errors import UserError
from idist.stages._control_student import student_path
from idist.stages._outcome import SUMMARY
from idist.stages.rounds import base, in_order, pairs_of, writer
from idist.stages.runs import STAGES, StagePlan, StageResult, job_state, remake, require_stage, stage_folder
from idist.stages.sources import SOURCES_PER_CONTEXT
from recipes.checks import check
from recipes.command import Request, output_folder, parse
from recipes.publishing import NothingFinishedError, Publisher, results_of

TAUGHT_BY = {"train": "pairs", "train_final": "self_distil", "train_control": "control"}  # training -> its pairs' stage
PATIENCE = timedelta(days=365)  # of the processes that wait for the first one


def stage_recipe(description: str | None, stages: tuple[str, ...], choose_one: bool = False) -> None:
    """A recipe for single stages: parse, plan or run, and say what was made.

    Raises:
        UserError: bad command line or config, a stage before this one that has not finished, and what stages raise.
    """
    request = parse(description, stages, choose_one)
    if request.dry_run:
        print(dry_run(request))
        return
    run_stages(request)
    publish(request)


def run_stages(request: Request) -> dict[str, StageResult]:
    """Run the request's stages in order and print each one's end.

    Critics are built (not loaded) first, so that a misspelt critic stops the run before any work. Under `accelerate
    launch` all processes train; the other stages are the first one's, and the others wait.

    Returns:
        What each stage holds that this process ran.
    """
    check(request.config)
    output_folder(request.folder)
    # what --from deletes may be what another process is making, and trainings share their checkpoints
    with alone(request.folder) if first_process() else nullcontext():
        return _run_stages(request)


def _run_stages(request: Request) -> dict[str, StageResult]:
    if request.from_stage and first_process():
        removed = remake(request.folder, request.from_stage)
        if removed:
            print(f"Deleted, to be made again: {', '.join(removed)}.")
        later = [stage for stage in removed if base(stage) not in request.stages]
        if later:
            print(f"This recipe does not make {', '.join(later)}; recipes/control.py does.")
    results = {}
    publisher = _publisher(request) if first_process() else None
    for stage in needed(request):
        if base(stage) in TRAININGS:
            _wait_for_all(request.config.device)  # for what was deleted, and for the pairs to train on
        elif not first_process():
            continue
        start = time.monotonic()
        with publisher.partial(stage, request.limit) if publisher else nullcontext():
            result = _runner(stage)(request.config, request.folder, request.limit)
        results[stage] = result
        if first_process():
            # after the stage: one that refuses this config must not find its own config overwritten
            write_bytes(request.folder / "config.yaml", dump_yaml(request.config).encode())
            print(summary(result, time.monotonic() - start), flush=True)
    return results


def _publisher(request: Request) -> Publisher | None:
    """Where ``--push`` sends what the stages make; opened before the first one, so that a missing token is said now."""
    if request.publishing.name is None:
        return None
    publisher = Publisher(request.config, request.folder, request.publishing, request.dry_run)
    kind = "model" if _makes_one_model(request) else "dataset"
    publisher.target.open(kind, request.publishing.name).exists()  # asks the Hub: a wrong token is said now
    return publisher


def dry_run(request: Request) -> str:
    """`plan`, and with ``--push`` what would be published of what has finished."""
    lines = [plan(request)]
    try:
        publisher = _publisher(request)
        if publisher is not None:
            lines += publisher.publish(request.stages, results_of(request.folder), _makes_one_model(request))
    except NothingFinishedError:
        lines.append("Nothing has finished yet that could be published.")
    except UserError as error:  # a run that is being made anew, for one: the plan says more than what stands in the way
        lines.append(f"Could not be published as it is now: {error}")
    return "\n".join(lines)


def publish(request: Request) -> None:
    """What ``--push`` asked for, after the stages: their products, with a word on what was made and where."""
    publisher = _publisher(request) if first_process() else None
    if publisher is not None:
        said = publisher.publish(request.stages, results_of(request.folder), _makes_one_model(request))
        print("\n".join(said), flush=True)


def _makes_one_model(request: Request) -> bool:
    return len(request.stages) == 1 and request.stages[0] in TRAININGS


def needed(request: Request) -> list[str]:
    """The request's stages, with those of the earlier rounds of self-distillation; pairs of another corpus need no
    contexts, unless these are all that is asked for."""
    spared = len(request.stages) > 1 and request.config.pairs.source is not None
    stages = in_order(request.stages, request.config.self_distil.rounds)
    return [stage for stage in stages if not (spared and stage == "contexts")]


def summary(result: StageResult, seconds: float) -> str:
    """One stage's end: rows, funnel, place, time."""
    rows = ", ".join(f"{count:,} {name}" for name, count in result.rows.items())
    done = f"{seconds:.0f} s" if result.made else "already there"
    counts = ", ".join(f"{name} {_number(value)}" for name, value in result.counts.items() if value)
    lines = [f"== {result.stage}: {rows} in {result.folder} ({done})"]
    if counts:
        lines.append(f"   {counts}")
    if result.funnel.get("steps"):
        from idist.critics import Funnel

        lines += ["   " + line for line in Funnel.from_dict(result.funnel).table().splitlines()]
    return "\n".join(lines)


def plan(request: Request) -> str:
    """Stages, models, counts and what is already done, as a table; loads no model, writes nothing."""
    check(request.config)
    plans = [_planner(stage)(request.config, request.folder, request.limit) for stage in needed(request)]
    engine = request.config.engine
    lines = [f"Run {request.config.name!r} in {request.folder}: {', '.join(needed(request))}"]
    sizes = f"{engine.shard_size:,} contexts or {SOURCES_PER_CONTEXT * engine.shard_size:,} sources"
    lines.append(f"Shards of up to {sizes} run with: {engine.executor}, workers {engine.workers or 'auto'}")
    width = max(12, *(len(one.stage) for one in plans))
    for one in plans:
        state = "to be made again" if _made_again(one.stage, request) else one.state
        shards = f", shards {one.done}/{one.shards}" if one.shards else ""
        items = f"{one.items:,} {one.unit}" if one.items else one.unit
        lines.append(f"{one.stage:<{width}} {state:<17} {items}{shards}; models: {', '.join(one.models) or 'none'}")
    return "\n".join(lines)


def train_stage(stage: str) -> Callable[..., StageResult]:
    """Runner of `train` (on the teacher's pairs), `train_final` (on the student's own) or `train_control` (on coded
    ones)."""

    def run(config: RunConfig, folder: Path, limit: int | None = None, progress: bool = True) -> StageResult:
        from idist.stages.train import train

        settings = resolved_training(config, folder, stage)
        files = training_files(config, folder, stage)
        own = stage_folder(folder, stage)
        made = not (own / SUMMARY).is_file()
        done = train(files, settings, own, config.seed, config.device, config.dtype, progress)
        counts: dict[str, float] = {"steps": done.steps, "held_out": done.held_out}
        if done.eval_loss is not None:
            counts["evaluation_loss"] = round(done.eval_loss, 4)
        return StageResult(stage, own, int(made), {"pairs": done.pairs}, counts, {}, done.seconds)

    return run


def training_files(config: RunConfig, folder: Path, stage: str) -> list[Path]:
    """Parquet files of the pairs that a training stage learns from.

    Raises:
        UserError: the stage that makes them has not finished.
    """
    upstream = [_taught_by(stage)]
    if base(stage) == "train_final" and config.self_distil.with_teacher:
        upstream.insert(0, "pairs")
    for name in upstream:
        require_stage(folder, name)
    return [path for name in upstream for path in pair_files(folder, name)]


def resolved_training(config: RunConfig, folder: Path, stage: str) -> TrainConfig:
    """Training settings of a stage with a folder of this run in place of its student's name."""
    from dataclasses import replace

    settings: TrainConfig = getattr(config, base(stage))
    if stage == "train_control":
        require_stage(folder, "control")
        return replace(settings, model=str(student_path(stage_folder(folder, "control"))))
    if settings.model == FIRST_STUDENT:
        training = writer(config, stage)
        student = student_folder(folder, training)
        if not (student.parent / SUMMARY).is_file():
            raise UserError(f"{student.parent} has no training.json: run the stage {training!r} first.")
        return replace(settings, model=str(student))
    return settings


def student_folder(run: Path, stage: str) -> Path:
    """Where a training stage leaves its model."""
    return stage_folder(run, stage) / "model"


def pair_files(run: Path, stage: str) -> list[Path]:
    """Parquet files of a stage's kept pairs, in order; of stage `control` with their codes."""
    table = "control" if stage == "control" else "selected"
    return sorted((stage_folder(run, stage) / table).glob("*.parquet"))


def _train_plan(stage: str) -> Callable[..., StagePlan]:
    def run(config: RunConfig, folder: Path, limit: int | None = None) -> StagePlan:
        from idist.stages.train import JOB, fingerprint

        def mark() -> dict[str, Any]:
            settings = resolved_training(config, folder, stage)
            files = training_files(config, folder, stage)
            return fingerprint(files, settings, config.seed, config.device, config.dtype)

        model = getattr(config, base(stage)).model
        if model == FIRST_STUDENT:
            model = f"run:{writer(config, stage)}"
        own = stage_folder(folder, stage)
        unit = f"pairs of {_taught_by(stage)}"
        return StagePlan(stage, own, [model], 0, unit, 0, 0, job_state(own, JOB, SUMMARY, mark))

    return run


def _runner(stage: str) -> Callable[..., StageResult]:
    if base(stage) in TRAININGS:
        return train_stage(stage)
    return _of_round(_module(stage).run, stage)


def _planner(stage: str) -> Callable[..., StagePlan]:
    if base(stage) in TRAININGS:
        return _train_plan(stage)
    return _of_round(_module(stage).plan, stage)


def _of_round(function: Callable[..., Any], stage: str) -> Callable[..., Any]:
    """A stage's function; of a round before the last it is told which."""
    return function if base(stage) == stage else partial(function, stage=stage)


def _taught_by(stage: str) -> str:
    return TAUGHT_BY[stage] if base(stage) == stage else pairs_of(stage)


def _module(stage: str) -> Any:
    from importlib import import_module

    return import_module(f"idist.stages.{base(stage)}")


def _made_again(stage: str, request: Request) -> bool:
    stages, start = in_order(STAGES, request.config.self_distil.rounds), request.from_stage
    return start is not None and stages.index(stage) >= stages.index(start)


def first_process() -> bool:
    """Under `accelerate launch` only one process speaks."""
    return os.environ.get("RANK", "0") == "0"


def _wait_for_all(device: str) -> None:
    """Until every process that `accelerate launch` started has come here, however long the first one works."""
    if os.environ.get("WORLD_SIZE", "1") == "1":
        return
    from accelerate import PartialState

    from idist.models import pick_device

    PartialState(cpu=pick_device(device) == "cpu", timeout=PATIENCE).wait_for_everyone()


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"
