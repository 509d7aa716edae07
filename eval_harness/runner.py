"""Every system on every task: predictions, scores, files.

All that can be checked without a model is checked first. Then one system after another: its predictions go to the cache
chunk by chunk, its scores to two files (``results``), and its models are freed before the next begins, so that memory
does not grow with the number of systems.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from eval_harness import results, scoring, specs
from eval_harness.cache import PredictionCache
from eval_harness.evaluation import Candidate, LoadedTask, evaluate, known
from eval_harness.registry import Registry
from eval_harness.request import Run
from eval_harness.results import Result
from eval_harness.tasks.base import Task, TaskData
from idist.errors import UserError

Say = Callable[[str], None]


def run(request: Run, registry: Registry, say: Say) -> list[Result]:
    """Score every system on every task; results in the order of systems, then tasks.

    Args:
        say: gets what a person should know besides the progress: what was kept, what was damaged.

    Raises:
        UserError: what is asked for is wrong in any way (found before the first prediction where that needs no
            model), results of other data or models are in the way, a system or metric fails.
    """
    tasks = _load_tasks(request, registry)
    for text in request.systems:
        checked = _candidate(text, request, registry)  # not kept: a system may hold on to what it was shown
        for loaded in tasks:
            _check_place(request, checked, loaded)
    folder = request.cache or request.out / ".cache"
    for option, place in (("--out", request.out), ("--cache", folder)):
        _check_writable(option, place)
    cache = PredictionCache(folder, lambda text: say(f"warning: {text}"))
    done: list[Result] = []
    for text in request.systems:
        candidate = _candidate(text, request, registry)
        try:
            done += [_result(request, candidate, loaded, registry, cache, say) for loaded in tasks]
        finally:
            candidate.system.close()
    return done


def _load_tasks(request: Run, registry: Registry) -> list[LoadedTask]:
    tasks: dict[str, Task] = {}
    for name in request.tasks:
        task = registry.task(name)
        if task.name in tasks:
            raise UserError(f"Two of the tasks are called {task.name!r}, expected different names in one run.")
        tasks[task.name] = task
    data = {name: task.load(request.data_dir, request.limit) for name, task in tasks.items()}
    metrics = {
        name: scoring.choose(task, data[name], request.metrics, registry, request.protocol, request.device)
        for name, task in tasks.items()
    }
    overlaps = _overlaps(request, data)
    return [LoadedTask(task, data[name], metrics[name], overlaps.get(name)) for name, task in tasks.items()]


def _overlaps(request: Run, data: Mapping[str, TaskData]) -> dict[str, dict[str, Any]]:
    """Task -> overlap of the training set with it; the training set is read once."""
    if request.decontaminate is None:
        return {}
    from eval_harness.decontamination import overlaps
    from idist.hub.corpora import open_corpus

    return overlaps(open_corpus(request.decontaminate), data, request.progress)


def _check_writable(option: str, folder: Path) -> None:
    """Raises UserError now for what would otherwise come up after hours of predictions."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"{option} {folder} cannot be written to: {error.strerror or error}.") from None


def _candidate(text: str, request: Run, registry: Registry) -> Candidate:
    spec = specs.parse(text)
    return Candidate(spec, registry.system(spec, {"device": request.device}))


def _place(request: Run, candidate: Candidate, loaded: LoadedTask) -> Path:
    return results.place(request.out, loaded.task.name, request.protocol, str(candidate.spec))


def _check_place(request: Run, candidate: Candidate, loaded: LoadedTask) -> None:
    """Raises UserError if the system refuses the data, or a result of another model, or of more data, is where this
    one would go."""
    candidate.system.begin(loaded.task, loaded.data)
    path = _place(request, candidate, loaded)
    if request.overwrite or not path.exists():
        return
    try:
        meta = results.read(path).meta
    except UserError:
        return  # damaged: made again, and said so, when its turn comes
    if meta["system"]["fingerprint"] != candidate.system.fingerprint():
        raise UserError(
            f"{path} is of another model or other settings behind {str(candidate.spec)!r}; "
            "give --overwrite to replace it, or another --out."
        )
    if meta["task"]["fingerprint"] != loaded.data.fingerprint and not _smaller_try(meta, loaded):
        before = f"{meta['task']['examples']:,} examples, fingerprint {meta['task']['fingerprint']}"
        now = f"{len(loaded.data.examples):,} examples, fingerprint {loaded.data.fingerprint}"
        raise UserError(
            f"{path} is of other data ({before}; now {now}); give --overwrite to replace it, or another --out."
        )


def _smaller_try(meta: dict[str, Any], loaded: LoadedTask) -> bool:
    """Whether a result was limited to fewer examples than there are now: what one makes before the real run."""
    return meta["task"].get("limit") is not None and meta["task"]["examples"] < len(loaded.data.examples)


def _result(
    request: Run, candidate: Candidate, loaded: LoadedTask, registry: Registry, cache: PredictionCache, say: Say
) -> Result:
    """The result that is there if nothing is missing in it, else a new one."""
    candidate.system.begin(loaded.task, loaded.data)
    path = _place(request, candidate, loaded)
    standing = None if request.overwrite else _standing(path, loaded, say)
    if standing is not None and _finished(request, standing, loaded):
        say(f"kept: {path} (same model, data and metrics; --overwrite makes it again)")
        return Result(path, standing.meta)
    return evaluate(request, candidate, loaded, standing, registry, cache, path, say)


def _standing(path: Path, loaded: LoadedTask, say: Say) -> Result | None:
    """The result at a place, both files whole, if it is of the same data."""
    if not path.exists():
        return None
    try:
        standing = results.read(path)
        standing.statistics(standing.metrics[0])  # reads the rows
    except (UserError, IndexError) as error:
        say(f"warning: {error} This is done now.")
        return None
    if standing.meta["task"]["fingerprint"] == loaded.data.fingerprint:
        return standing
    say(f"replaced: {path} (a try on {standing.meta['task']['examples']:,} examples)")
    return None


def _finished(request: Run, standing: Result, loaded: LoadedTask) -> bool:
    """Whether a result of the same predictions has all that is asked for, made the same way."""
    meta = standing.meta
    asked = (request.seed, request.resamples, request.confidence)
    return (
        (meta["seed"], meta["resamples"], meta["confidence"]) == asked
        and not meta.get("failures")
        and (request.decontaminate is None or meta.get("decontamination") == loaded.overlap)
        and all(known(standing, chosen) for chosen in loaded.metrics)
    )
