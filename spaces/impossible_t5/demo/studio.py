"""All that the demo can be asked for, without a page: sentences in, answers as plain values out.

Models are loaded once, and one request at a time uses them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from demo.judge import Judge
from demo.settings import Settings
from demo.student import Student
from idist.critics import Models
from idist.errors import UserError

Answer = dict[str, Any]

MADE_BY = {
    "syntax": "python recipes/control.py --config mini-control",
    "attributes": "python recipes/control.py --config mini-attributes",
    "summary": "python recipes/distill.py --config mini-summary",
}


class Studio:
    """Students by what they do (``paraphrase``, ``syntax``, ``attributes``, ``summary``), each with its critics.

    Args:
        settings: which ones; those that are not named are not there.

    Raises:
        UserError: a model cannot be loaded, or has not the controls that it should have.
    """

    def __init__(self, settings: Settings) -> None:
        named = {
            "paraphrase": (settings.model, False),
            "syntax": (settings.syntax_model, True),
            "attributes": (settings.attribute_model, True),
            "summary": (settings.summary_model, False),
        }
        models = Models()
        self.students = {task: Student(name, controlled) for task, (name, controlled) in named.items() if name}
        self.judges = {task: Judge(student.composition, models) for task, student in self.students.items()}
        self._lock = threading.Lock()
        for task in self.students:
            self._warm_up(task)

    def student(self, task: str) -> Student:
        """Raises UserError, with the way to make it, where there is none for this task."""
        if task not in self.students:
            raise UserError(self.missing(task))
        return self.students[task]

    def missing(self, task: str) -> str:
        """What a person has to do for a task without a student."""
        return f"This demo has no student for it; `{MADE_BY[task]}` makes one, and a demo started after that shows it."

    def rewrite(
        self,
        task: str,
        sentence: str | None,
        candidates: float = 4,
        temperature: float = 0.9,
        diversity: float = 0.0,
        seed: float = 0,
        wish: Mapping[str, str] | None = None,
    ) -> Answer:
        """Candidates with verdicts and trees.

        Args:
            task: one of the students'.
            sentence: what is rewritten.
            candidates, temperature, diversity, seed: see `Student.write`.
            wish: what a controlled student is asked for; those candidates come first that are nearest to it.

        Returns:
            ``source``, ``source_tree`` (brackets or None), ``candidates`` (see `Judge.judge`, and ``tree``; with a wish
            ``apart``, the distance to what was asked for, or None), ``asked_tree`` if a tree was asked for; ``seconds``

        Raises:
            UserError: see `Student.check`, `Student.write` and `Student.wanted`.
        """
        student = self.student(task)
        source = student.check(sentence)
        with self._lock:
            begun = time.monotonic()
            prefix, wanted = student.wanted(wish) if wish else ("", {})
            texts = student.write(source, candidates, temperature, diversity, seed, prefix)
            found = self.judges[task].judge(source, texts)
            source_tree, *trees = self.judges[task].trees([source, *texts])
            distances = _apart(student, wanted, source, texts) if wish else []
        for one, tree in zip(found, trees, strict=True):
            one["tree"] = tree
        for one, distance in zip(found, distances, strict=False):
            one["apart"] = distance
        if wish:
            found.sort(key=lambda one: (one["apart"] is None, one["apart"] or 0.0))
        answer = {"source": source, "source_tree": source_tree, "candidates": found}
        if any(kind in (wish or {}) for kind in ("exemplar", "template", "tree")):
            answer["asked_tree"] = next(iter(wanted.values()))
        return answer | {"seconds": round(time.monotonic() - begun, 3)}

    def _warm_up(self, task: str) -> None:
        """The first answer of a fresh process compiles and allocates: let nobody wait for it."""
        self.judges[task].judge("A man rides a bike.", ["A bike is ridden by a man."])
        controls = self.students[task].controls
        known = [(control.wishes[-1], control.codes()) for control in controls.controls] if controls else []
        wish = {kind: codes[0] for kind, codes in known if codes}
        try:
            self.rewrite(task, "A man is riding a bike in the park.", candidates=2, temperature=1.5, wish=wish)
        except UserError as error:
            print(f"{task}: {error}")


def _apart(student: Student, wanted: dict[str, Any], source: str, texts: list[str]) -> list[float | None]:
    assert student.controls is not None
    found = student.controls.apart([wanted] * len(texts), [(source, text) for text in texts])
    return [distance if distance != float("inf") else None for distance in found]
