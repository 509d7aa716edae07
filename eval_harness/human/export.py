"""People's answers as results of the harness: ``OUT/TASK/human/SYSTEM.json`` and ``.parquet``, one a system.

They hold the items that people rated, with metrics called ``human_fluency`` and so on, so that `compare` and `report`
read them like any others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from eval_harness import environment, results, scoring
from eval_harness.human.analysis import CONFIDENCE, matrices, metric_of
from eval_harness.human.store import Rating
from eval_harness.human.study import Study
from eval_harness.results import Result
from eval_harness.statistics.resampling import RESAMPLES
from eval_harness.tasks.base import Example, fingerprint

PROTOCOL = "human"


def export(
    study: Study, ratings: Sequence[Rating], out: Path, resamples: int = RESAMPLES, seed: int = 0
) -> list[Result]:
    """Write one result a system.

    Args:
        study: what was rated.
        ratings: of finished items.
        out: folder of results.
        resamples, seed: of the intervals.

    Raises:
        UserError: no answers, answers that are not to this study, the disk is full.
    """
    tables = matrices(study, ratings)
    rated = {rating.item for rating in ratings}
    items = [item for item in study.items if item.id in rated]
    examples = [Example(item.id, item.source, item.references, item.exemplar) for item in items]
    chosen = {}
    for question in study.questions:
        metric = metric_of(study, question)
        chosen[question] = scoring.Chosen(f"{metric.name},study={study.fingerprint}", metric)
    written = []
    for system, about in study.systems.items():
        found = {one.metric.name: tables[system, question] for question, one in chosen.items()}
        scores = {
            one.metric.name: scoring.entry(one, found[one.metric.name], resamples, seed, CONFIDENCE)
            for one in chosen.values()
        }
        meta = {
            "created": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "task": {
                "origin": "local",
                "purpose": "paraphrase",
                **study.task,
                "examples": len(examples),
                "limit": None,
                "fingerprint": fingerprint(examples),
            },
            "system": {
                "name": system,
                "settings": {},
                "fingerprint": study.fingerprint,
                **about,
                "spec": system,
                "reported": False,
            },
            "protocol": PROTOCOL,
            "seed": seed,
            "resamples": resamples,
            "confidence": CONFIDENCE,
            "failures": 0,
            "scores": scores,
            "versions": environment.versions(),
            "hardware": {},
            "seconds": {},
            "human": {
                "study": study.name,
                "fingerprint": study.fingerprint,
                "annotators": len({rating.annotator for rating in ratings}),
                "answers": len(ratings),
            },
        }
        alone = {name: table[:, 0] for name, table in found.items()}
        rows = results.table(examples, [item.outputs[system] for item in items], {}, alone, found)
        written.append(results.write(results.place(out, study.task["name"], PROTOCOL, system), meta, rows))
    return written
