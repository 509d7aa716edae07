"""What a task is: a benchmark that can be loaded as a list of examples, and the metrics that suit it."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from idist.errors import UserError

Purpose = Literal["paraphrase", "syntax", "summary"]
Origin = Literal["bundled", "local", "hub"]
# What is scored unless a task or the command line says otherwise
DEFAULT_METRICS: dict[Purpose, tuple[str, ...]] = {
    "paraphrase": ("bert_ibleu", "ibleu", "bleu", "self_bleu", "rouge_l", "cosine"),
    "syntax": ("ibleu", "bert_ibleu", "rouge_l", "ted_f", "faithfulness"),
    "summary": ("bertscore", "rouge_l", "compression", "faithfulness"),
}


@dataclass(frozen=True)
class Example:
    """One row of a benchmark.

    Attributes:
        id: unique in the task and stable: ``mrpc-000012``, or the id that the file itself gives.
        source: what a system reads.
        references: one or more good answers.
        exemplar: a sentence whose syntax the answer shall have; None in tasks without syntax control.
    """

    id: str
    source: str
    references: tuple[str, ...]
    exemplar: str | None = None


@dataclass(frozen=True)
class TaskData:
    """The examples of a task, and where they came from.

    Attributes:
        examples: at least one, ids unique.
        origin: ``bundled`` with this package, ``local`` files, or the ``hub``.
        revision: the commit on the Hub, if any.
        fingerprint: 16 hexadecimal digits of the SHA-256 of all ids and texts, in order.
    """

    examples: list[Example]
    origin: Origin
    revision: str | None
    fingerprint: str

    @classmethod
    def of(cls, examples: Sequence[Example], origin: Origin, revision: str | None = None) -> TaskData:
        """Check the examples and take their fingerprint.

        Raises:
            UserError: no example, an id that appears twice, an example without reference, exemplars in some only.
        """
        if not examples:
            raise UserError("The task has no examples, expected at least one.")
        seen: set[str] = set()
        for example in examples:
            if example.id in seen:
                raise UserError(f"Two examples have the id {example.id!r}, expected ids to be unique.")
            seen.add(example.id)
            if not example.references:
                raise UserError(f"Example {example.id!r} has no reference, expected at least one.")
            if (example.exemplar is None) != (examples[0].exemplar is None):
                with_one, without = (examples[0], example) if example.exemplar is None else (example, examples[0])
                raise UserError(
                    f"Example {with_one.id!r} has an exemplar and {without.id!r} has none, expected all or none to."
                )
        return cls(list(examples), origin, revision, fingerprint(examples))


@dataclass
class Task(ABC):
    """A benchmark. Tasks of a YAML file are read by ``eval_harness.tasks.spec``; a plug-in may derive its own.

    Attributes:
        name: how it is asked for; lower case, digits, hyphens.
        description: one line for people.
        purpose: ``paraphrase``, ``syntax`` (paraphrase in the syntax of an exemplar) or ``summary``.
        metrics: specs of what is scored by default; empty: :data:`DEFAULT_METRICS` of the purpose.
        license: of the data, as far as its authors say.
    """

    name: str
    description: str
    purpose: Purpose
    metrics: tuple[str, ...] = ()
    license: str | None = None

    @abstractmethod
    def load(self, data_dir: Path | None = None, limit: int | None = None) -> TaskData:
        """The examples, the first ``limit`` of them, from the files below ``data_dir`` if there is one.

        Raises:
            UserError: files missing or malformed (file and line are named), a wrong count, no network.
        """

    def is_present(self, data_dir: Path) -> bool:
        """Whether ``data_dir`` seems to hold files of the task, whole or not; False only if it clearly holds none."""
        return True

    def address(self) -> dict[str, Any]:
        """``hub`` (``nyu-mll/glue/mrpc``) and ``split`` for the results; None where there is none."""
        return {"hub": None, "split": None}

    def problems(self) -> list[str]:
        """What is wrong with the task as it is described, one sentence each, without loading data: for ``validate``."""
        return []

    def default_metrics(self) -> tuple[str, ...]:
        """Specs of the metrics: the task's own, or those of its purpose."""
        return tuple(self.metrics) or DEFAULT_METRICS[self.purpose]


def fingerprint(examples: Sequence[Example]) -> str:
    """16 hexadecimal digits: the SHA-256 of all ids and texts, in order."""
    digest = hashlib.sha256()
    for example in examples:
        row = [example.id, example.source, list(example.references), example.exemplar]
        digest.update(json.dumps(row, ensure_ascii=True).encode() + b"\n")
    return digest.hexdigest()[:16]
