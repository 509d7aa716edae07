"""A composition of critics, run cheap before dear, every score kept.

Scoring and selecting are apart. `Cascade.score` uses models: it takes pairs through the critics in order of cost, and
a pair that is beyond a critic's *floor* is not shown to the dearer ones. `Cascade.select` uses none: it applies the
thresholds, which are at least as strict as the floors, to the scores. So the same scores can be cut again at other
thresholds, and give what a fresh run at those would give, pairs and funnel alike.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from idist._plugins import check_models
from idist.critics.base import Answer, Critic
from idist.critics.funnel import Funnel
from idist.critics.groups import Group, Judged, Kept
from idist.critics.loading import Models
from idist.critics.registry import build_critics
from idist.errors import UserError

VERSION = 1  # of the scores: raised when the same settings give other numbers than before


def build_cascade(
    critics: Sequence[Mapping[str, Mapping[str, Any] | None]],
    device: str = "auto",
    dtype: str = "auto",
    seed: int = 0,
    order: str = "cost",
    pairing: str = "ordered",
    where: str = "critics",
    models: Models | None = None,
) -> Cascade:
    """Check a composition of critics; models are loaded at the first `Cascade.score`.

    Args:
        critics: ``[{name: settings}, ...]`` as in a run's YAML.
        device, dtype: of the models; see `idist.critics.loading.Models`.
        seed: the run's; it decides which sentence of a symmetric pair becomes x.
        order: ``cost``: cheap before dear; ``given``: as listed, diversity among them (the authors' code).
        pairing: ``ordered`` (the paper): all pairs (m, n) with m != n; judged once if all critics are symmetric.
            ``unordered`` (the authors' code): m < n only, x is m.
        where: what to call the composition in messages.
        models: loaded ones to be shared with others, in place of ``device`` and ``dtype``.

    Raises:
        UserError: see `registry.build_critics`.
    """
    for name, value, valid in (("order", order, ("cost", "given")), ("pairing", pairing, ("ordered", "unordered"))):
        if value not in valid:
            raise UserError(f"{where}: {name} is {value!r}, expected one of: {', '.join(valid)}.")
    built = build_critics(critics, where)
    if order == "cost":
        built.sort(key=lambda critic: (critic.whole_groups, critic.cost))
    judged_once = pairing == "ordered" and all(critic.symmetric for critic in built)
    for critic in built:
        critic.configure(built, judged_once)
    check_models(built, where)
    return Cascade(built, models or Models(device, dtype), seed, pairing, judged_once)


class Cascade:
    """Made by `build_cascade`.

    Attributes:
        critics: in the order in which they judge.
        judged_once: a pair (i, j), i < j, stands for both orders and is oriented at the end.
    """

    def __init__(self, critics: list[Critic], models: Models, seed: int, pairing: str, judged_once: bool) -> None:
        self.critics = critics
        self.judged_once = judged_once
        self._models = models
        self._seed = seed
        self._pairing = pairing
        self._loaded = False

    @property
    def score_columns(self) -> list[str]:
        """Names of all score columns, in the critics' order."""
        return [column for critic in self.critics for column in critic.columns]

    def score(self, groups: Sequence[Group]) -> list[Judged]:
        """Judge groups together: the more at once, the fuller the models' batches.

        Args:
            groups: with different ids.

        Returns:
            One `Judged` a group, in order.

        Raises:
            UserError: a model cannot be loaded.
        """
        self._load()
        judged = [self._begin(group) for group in groups]
        for critic in self.critics:
            alive = [_alive(one) for one in judged]
            asked = [n for n, rows in enumerate(alive) if len(rows)]
            answers = critic.score_groups([(groups[n], judged[n].pairs[alive[n]]) for n in asked])
            for n, answer in zip(asked, answers, strict=True):
                _record(critic, judged[n], alive[n], answer)
        return judged

    def select(self, judged: Iterable[Judged]) -> tuple[list[Kept], Funnel]:
        """Apply the thresholds. Needs no model.

        Args:
            judged: from `score` or from stored tables, made under floors that these thresholds are within.

        Returns:
            The kept pairs, oriented, by group and then by (i, j); and what each critic removed at its threshold.

        Raises:
            UserError: see `check_scores`.
        """
        funnel = Funnel.of([critic.name for critic in self.critics])
        kept: list[Kept] = []
        checked: Mapping[str, Any] | None = None
        for one in judged:
            if one.scored is not checked:
                self.check_scores(one.scored)
                checked = one.scored
            alive = np.arange(len(one.i))
            for critic, step in zip(self.critics, funnel.steps, strict=True):
                inside = critic.select(one, alive) if len(alive) else np.zeros(0, bool)
                unjudged = np.all([np.isnan(one.scores[column][alive]) for column in critic.columns], axis=0)
                step.seen += len(alive)
                step.removed += int((~inside).sum())
                step.failed += int((~inside & unjudged).sum())
                alive = alive[inside]
            kept += [self._oriented(one, row) for row in alive.tolist()]
            funnel.groups += 1
        funnel.kept = len(kept)
        return kept, funnel

    def score_config(self) -> dict[str, Any]:
        """Plain values that decide the stored scores: critics in order, their floors, settings and models."""
        return self._score_config

    def select_config(self) -> dict[str, Any]:
        """Plain values that decide what is selected from the scores: thresholds, seed of the orientation."""
        settings = {
            critic.name: {key: getattr(critic, key) for key in critic.select_settings if hasattr(critic, key)}
            for critic in self.critics
        }
        return {"critics": settings, "seed": self._seed}

    def check_scores(self, scored: Mapping[str, Any]) -> None:
        """Whether scores made under another `score_config` serve these thresholds.

        Raises:
            UserError: they do not, and why: a threshold beyond a floor, another model, other critics.
        """
        own = self._score_config
        if scored is own or scored == own:
            return
        names, stored_names = list(own["critics"]), list(scored.get("critics", {}))
        if names != stored_names:
            raise UserError(
                f"Stored scores are by the critics {', '.join(stored_names) or 'none'}; these are asked for: "
                f"{', '.join(names)}. Score again."
            )
        for key in ("version", "pairing"):
            if own[key] != scored[key]:
                raise UserError(f"Stored scores have {key} {scored[key]!r}, this run has {own[key]!r}. Score again.")
        for critic in self.critics:
            self._check_critic(critic, scored["critics"][critic.name])

    def _check_critic(self, critic: Critic, stored: Mapping[str, Any]) -> None:
        own = self._score_config["critics"][critic.name]
        for key in ("kind", "settings", "models"):
            if own[key] != stored.get(key, own[key]):  # scores of an earlier version have no kind
                raise UserError(
                    f"Stored scores of {critic.name} were made with {key} {stored[key]}, this run has {own[key]}. "
                    "Score again."
                )
        floors = stored["floors"]
        for bound in critic.bounds():
            floor = floors.get(bound.setting)
            beyond = floor is not None and dataclasses.replace(bound, floor=floor).looser(bound.threshold)
            if beyond:
                raise UserError(
                    f"{critic.name}.{bound.setting} is {bound.threshold:g}, beyond the floor {floor:g} that the scores "
                    f"were made with; score again with {critic.name}.{bound.floor_setting} at {bound.threshold:g}."
                )
        for setting in set(floors) - {bound.setting for bound in critic.bounds()}:
            raise UserError(
                f"{critic.name}.{setting} is not set, but the scores were made with a floor of {floors[setting]:g}. "
                "Score again."
            )

    @cached_property
    def _score_config(self) -> dict[str, Any]:
        from idist.models import fingerprint

        critics = {}
        for critic in self.critics:
            models = critic.model_names()
            beside = {"min", "max", "floor", "ceiling", *critic.select_settings, *models}
            fields = [f.name for f in dataclasses.fields(critic) if f.name not in beside]
            critics[critic.name] = {
                "kind": type(critic).__qualname__,  # two kinds may have the same settings
                "floors": {bound.setting: bound.floor for bound in critic.bounds()},
                "settings": {name: getattr(critic, name) for name in fields},
                "models": {key: n if n.startswith("stanza:") else fingerprint(n) for key, n in models.items()},
            }
        pairing = "once" if self.judged_once else self._pairing
        return {"version": VERSION, "pairing": pairing, "critics": critics}

    def _load(self) -> None:
        if not self._loaded:
            for critic in self.critics:
                critic.load(self._models)
            self._loaded = True

    def _begin(self, group: Group) -> Judged:
        pairs = self._candidates(group)
        return Judged(
            id=group.id,
            sentences=group.sentences,
            i=pairs[:, 0].astype(np.int32),
            j=pairs[:, 1].astype(np.int32),
            scores={column: np.full(len(pairs), np.nan, np.float32) for column in self.score_columns},
            removed_by=np.full(len(pairs), None, object),
            oriented=self.is_oriented(group),
            scored=self._score_config,
        )

    def is_oriented(self, group: Group) -> bool:
        """Whether a group's pairs are judged in the order in which they are given, x before y."""
        return group.pairs is not None or not self.judged_once

    def _candidates(self, group: Group) -> np.ndarray:
        """(P, 2) int64, sorted."""
        size = len(group.sentences)
        if group.pairs is None:
            first, second = np.nonzero(~np.eye(size, dtype=bool))
            if self.judged_once or self._pairing == "unordered":
                first, second = np.triu_indices(size, 1)
            return np.stack([first, second], axis=1).astype(np.int64)
        pairs = np.asarray(group.pairs, np.int64).reshape(-1, 2)
        if len(pairs) and (pairs.min() < 0 or pairs.max() >= size):
            raise ValueError(f"group {group.id!r} has {size} sentences, its pairs name others")
        return pairs

    def _oriented(self, judged: Judged, row: int) -> Kept:
        i, j = int(judged.i[row]), int(judged.j[row])
        scores = {column: float(values[row]) for column, values in judged.scores.items()}
        if judged.oriented or not _coin(self._seed, judged.id, i, j):
            return Kept(judged.id, i, j, scores)
        return Kept(judged.id, j, i, {column: scores[turned_column(column, scores)] for column in scores})


def _alive(judged: Judged) -> np.ndarray:
    """Rows of pairs that no floor has removed."""
    return np.flatnonzero(judged.removed_by == None)  # noqa: E711  each element is compared


def _record(critic: Critic, judged: Judged, rows: np.ndarray, answer: Answer) -> None:
    """Store an answer; remove what is beyond the critic's floor."""
    scores = {column: answer.scores[:, n].astype(np.float32) for n, column in enumerate(critic.columns)}
    for column, values in scores.items():
        judged.scores[column][rows] = values
    for index, reason in answer.failures.items():
        said = f"{critic.name}: {reason}"
        judged.failures[index] = f"{judged.failures[index]}; {said}" if index in judged.failures else said
    if answer.edges is not None:
        judged.edges = answer.edges
    if not critic.whole_groups:
        inside = critic.within(judged.sentences, judged.pairs[rows], scores, "floor")
        judged.removed_by[rows[~inside]] = critic.name


def _coin(seed: int, group_id: str, i: int, j: int) -> bool:
    """The same for the same pair of the same run, on every machine."""
    digest = hashlib.blake2b(f"{seed}\n{group_id}\n{i}\n{j}".encode(), digest_size=1).digest()
    return bool(digest[0] & 1)


def turned_column(column: str, columns: Iterable[str]) -> str:
    """The column that holds the same score when x and y change places."""
    other = column.removesuffix("_xy") + "_yx" if column.endswith("_xy") else column.removesuffix("_yx") + "_xy"
    return other if column[-3:] in ("_xy", "_yx") and other in columns else column
