"""From results of the harness to a study: some examples, with what every system made of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from eval_harness.human.questions import BY_PURPOSE
from eval_harness.human.study import ANNOTATORS, Item, Study
from eval_harness.results import Result
from idist._schema import nearest
from idist.errors import UserError

REFERENCE = "reference"  # name of the system that people's own answers make


def one_task(found: Sequence[Result], task: str | None = None, systems: Sequence[str] = ()) -> list[Result]:
    """The results of one task that have examples, one for each system.

    Args:
        found: results; those of a second protocol hold the same predictions and are left out.
        task: None: the only one there is.
        systems: specs; empty: all.

    Raises:
        UserError: several tasks, no such task or system, two different results of one system, other data.
    """
    measured = [result for result in found if not result.meta["system"]["reported"]]
    tasks = sorted({result.task for result in measured})
    if task is None and len(tasks) > 1:
        raise UserError(f"There are results of {', '.join(tasks)}: choose one with --task.")
    if not tasks or (task is not None and task not in tasks):
        raise UserError(f"There are no results of the task {task!r}; {nearest(str(task), tasks)}")
    chosen: dict[str, Result] = {}
    for result in measured:
        if task in (None, result.task) and (not systems or result.system in systems):
            other = chosen.setdefault(result.system, result)
            _check_same(chosen, other, result)
    missing = next((name for name in systems if name not in chosen), None)
    if missing is not None:
        known = sorted({result.system for result in measured})
        raise UserError(f"There is no result of the system {missing!r}; {nearest(missing, known)}")
    return list(chosen.values())


def draw(
    results: Sequence[Result],
    items: int,
    seed: int = 0,
    annotators: int = ANNOTATORS,
    references: bool = False,
    name: str = "",
) -> Study:
    """A study of some examples. Those for which a system gave no answer are not drawn.

    Args:
        results: of one task, one for each system (`one_task`).
        items: how many, in the task's order; more than there are: all.
        seed: of the sample, and of the orders in which things are shown.
        annotators: wanted for each item.
        references: the first reference of each example joins as a system.
        name: of the study, for people; empty: the task's.

    Raises:
        UserError: fewer than 1 item or annotator, no example that all systems answered, no system but one.
    """
    for word, value in (("items", items), ("annotators", annotators)):
        if not 1 <= value <= 100_000:
            raise UserError(f"{word} is {value}, expected 1 or more.")
    first = results[0]
    columns = first.rows.select(["id", "source", "references", "exemplar"]).to_pylist()
    outputs = {result.system: result.rows["prediction"].to_pylist() for result in results}
    failed = [result.rows["cached_error"].to_pylist() for result in results]
    good = [k for k in range(len(columns)) if not any(column[k] for column in failed)]
    if references:
        outputs[REFERENCE] = [(row["references"] or [""])[0] for row in columns]
    if not good:
        raise UserError(f"There is no example of {first.task} that all systems answered.")
    chosen = sorted(random.Random(f"{seed}:{first.meta['task']['fingerprint']}").sample(good, min(items, len(good))))
    task: dict[str, Any] = dict(first.meta["task"])
    about = {result.system: dict(result.meta["system"]) for result in results}
    if references:
        about[REFERENCE] = {"name": REFERENCE, "spec": REFERENCE, "settings": {}, "fingerprint": task["fingerprint"]}
    parts = [
        Item(
            id=columns[k]["id"],
            source=columns[k]["source"],
            references=tuple(columns[k]["references"] or ()),
            exemplar=columns[k]["exemplar"],
            outputs={system: texts[k] or "" for system, texts in outputs.items()},
        )
        for k in chosen
    ]
    questions = BY_PURPOSE.get(task["purpose"], BY_PURPOSE["paraphrase"])
    return Study(name or first.task, False, seed, annotators, questions, task, about, tuple(parts))


def _check_same(chosen: dict[str, Result], other: Result, result: Result) -> None:
    first = next(iter(chosen.values()))
    if first.meta["task"]["fingerprint"] != result.meta["task"]["fingerprint"] or first.rows["id"] != result.rows["id"]:
        raise UserError(f"{first.path} and {result.path} are of different data; expected the same examples.")
    if other is not result and other.rows["prediction"] != result.rows["prediction"]:
        raise UserError(f"{other.path} and {result.path} are two results of {result.system}; name one of them.")
