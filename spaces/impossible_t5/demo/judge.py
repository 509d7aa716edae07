"""The critics of a run look at every candidate and say all that they think: no score is skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from demo.origin import Composition
from idist.critics import Critic, Group, Models, build_cascade
from idist.critics.base import Bound
from idist.critics.registry import build_critics
from idist.trees import ParseFailure

TITLES = {
    "rouge_l": "ROUGE-L",
    "tree_edit_distance": "tree distance",
    "entailment_xy": "entailment from source",
    "entailment_yx": "entailment of source",
    "length_ratio": "length ratio",
}
PARSER = "embedded:parser"  # of compositions without trees


class Judge:
    """A composition of critics with its floors opened.

    Args:
        composition: as in a run's YAML; critics that choose among pairs (diversity) are left out.
        models: loaded models, shared with other judges.

    Raises:
        UserError: see `idist.critics.build_cascade`.
    """

    def __init__(self, composition: Composition, models: Models) -> None:
        self.cascade = build_cascade(opened(composition), models=models)
        names = [
            name for critic in self.cascade.critics for key, name in critic.model_names().items() if key == "parser"
        ]
        self._models, self._parser = models, names[0] if names else PARSER

    @property
    def columns(self) -> dict[str, str]:
        """Score -> ``min`` or ``max``: which side of its threshold is kept."""
        every = [bound for critic in self.cascade.critics for bound in critic.bounds()]
        return {column: bound.setting for bound in every for column in bound.columns}

    @property
    def thresholds(self) -> dict[str, float]:
        """Score -> the critic's threshold."""
        every = [bound for critic in self.cascade.critics for bound in critic.bounds()]
        return {column: bound.threshold for bound in every for column in bound.columns}

    def judge(self, source: str, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Each text against the source: ``text``, ``kept`` (by all critics), ``scores``, ``verdicts``; JSON-able."""
        pairs = np.array([(0, place + 1) for place in range(len(texts))], np.int64).reshape(-1, 2)
        [judged] = self.cascade.score([Group("asked", [source, *texts], pairs)])
        found = []
        for row, text in enumerate(texts):
            scores = {column: _number(values[row]) for column, values in judged.scores.items()}
            verdicts, kept = [], True
            for critic in self.cascade.critics:
                own = {column: judged.scores[column][[row]] for column in critic.columns}
                inside = bool(critic.within(judged.sentences, pairs[[row]], own, "threshold")[0])
                kept &= inside
                verdicts += _verdicts(critic, own, inside)
            found.append({"text": text, "kept": kept, "scores": scores, "verdicts": verdicts})
        return found

    def trees(self, sentences: Sequence[str]) -> list[str | None]:
        """The constituency tree of each in brackets; None: it has none."""
        parsed = self._models.parser(self._parser).parse(sentences)
        return [None if isinstance(tree, ParseFailure) else tree.to_brackets() for tree in parsed]


def opened(composition: Composition) -> Composition:
    """The same critics, each with the loosest floor: then no critic hides a pair from the next one."""
    found = []
    for critic in build_critics(composition, "critics"):
        if critic.whole_groups:
            continue
        [settings] = [dict(entry[critic.name] or {}) for entry in composition if critic.name in entry]
        ranges = {field.name: field.metadata for field in fields(critic)}  # type: ignore[arg-type]
        for bound in critic.bounds():
            if bound.floor_setting in ("floor", "ceiling"):
                limit = ranges[bound.floor_setting]["low" if bound.setting == "min" else "high"]
                settings[bound.floor_setting] = _finite(limit, bound)
        found.append({critic.name: settings})
    return found


def title(column: str) -> str:
    """A score's name for people."""
    return TITLES.get(column, column.replace("_", " "))


def _finite(limit: float, bound: Bound) -> float:
    """A floor must be a number that YAML could hold: where its range has no end, one far away."""
    if np.isfinite(limit):
        return type(bound.threshold)(limit)
    return type(bound.threshold)(-1e9 if bound.setting == "min" else 1e9)


def _verdicts(critic: Critic, own: dict[str, np.ndarray], inside: bool) -> list[dict[str, Any]]:
    """One for each score that has a threshold. A critic with one of them is as exact as in the pipeline."""
    asked = [(bound, column) for bound in critic.bounds() for column in bound.columns]
    return [
        {
            "critic": critic.name,
            "score": column,
            "value": _number(own[column][0]),
            "side": bound.setting,
            "threshold": bound.threshold,
            "passed": inside if len(asked) == 1 else bool(bound.within(own[column], bound.threshold)[0]),
        }
        for bound, column in asked
    ]


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)
