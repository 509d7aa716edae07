"""Which tasks, metrics and systems there are: ours and those of others, by the same road.

Three sources, one :meth:`Registry.register`:

- what ships (``builtin.py``);
- entry points of installed packages, groups ``idist.eval.tasks``, ``idist.eval.metrics``, ``idist.eval.systems``;
- ``--plugin FILE.py`` or ``--plugin package.module``: a module with a mapping ``IDIST_EVAL``, for example
  ``{"metrics": {"my_metric": MyMetric}, "tasks": {"my-task": "my-task.yaml"}}``.

A target is a class, a Task, the path of a task's YAML, or ``module:attribute`` that leads to one of these; it is
imported when it is first used.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from eval_harness import specs
from eval_harness.builtin import BUILT_IN
from idist._schema import nearest
from idist.errors import UserError

if TYPE_CHECKING:
    from eval_harness.metrics.base import Metric
    from eval_harness.systems.base import System
    from eval_harness.tasks.base import Task

Kind = Literal["task", "metric", "system"]
KINDS: tuple[Kind, ...] = ("task", "metric", "system")
BUILT_IN_ORIGIN = "built in"
YAML = (".yaml", ".yml")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")  # stands in specs and in names of folders


@dataclasses.dataclass(frozen=True)
class Entry:
    """One registered name; ``target`` as in the module's description, ``origin`` in words for people."""

    kind: Kind
    name: str
    target: Any
    origin: str


class Registry:
    """Names of tasks, metrics and systems; see :func:`discover`."""

    def __init__(self) -> None:
        self._entries: dict[Kind, dict[str, Entry]] = {kind: {} for kind in KINDS}

    def register(self, kind: Kind, name: str, target: Any, origin: str) -> None:
        """Add one name. The same target under the same name twice is one (a package that is found on two paths).

        Raises:
            UserError: another target has the name (both origins are named), or it is no name.
        """
        if not _NAME.fullmatch(name):
            raise UserError(
                f"{origin}: {name!r} cannot name a {kind}, expected lower-case letters, digits, '-', '_' and '.'."
            )
        other = self._entries[kind].setdefault(name, Entry(kind, name, target, origin))
        if other.target != target:
            raise UserError(
                f"Two {kind}s are called {name!r}: one of {other.origin}, one of {origin}; "
                "uninstall one, or ask its author for another name."
            )

    def entries(self, kind: Kind) -> list[Entry]:
        """Everything registered of a kind, in the order of registration."""
        return list(self._entries[kind].values())

    def names(self, kind: Kind) -> list[str]:
        """Names of a kind, in the order of registration."""
        return list(self._entries[kind])

    def load(self, kind: Kind, name: str) -> Any:
        """A Task, or the class of a metric or system.

        Raises:
            UserError: unknown name (with the nearest), a target that cannot be imported or is something else.
        """
        if name not in self._entries[kind]:
            raise UserError(f"Unknown {kind} {name!r}; {nearest(name, self.names(kind))}")
        return _loaded(self._entries[kind][name])

    def task(self, name: str) -> Task:
        """The task of a name, or of the path of a YAML file."""
        task: Task = read_yaml(Path(name)) if name.endswith(YAML) else self.load("task", name)
        return task

    def metric(self, spec: str | specs.Spec, defaults: Mapping[str, Any] | None = None) -> Metric:
        """A metric from its spec (``bert_ibleu,model=roberta-large``); ``defaults`` as in ``specs.construct``."""
        parsed = specs.parse(spec) if isinstance(spec, str) else spec
        made: Metric = self._make("metric", parsed, defaults)
        made.name = made.name or parsed.name  # of its score in results
        made.title = made.title or made.name
        return made

    def system(self, spec: str | specs.Spec, defaults: Mapping[str, Any] | None = None) -> System:
        """A system from its spec (``hf-seq2seq:org/model,num_beams=4``); ``defaults`` as in ``specs.construct``."""
        made: System = self._make("system", spec, defaults)
        return made

    def _make(self, kind: Kind, spec: str | specs.Spec, defaults: Mapping[str, Any] | None) -> Any:
        parsed = specs.parse(spec) if isinstance(spec, str) else spec
        return specs.construct(self.load(kind, parsed.name), parsed, defaults)


def discover(plugins: Sequence[str] = ()) -> Registry:
    """Everything that ships, that installed packages offer, and that the named plug-ins bring.

    Raises:
        UserError: a name that two have; a plug-in that does not exist, cannot be imported or offers nothing.
    """
    registry = Registry()
    for kind in KINDS:
        for name, target in BUILT_IN[kind].items():
            registry.register(kind, name, target, BUILT_IN_ORIGIN)
    for kind in KINDS:
        for point in entry_points(group=f"idist.eval.{kind}s"):
            package = f"package {point.dist.name} {point.dist.version}" if point.dist else "an installed package"
            registry.register(kind, point.name, point.value, package)
    for plugin in plugins:
        _register_plugin(registry, plugin)
    return registry


