"""A task as a YAML file: what it is, and three roads to its data (bundled file, local files, the Hub).

Keys::

    name, description, purpose, license    what `eval_harness.tasks.base.Task` says
    metrics       list of metric specs scored by default; empty: those of the purpose
    examples      how many there are; another count is an error
    references    how many each has; another count is an error
    columns       of the bundled file or the Hub's dataset: source, references (one or a list), exemplar, id
    filter        column -> value: the rows to keep, likewise
    bundled       a .tsv or .csv file beside the YAML
    hub           dataset, config, split, revision, files: see `eval_harness.tasks.hub.HubSource`
    local         a layout, or a list of which the first that fits is taken: ``layout`` and its settings, see
                  `eval_harness.tasks.layouts`
    folders       where the files may be below the data folder; default: a folder of the task's name
    obtain        a sentence that says where to get the files
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from eval_harness.tasks.base import Purpose
from eval_harness.tasks.file_task import Columns, FileTask
from eval_harness.tasks.hub import HubSource
from eval_harness.tasks.layouts import LAYOUTS, Layout, Lines, Table
from idist._schema import build, nearest
from idist.config import read_yaml
from idist.errors import UserError

T = TypeVar("T")
SECTIONS = ("columns", "filter", "hub", "local")


@dataclass
class _Head:
    """The keys of a task's YAML that are no sections."""

    name: str
    description: str
    purpose: str = field(metadata={"choices": ("paraphrase", "syntax", "summary")})
    license: str | None = None
    metrics: list[str] = field(default_factory=list)
    examples: int | None = field(default=None, metadata={"low": 1, "high": float("inf")})
    references: int | None = field(default=None, metadata={"low": 1, "high": float("inf")})
    bundled: str | None = None
    folders: list[str] = field(default_factory=list)
    obtain: str | None = None


def read_task(path: Path) -> FileTask:
    """The task of a YAML file, every key checked.

    Raises:
        UserError: the file is missing or not YAML; an unknown key or layout (with the nearest), a missing one, a value
            of another type; no road to the data; an exemplar where the purpose knows none, or none where it needs one.
    """
    tree = read_yaml(path)
    if not isinstance(tree, Mapping):
        raise UserError(f"{path} holds no mapping, expected the keys of a task (name, description, purpose, ...).")
    valid = [part.name for part in dataclasses.fields(_Head)] + list(SECTIONS)
    for key in tree:
        if key not in valid:
            raise UserError(f"{path}: unknown key {str(key)!r}; {nearest(str(key), valid)}")
    where = str(path)
    head = _section(_Head, {key: value for key, value in tree.items() if key not in SECTIONS}, where, "")
    columns = tree.get("columns")
    hub = tree.get("hub")
    task = FileTask(
        name=head.name,
        description=" ".join(head.description.split()),
        purpose=_purpose(head.purpose),
        metrics=tuple(head.metrics),
        license=head.license,
        examples=head.examples,
        references=head.references,
        columns=None if columns is None else _section(Columns, columns, where, "columns."),
        filter=_mapping(tree.get("filter") or {}, where, "filter"),
        bundled=None if head.bundled is None else (path.parent / head.bundled).resolve(),
        hub=None if hub is None else _section(HubSource, hub, where, "hub."),
        local=_layouts(tree.get("local") or [], where),
        folders=head.folders,
        obtain=head.obtain and " ".join(head.obtain.split()),
    )
    _check(task, where)
    return task


def _check(task: FileTask, where: str) -> None:
    if not (task.bundled or task.hub or task.local):
        raise UserError(f"{where}: none of bundled, hub and local, expected at least one.")
    if (task.bundled or task.hub) and task.columns is None:
        raise UserError(f"{where}: no key 'columns', expected the columns of the data.")
    parts = [task.columns, *(layout for layout in task.local if isinstance(layout, (Lines, Table)))]
    for part in parts:
        if part is not None and (part.exemplar is not None) != (task.purpose == "syntax"):
            has = "names no exemplar" if part.exemplar is None else f"names the exemplar {part.exemplar!r}"
            raise UserError(f"{where}: purpose is {task.purpose} and {type(part).__name__.lower()} {has}.")


def _section(kind: type[T], tree: Any, where: str, prefix: str) -> T:
    """A dataclass from a section; a single ``references`` is a list of one."""
    values = _mapping(tree, where, prefix.rstrip("."))
    if isinstance(values.get("references"), str):
        values["references"] = [values["references"]]
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    for part in fields:
        required = part.default is dataclasses.MISSING and part.default_factory is dataclasses.MISSING
        if required and part.name not in values:
            raise UserError(f"{where}: no key {prefix + part.name!r}, expected one.")
    made = build(kind, values, where, prefix)
    if getattr(made, "references", None) == []:
        raise UserError(f"{where}: {prefix}references is empty, expected at least one.")
    return made


def _mapping(tree: Any, where: str, name: str) -> dict[str, Any]:
    if not isinstance(tree, Mapping):
        raise UserError(f"{where}: {name} is {tree!r}, expected a section of keys.")
    return dict(tree)


def _layouts(tree: Any, where: str) -> list[Layout]:
    layouts = []
    for number, part in enumerate(tree if isinstance(tree, list) else [tree]):
        prefix = f"local[{number}]." if isinstance(tree, list) else "local."
        settings = _mapping(part, where, prefix.rstrip("."))
        name = settings.pop("layout", None)
        if name not in LAYOUTS:
            found = "is missing" if name is None else f"is {name!r}"
            raise UserError(f"{where}: {prefix}layout {found}; {nearest(str(name), list(LAYOUTS))}")
        layouts.append(_section(LAYOUTS[name], settings, where, prefix))
    return layouts


def _purpose(text: str) -> Purpose:
    return "syntax" if text == "syntax" else "summary" if text == "summary" else "paraphrase"
