"""What is wrong with what is registered: every check that needs no model and no network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from eval_harness import scoring, specs
from eval_harness.registry import YAML, Entry, Registry, summary
from eval_harness.tasks.base import Purpose, Task
from idist.errors import UserError

NEEDS = {"references", "exemplars"}


def entry_problems(entry: Entry, registry: Registry, data_dir: Path | None = None) -> list[str]:
    """One sentence for each thing that is wrong with a registered task, metric or system.

    Args:
        data_dir: where the files of a task are; they are read, too.
    """
    if entry.kind == "task":
        return task_problems(lambda: registry.load("task", entry.name), registry, data_dir)
    try:
        if not summary(entry).strip("."):
            return [f"{entry.kind.capitalize()} {entry.name!r} has no docstring, expected a line that says what it is."]
        kind = registry.load(entry.kind, entry.name)
        if any(dial.required for dial in specs.dials(kind).values()):
            return []  # a system that must be told which model, say
        made: Any = registry.metric(entry.name) if entry.kind == "metric" else registry.system(entry.name)
    except UserError as error:
        return [str(error)]
    return _metric_problems(entry, made) if entry.kind == "metric" else _system_problems(entry, made)


def spec_problems(text: str, registry: Registry) -> list[str]:
    """Likewise for a spec of a metric or system with settings."""
    try:
        spec = specs.parse(text)
        if spec.name in registry.names("system"):
            registry.system(spec)
        else:
            registry.metric(spec)
    except UserError as error:
        return [str(error)]
    return []


def yaml_problems(path: str, registry: Registry, data_dir: Path | None = None) -> list[str]:
    """Likewise for the YAML file of a task that need not be registered."""
    return task_problems(lambda: registry.task(path), registry, data_dir)


def task_problems(get: Callable[[], Task], registry: Registry, data_dir: Path | None) -> list[str]:
    """Likewise for the task that ``get`` gives; its data are loaded if they are bundled, or there."""
    try:
        task = get()
    except UserError as error:
        return [str(error)]
    who = f"Task {task.name!r}"
    found = list(task.problems())
    if not task.description.strip():
        found.append(f"{who} has no description, expected one line.")
    if task.purpose not in get_args(Purpose):
        found.append(f"{who}: purpose is {task.purpose!r}, expected one of: {', '.join(get_args(Purpose))}.")
    else:
        found += [f"{who}: {problem}" for problem in _spec_problems(task, registry)]
    if not found and (data_dir is not None or getattr(task, "bundled", None) is not None):
        try:
            task.load(data_dir)
        except UserError as error:
            found.append(str(error) if task.name in str(error) else f"{who}: {error}")
    return found


def is_yaml(name: str) -> bool:
    """Whether a name on the command line is the path of a task's YAML."""
    return name.endswith(YAML)


def _spec_problems(task: Task, registry: Registry) -> list[str]:
    """Of the metrics that a task is scored with by default."""
    found: list[str] = []
    seen: set[str] = set()
    for text in task.default_metrics():
        try:
            metric = scoring.make(specs.parse(text), registry, "paper").metric
        except UserError as error:
            found.append(f"metrics: {error}")
            continue
        if metric.name in seen:
            found.append(f"metrics: two are called {metric.name!r} in the results, expected different names.")
        seen.add(metric.name)
        if "exemplars" in metric.needs and task.purpose != "syntax":
            found.append(f"metrics: {text!r} needs exemplars, which only tasks with the purpose syntax have.")
    return found


def _metric_problems(entry: Entry, metric: Any) -> list[str]:
    found = []
    if metric.name != entry.name:
        found.append(f"Metric {entry.name!r} calls itself {metric.name!r}, expected one name in both places.")
    if not isinstance(metric.higher_is_better, bool | None):
        found.append(
            f"Metric {entry.name!r}: higher_is_better is {metric.higher_is_better!r}, expected True, False or None."
        )
    strange = set(metric.needs) - NEEDS
    if strange:
        found.append(f"Metric {entry.name!r} needs {min(strange)!r}, expected some of: {', '.join(sorted(NEEDS))}.")
    return found


def _system_problems(entry: Entry, system: Any) -> list[str]:
    try:
        json.dumps(system.settings())
    except TypeError as error:
        return [f"System {entry.name!r}: its settings are no JSON ({error}), expected plain values."]
    return []
