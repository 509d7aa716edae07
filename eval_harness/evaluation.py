"""One system on one task: predictions (from the cache where they are known), statistics, scores, the two files."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from eval_harness import environment, results, scoring, specs
from eval_harness.cache import CHUNK, Chunk, PredictionCache
from eval_harness.metrics.base import Floats
from eval_harness.registry import Registry
from eval_harness.request import Run
from eval_harness.results import Result
from eval_harness.scoring import Chosen
from eval_harness.systems.base import System
from eval_harness.tasks.base import Example, Task, TaskData
from idist.engine.progress import bar
from idist.errors import UserError


@dataclass(frozen=True)
class LoadedTask:
    """A task with its data, its metrics, and the overlap of a training set with it if that was asked for."""

    task: Task
    data: TaskData
    metrics: list[Chosen]
    overlap: dict[str, Any] | None


@dataclass(frozen=True)
class Candidate:
    """A system with its spec."""

    spec: specs.Spec
    system: System


@dataclass(frozen=True)
class _Predicted:
    texts: list[str]
    failures: dict[str, str]  # example id -> reason
    seconds: float  # that making them took, whenever that was
    usage: dict[str, int | float]  # likewise, in what the system counts


def evaluate(
    request: Run,
    candidate: Candidate,
    loaded: LoadedTask,
    standing: Result | None,
    registry: Registry,
    cache: PredictionCache,
    path: Path,
    say: Callable[[str], None],
) -> Result:
    """Predict, score, write. The system's ``begin`` has been called.

    Args:
        standing: an earlier result of the same system and data. Its metrics stay, whether asked for again
            or not, and their statistics are not computed again unless its predictions were others.
        path: of the result.

    Raises:
        UserError: the system or a metric fails, or the disk is full.
    """
    memory = environment.PeakMemory()
    predicted = _predict(request, candidate, loaded, cache)
    _tell_failures(candidate, loaded, predicted, say)
    started = time.perf_counter()
    metrics = [*loaded.metrics, *_earlier(request, loaded, standing, registry, say)]
    same = standing
    if standing is not None and standing.rows["prediction"].to_pylist() != predicted.texts:
        same = None  # examples that had failed were answered now
    matrices = _statistics(request, candidate, loaded, metrics, same, predicted.texts)
    interval = (request.resamples, request.seed, request.confidence)
    scores = {one.metric.name: scoring.entry(one, matrices[one.metric.name], *interval) for one in metrics}
    scored = time.perf_counter() - started + (same.meta["seconds"].get("score", 0.0) if same else 0.0)
    meta = {
        **_about(request, candidate, loaded, predicted),
        "failures": len(predicted.failures),
        "scores": scores,
        "versions": environment.versions(),
        "hardware": environment.hardware(),
        "seconds": {"predict": round(predicted.seconds, 3), "score": round(scored, 3)},
        "peak_memory_mib": memory.mib(),
        "peak_gpu_memory_mib": memory.gpu_mib(),
        "decontamination": loaded.overlap or (standing.meta.get("decontamination") if standing else None),
        "commit": environment.commit(),
    }
    alone = {one.metric.name: one.metric.per_example(matrices[one.metric.name]) for one in metrics}
    rows = results.table(loaded.data.examples, predicted.texts, predicted.failures, alone, matrices)
    return results.write(path, meta, rows)


def known(standing: Result, chosen: Chosen) -> bool:
    """Whether a result has this metric's statistics, by the signature."""
    score = standing.meta["scores"].get(chosen.metric.name)
    return score is not None and score["signature"] == chosen.metric.signature()


def _predict(request: Run, candidate: Candidate, loaded: LoadedTask, cache: PredictionCache) -> _Predicted:
    system, examples = candidate.system, loaded.data.examples
    fingerprint = system.fingerprint()
    texts: list[str] = []
    failures: dict[str, str] = {}
    seconds = 0.0
    usage: Counter[str] = Counter()
    with bar(f"{candidate.spec} on {loaded.task.name}", len(examples), 0, "examples", request.progress) as progress:
        for start in range(0, len(examples), CHUNK):
            chunk = examples[start : start + CHUNK]
            answer = cache.load(fingerprint, chunk) if system.keeps_cache else None
            if answer is None:
                answer, failed = _predict_chunk(candidate, chunk, progress)
                failures |= failed
                if system.keeps_cache and not failed:
                    cache.store(fingerprint, chunk, answer)
            elif not progress.disable:
                progress.initial += len(chunk)  # the rate is of what is predicted now
            texts += answer.predictions
            seconds += answer.seconds
            usage.update(answer.usage)
            progress.update(len(texts) - progress.n)
    return _Predicted(texts, failures, seconds, dict(usage))