def summary(entry: Entry) -> str:
    """One line for people: a task's description, or the first line of a class' docstring."""
    target = _loaded(entry)
    if entry.kind == "task":
        return str(target.description)
    return (inspect.getdoc(target) or "(no description)").splitlines()[0]


def read_yaml(path: Path) -> Task:
    """The task that a YAML file describes."""
    from eval_harness.tasks.spec import read_task

    return read_task(path)


def _register_plugin(registry: Registry, plugin: str) -> None:
    module = _import_plugin(plugin)
    offered = getattr(module, "IDIST_EVAL", None)
    if not isinstance(offered, Mapping) or not offered:
        raise UserError(
            f"Plug-in {plugin} has no mapping IDIST_EVAL, expected for example "
            'IDIST_EVAL = {"metrics": {"my_metric": MyMetric}}.'
        )
    kinds: dict[str, Kind] = {f"{kind}s": kind for kind in KINDS}
    for key, names in offered.items():
        if key not in kinds:
            raise UserError(f"Plug-in {plugin}: IDIST_EVAL has the key {key!r}; {nearest(str(key), list(kinds))}")
        if not isinstance(names, Mapping):
            raise UserError(f"Plug-in {plugin}: IDIST_EVAL[{key!r}] is {names!r}, expected names and their targets.")
        for name, target in names.items():
            if isinstance(target, str) and target.endswith(YAML):
                target = Path(module.__file__ or "").parent / target  # beside the plug-in; absolute paths stay
            registry.register(kinds[key], str(name), target, f"plug-in {plugin}")


def _import_plugin(plugin: str) -> ModuleType:
    path = Path(plugin)
    if plugin.endswith(".py") and not path.is_file():
        raise UserError(f"Plug-in {plugin} does not exist, expected a Python file or the name of a module.")
    try:
        return _import_file(path.resolve()) if plugin.endswith(".py") else importlib.import_module(plugin)
    except UserError:
        raise
    except Exception as error:  # whatever a module's own code raises
        raise UserError(f"Plug-in {plugin} cannot be imported: {_words(error)}.") from None


def _import_file(path: Path) -> ModuleType:
    """Import a file by its path, once. Dataclasses look their module up in ``sys.modules``, so it must be there."""
    name = "idist_eval_plugin_" + re.sub(r"\W", "_", str(path))
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"Plug-in {path} cannot be imported, expected a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _loaded(entry: Entry) -> Any:
    target = _attribute(entry) if isinstance(entry.target, str) else entry.target
    return _as_task(entry, target) if entry.kind == "task" else _as_class(entry, target)


def _attribute(entry: Entry) -> Any:
    """What ``module:attribute`` leads to."""
    module, _, attribute = entry.target.partition(":")
    if not attribute.strip():
        raise UserError(f"{_who(entry)} names a module alone, expected module:attribute.")
    try:
        found: Any = importlib.import_module(module.strip())
        for part in attribute.strip().split("."):
            found = getattr(found, part)
    except Exception as error:  # whatever a module's own code raises
        raise UserError(f"{_who(entry)} cannot be imported: {_words(error)}.") from None
    return found


def _as_task(entry: Entry, target: Any) -> Task:
    from eval_harness.tasks.base import Task

    if isinstance(target, Path) or (isinstance(target, str) and target.endswith(YAML)):
        target = read_yaml(Path(target))
    elif isinstance(target, type) and issubclass(target, Task):
        target = target()  # type: ignore[call-arg]  # a plug-in's task knows its own name and description
    if not isinstance(target, Task):
        raise UserError(f"{_who(entry)} is {target!r}, expected a Task or the path of its YAML.")
    if target.name != entry.name:
        raise UserError(f"{_who(entry)} calls itself {target.name!r}, expected one name in both places.")
    return target


def _as_class(entry: Entry, target: Any) -> type:
    from eval_harness.metrics.base import Metric
    from eval_harness.systems.base import System

    base = Metric if entry.kind == "metric" else System
    if not (isinstance(target, type) and issubclass(target, base)):
        raise UserError(
            f"{_who(entry)} is {target!r}, expected a class derived from {base.__module__}.{base.__name__}."
        )
    if base is System and not dataclasses.is_dataclass(target):
        raise UserError(f"{_who(entry)}: {target.__qualname__} is no dataclass, expected its settings as fields.")
    return target


def _who(entry: Entry) -> str:
    """``Metric 'shared_words' (package shared-words 0.1)``."""
    where = f"{entry.target}, " if isinstance(entry.target, str) else ""
    return f"{entry.kind.capitalize()} {entry.name!r} ({where}{entry.origin})"


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().rstrip('.')}"
