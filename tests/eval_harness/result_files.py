"""Results on disk for tests: real overlap metrics on rewritten bundled sentences, made-up scores for other metrics."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eval_harness import results, scoring
from eval_harness.metrics.base import Floats
from eval_harness.pairs import read_pairs
from eval_harness.registry import Registry, discover
from eval_harness.results import Result
from eval_harness.scoring import Chosen
from eval_harness.statistics import bootstrap
from eval_harness.tasks.base import Example, fingerprint

OVERLAP = ("ibleu", "bleu", "self_bleu", "rouge_l")
TITLES = {"cosine": "cosine similarity", "bert_ibleu": "BERT-iBLEU", "bertscore": "BERTScore"}


def examples(count: int) -> list[Example]:
    """The first bundled pairs."""
    sources, targets = read_pairs(limit=count)
    rows = zip(sources, targets, strict=True)
    return [Example(f"scenes-{i:06d}", source, (target,)) for i, (source, target) in enumerate(rows)]


def rewritten(count: int, copied: float, seed: int = 0) -> list[str]:
    """Predictions between the target and the source: the word at each place is the source's with that chance."""
    generator = np.random.default_rng(seed)
    predictions = []
    for example in examples(count):
        source, target = example.source.split(), example.references[0].split()
        kept = generator.random(len(target)) < copied
        words = [source[min(i, len(source) - 1)] if kept[i] else word for i, word in enumerate(target)]
        predictions.append(example.source if copied >= 1 else " ".join(words))
    return predictions


def write_result(
    out: Path,
    system: str,
    predictions: Sequence[str],
    task: str = "scenes",
    protocol: Any = "paper",
    metrics: Sequence[str] = OVERLAP,
    means: Mapping[str, Floats] | None = None,
    resamples: int = 100,
    registry: Registry | None = None,
    **changes: Any,
) -> Result:
    """A result as ``run`` leaves it.

    Args:
        predictions: for the first bundled pairs, as many as there are predictions.
        metrics: specs that are scored in earnest.
        means: metric -> (n,) made-up scores of the examples; their mean is the score.
        changes: keys of the JSON, in ``task``, ``system`` or at the top, that shall have another value.
    """
    rows = examples(len(predictions))
    known = registry or discover()
    matrices: dict[str, Floats] = {}
    scores: dict[str, dict[str, Any]] = {}
    for spec in metrics:
        chosen = scoring.make(scoring.specs.parse(spec), known, protocol)
        matrices[chosen.metric.name] = scoring.statistics(chosen, scoring.aligned(rows, predictions))
        scores[chosen.metric.name] = scoring.entry(chosen, matrices[chosen.metric.name], resamples, 0, 0.95)
    for name, values in (means or {}).items():
        matrices[name] = np.asarray(values, np.float64)[:, None]
        scores[name] = _mean_entry(name, matrices[name], resamples, known)
    alone = {name: matrix[:, 0] for name, matrix in matrices.items()}
    meta = _changed(_meta(system, task, protocol, rows, resamples), changes)
    table = results.table(rows, list(predictions), {}, alone, matrices)
    return results.write(results.place(out, task, protocol, system), {**meta, "scores": scores}, table)


def leaderboard(out: Path, count: int = 12, size: int = 40, **changes: Any) -> list[Result]:
    """So many systems between writing anew and copying, with made-up similarities that fall with the distance."""
    names = [f"hf-seq2seq:org/model-{index:02d},num_beams=4" for index in range(count - 2)]
    names = ["copy-input", "idist:embedded:student", *names][:count]
    written = []
    for index, name in enumerate(names):
        copied = 1.0 if index == 0 else index / (count + 1)
        noise = np.random.default_rng(zlib.crc32(name.encode()))
        cosine = np.clip(60 + 40 * copied + noise.normal(noise.normal(0, 4), 8, size), 0, 100)
        cosine = np.full(size, 100.0) if index == 0 else cosine
        predictions = rewritten(size, copied, seed=index)
        written.append(write_result(out, name, predictions, means={"cosine": cosine}, **changes))
    return written


def _mean_entry(name: str, matrix: Floats, resamples: int, registry: Registry) -> dict[str, Any]:
    mean = registry.metric("rouge_l")  # any metric whose score is the mean of its one statistic
    low, high = bootstrap(mean, matrix, resamples)
    entry = scoring.entry(Chosen(name, mean), matrix, resamples, 0, 0.95)
    return {**entry, "title": TITLES.get(name, name), "low": low, "high": high, "signature": f"made-up:{name}"}


def _meta(system: str, task: str, protocol: str, rows: list[Example], resamples: int) -> dict[str, Any]:
    about = {"name": task, "purpose": "paraphrase", "origin": "bundled", "hub": None, "split": None, "revision": None}
    return {
        "created": "2026-11-21T12:00:00Z",
        "task": {**about, "examples": len(rows), "limit": None, "fingerprint": fingerprint(rows)},
        "system": {
            "name": system.partition(":")[0].partition(",")[0],
            "spec": system,
            "settings": {"num_beams": 4},
            "fingerprint": f"{zlib.crc32(system.encode()):08x}",
            "reported": False,
        },
        "protocol": protocol,
        "seed": 0,
        "resamples": resamples,
        "confidence": 0.95,
        "versions": {"python": "3.11.2", "idist": "0.1.0", "torch": "2.13.0"},
        "hardware": {"cpu": "two cores", "cores": 2, "gpu": None},
        "seconds": {"predict": 12.5, "score": 2.0},
        "peak_memory_mib": 700.0,
        "decontamination": None,
        "commit": None,
    }


def _changed(meta: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``limit=50`` changes ``task.limit``, ``reported=True`` changes ``system.reported``."""
    for key, value in changes.items():
        place = next((part for part in (meta["task"], meta["system"]) if key in part), meta)
        place[key] = value
    return meta