def _predict_chunk(candidate: Candidate, chunk: Sequence[Example], progress: Any) -> tuple[Chunk, dict[str, str]]:
    """Predictions and failures of one chunk, checked."""
    system, started = candidate.system, time.perf_counter()
    before = system.usage()
    system.failures.clear()
    most = progress.n + len(chunk)
    system.watch(lambda count: progress.update(min(count, most - progress.n)))
    predictions = list(system.predict(chunk))
    failed = dict(system.failures)
    if len(predictions) != len(chunk):
        raise UserError(f"System {candidate.spec} gave {len(predictions)} predictions for {len(chunk)} examples.")
    for example, prediction in zip(chunk, predictions, strict=True):
        if not isinstance(prediction, str):
            raise UserError(
                f"System {candidate.spec} gave {prediction!r} for example {example.id!r}, expected a string."
            )
    strangers = failed.keys() - {example.id for example in chunk}
    if strangers:
        raise UserError(f"System {candidate.spec} reports a failure of {min(strangers)!r}, which it was not asked for.")
    took = {name: amount - before.get(name, 0) for name, amount in system.usage().items()}
    return Chunk([_encodable(text) for text in predictions], time.perf_counter() - started, took), failed


def _encodable(text: str) -> str:
    """Half a surrogate pair (an emoji that was cut in two) becomes U+FFFD: no file can hold it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _tell_failures(candidate: Candidate, loaded: LoadedTask, predicted: _Predicted, say: Callable[[str], None]) -> None:
    if not predicted.failures:
        return
    example, reason = next(iter(predicted.failures.items()))
    say(
        f"warning: {candidate.spec} gave no prediction for {len(predicted.failures):,} of {len(predicted.texts):,} "
        f"examples of {loaded.task.name}; they are scored as empty, and asked for again by the same command "
        f"(the first, {example}: {reason})"
    )


def _earlier(
    request: Run, loaded: LoadedTask, standing: Result | None, registry: Registry, say: Callable[[str], None]
) -> list[Chosen]:
    """Metrics of an earlier result that are not asked for now, but stay in it."""
    if standing is None:
        return []
    asked = {chosen.metric.name for chosen in loaded.metrics}
    kept = []
    for name in standing.metrics:
        if name not in asked:
            spec = specs.parse(standing.meta["scores"][name]["spec"])
            try:
                chosen = scoring.make(spec, registry, request.protocol, request.device)
            except UserError as error:
                say(f"warning: {standing.path} loses its metric {name!r}: {error}")
                continue
            if known(standing, chosen):
                kept.append(chosen)
            else:
                say(f"warning: {standing.path} loses its metric {name!r}: it was made with other versions or settings")
    return kept


def _statistics(
    request: Run,
    candidate: Candidate,
    loaded: LoadedTask,
    metrics: Sequence[Chosen],
    standing: Result | None,
    predictions: Sequence[str],
) -> dict[str, Floats]:
    """Metric -> (n, s), from the earlier result where it has them."""
    examples = scoring.aligned(loaded.data.examples, predictions)
    label = f"scores of {candidate.spec} on {loaded.task.name}"
    matrices: dict[str, Floats] = {}
    with bar(label, len(metrics), 0, "metrics", request.progress) as progress:
        progress.leave = False  # what remains on the screen is a bar of predictions for each system
        for one in metrics:
            name = one.metric.name
            progress.set_postfix_str(name)
            if standing is not None and known(standing, one):
                matrices[name] = standing.statistics(name)
            else:
                matrices[name] = scoring.statistics(one, examples)
            progress.update(1)
    return matrices


def _about(request: Run, candidate: Candidate, loaded: LoadedTask, predicted: _Predicted) -> dict[str, Any]:
    """The part of a result that says what was evaluated, on what, and how."""
    return {
        "created": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "task": {
            "name": loaded.task.name,
            "purpose": loaded.task.purpose,
            "origin": loaded.data.origin,
            **loaded.task.address(),
            "revision": loaded.data.revision,
            "examples": len(loaded.data.examples),
            "limit": request.limit,
            "fingerprint": loaded.data.fingerprint,
        },
        "system": {
            "name": candidate.spec.name,
            "spec": str(candidate.spec),
            "settings": candidate.system.settings(),
            "models": candidate.system.models(),
            "fingerprint": candidate.system.fingerprint(),
            "reported": False,
            "usage": predicted.usage,
        },
        "protocol": request.protocol,
        "seed": request.seed,
        "resamples": request.resamples,
        "confidence": request.confidence,
    }
