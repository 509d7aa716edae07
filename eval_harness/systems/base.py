"""What a system is: a dataclass whose fields are its settings, which turns examples into predictions.

A system of another package needs this much::

    @dataclass
    class Shout(System):
        \"\"\"The source in capitals.\"\"\"

        mark: str = "!"

        def predict(self, examples):
            return [example.source.upper() + self.mark for example in examples]

and, in its ``pyproject.toml``::

    [project.entry-points."idist.eval.systems"]
    shout = "package:Shout"

It is then asked for as ``shout`` or ``shout:?``: what follows the colon fills the first field.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar

from eval_harness.tasks.base import Example, Task, TaskData


class System(ABC):
    """Turns examples into predictions, a chunk at a time.

    Making one loads no model and reads no network; settings that make no sense raise UserError from
    ``__post_init__``. One object serves all tasks of a run, one after another.

    Class attributes:
        keeps_cache: whether finished chunks are kept on disk and not predicted again. False where predicting costs
            no more than reading the cache.
        incidental: fields that do not change the predictions (where and how fast), left out of :meth:`settings`.
        version: raised when the same settings would give other predictions than before.
    """

    keeps_cache: ClassVar[bool] = True
    incidental: ClassVar[tuple[str, ...]] = ("device", "batch_size")
    version: ClassVar[int] = 1

    @cached_property
    def failures(self) -> dict[str, str]:
        """Example id -> why it has no prediction. ``predict`` gives "" for such an example and says why here.

        The runner empties it after each chunk, counts and shows the failures, keeps the reasons with the results, and
        asks again when the same run is started once more. What is wrong for *all* examples (no key, no such model) is
        raised as UserError instead.
        """
        return {}

    def settings(self) -> dict[str, Any]:
        """All that decides the predictions, JSON-able: by default every field that is not incidental."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]  # subclasses are dataclasses, the registry checks
        return {field.name: getattr(self, field.name) for field in fields if field.name not in self.incidental}

    def models(self) -> dict[str, str]:
        """Setting -> name of each model that is loaded (Hub id, folder, ``embedded:NAME``)."""
        return {}

    def fingerprint(self) -> str:
        """16 hexadecimal digits of class, version, settings and the weights of models. Loads no model.

        A model in a folder is what it holds, wherever it lies.
        """
        kind = type(self)
        weights = {setting: _weights(name) for setting, name in self.models().items()}
        settings = {name: value for name, value in self.settings().items() if name not in weights}
        whole = [kind.__module__, kind.__qualname__, self.version, settings, weights]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:16]

    def begin(self, task: Task, data: TaskData) -> None:  # noqa: B027 (most systems look at nothing but the chunks)
        """Called before the chunks of a task, with all its examples: to choose a prompt by the task's purpose, say, or
        to check a file against the examples.

        :meth:`settings` and :meth:`fingerprint` are asked for after it, so they may depend on the task.
        """

    @abstractmethod
    def predict(self, examples: Sequence[Example]) -> list[str]:
        """One prediction per example, in order; chunks hold at most 256. The model is loaded on first use.

        Some chunks of a task may come from the cache: nothing may depend on which ones were seen before.
        """

    def usage(self) -> dict[str, int | float]:
        """What predicting has taken so far, in numbers that only grow: requests, tokens, ...; by default nothing.

        The runner asks before and after each chunk. The differences of all chunks, added up, are ``system.usage`` of
        the result; those of a chunk from the cache are of when it was made.
        """
        return {}

    def watch(self, callback: Callable[[int], None]) -> None:
        """``callback`` is told of what :meth:`advance` is told of; the runner's."""
        self.__dict__["_watcher"] = callback

    def advance(self, count: int) -> None:
        """``predict`` may say after each batch that ``count`` more examples are done: the progress bar moves."""
        watcher = self.__dict__.get("_watcher")
        if watcher is not None:
            watcher(count)

    def close(self) -> None:  # noqa: B027 (nothing to free in a system without a model)
        """Free models and connections; called after the last task. A later ``predict`` loads them again."""


def _weights(name: str) -> str:
    """Fingerprint of a model, whose folder is read once a process while it stays as it is: many tasks ask for it."""
    from idist.models import resolve

    folder = Path(resolve(name)[0])
    changed = max((path.stat().st_mtime_ns for path in folder.glob("*")), default=0) if folder.is_dir() else 0
    return _weights_of(name, changed)


@lru_cache(maxsize=64)
def _weights_of(name: str, changed: int) -> str:
    from idist.models import fingerprint

    return fingerprint(name)
