"""Who rates what: people, their items, the outputs in an order that tells nothing, and their answers."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eval_harness.human.questions import QUESTIONS
from eval_harness.human.store import Store
from eval_harness.human.study import Study
from eval_harness.report.text import plain
from idist._schema import nearest
from idist.errors import UserError
from rating.settings import Settings

LONGEST = 60  # characters of a name
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Answers = list[list[int | None]]  # (outputs, questions), as they are shown


@dataclass(frozen=True)
class View:
    """An item as one person sees it; no name of a system is in it.

    Attributes:
        item: its id.
        number: its place among this person's items, from 1.
        of: how many items this person has been given.
        finished: of them, all of whose questions are answered.
        source: what the systems read.
        outputs: their texts, shuffled.
        answers: of this person, so far.
    """

    item: str
    number: int
    of: int
    finished: int
    source: str
    outputs: tuple[str, ...]
    answers: Answers


class Desk:
    """Hands out items and takes answers; safe for threads.

    Args:
        study: what is rated, and by how many people.
        store: where answers go.
    """

    def __init__(self, study: Study, store: Store) -> None:
        self.study, self.store = study, store

    @classmethod
    def open(cls, settings: Settings) -> Desk:
        """With the answers that there are.

        Raises:
            UserError: the folder of the answers cannot be written to.
        """
        return cls(settings.study, Store(settings.answers, settings.study))

    def start(self, name: object) -> View | None:
        """The item that this person has begun, else a new one; None: there is none left for this person.

        Raises:
            UserError: no name, or nothing can be stored.
        """
        return self._begin(person(name))

    def _begin(self, annotator: str) -> View | None:
        begun = next((item for item, done in self.store.seats(annotator).items() if not done), None)
        item = begun or self.store.take(annotator, self.study.annotators)
        return self._view(annotator, item) if item is not None else None

    def before(self, name: object, item: object) -> View | None:
        """The item that this person was given before this one (None: it was the first; an item "": the last one)."""
        annotator = person(name)
        mine = list(self.store.seats(annotator))
        at = self._place(mine, item) if item else len(mine)
        return self._view(annotator, mine[at - 1]) if at > 0 else None

    def after(self, name: object, item: object) -> View | None:
        """The item that this person was given after this one; after the last a new one, if there is any."""
        annotator = person(name)
        mine = list(self.store.seats(annotator))
        at = self._place(mine, item)
        return self._view(annotator, mine[at + 1]) if at + 1 < len(mine) else self._begin(annotator)

    def rate(self, name: object, item: object, output: int, question: int, value: object) -> None:
        """Store one answer, by the places of the output and the question on the page.

        Raises:
            UserError: an item that this person was not given, a value that is not 1, 2 or 3, nothing can be stored.
        """
        annotator = person(name)
        self._place(list(self.store.seats(annotator)), item)
        system = self.order(annotator, str(item))[output]
        unit = (system, self.study.questions[question])
        self.store.save(annotator, str(item), {unit: _value(value, output, unit[1])}, done=False)

    def submit(self, name: object, item: object, answers: Sequence[Sequence[object]]) -> None:
        """Store all answers to an item; it is finished then, and may be changed later.

        Args:
            name: of the person.
            item: its id.
            answers: (outputs, questions), as they are shown.

        Raises:
            UserError: an answer is missing (which one is said) or no 1, 2 or 3; as `rate`.
        """
        annotator = person(name)
        self._place(list(self.store.seats(annotator)), item)
        systems, questions = self.order(annotator, str(item)), self.study.questions
        if len(answers) != len(systems) or any(len(row) != len(questions) for row in answers):
            raise UserError(f"Expected answers to {len(systems)} outputs, {len(questions)} to each.")
        values = {
            (system, question): _value(answers[output][place], output, question)
            for output, system in enumerate(systems)
            for place, question in enumerate(questions)
        }
        self.store.save(annotator, str(item), values, done=True)

    def order(self, annotator: str, item: str) -> list[str]:
        """Systems in the order in which this person sees their outputs of this item."""
        systems = list(self.study.systems)
        random.Random(f"{self.study.seed}:{item}:{annotator}").shuffle(systems)
        return systems

    def progress(self) -> tuple[int, int]:
        """(items answered, all that are wanted), each item counted once a person; more than wanted is not counted."""
        wanted = self.study.annotators
        done = sum(min(count, wanted) for count in self.store.finished().values())
        return done, wanted * len(self.study.items)

    def _view(self, annotator: str, item: str) -> View:
        seats, found = self.store.seats(annotator), self.store.answers(annotator, item)
        told, order = self.study.by_id[item], self.order(annotator, item)
        return View(
            item=item,
            number=list(seats).index(item) + 1,
            of=len(seats),
            finished=sum(seats.values()),
            source=told.source,
            outputs=tuple(told.outputs[system] for system in order),
            answers=[[found.get((system, question)) for question in self.study.questions] for system in order],
        )

    def _place(self, mine: list[str], item: object) -> int:
        if not isinstance(item, str) or item not in mine:
            raise UserError("This item was not given to you: press Start again, your answers are all there.")
        return mine.index(item)


def person(name: object) -> str:
    """A name or code as it is stored: upper and lower case and white space make no other person.

    Raises:
        UserError: empty, too long, or with characters that cannot be seen.
    """
    if not isinstance(name, str) or not name.strip():
        raise UserError("Your name or code is empty: type the one that you always use here.")
    if len(name.strip()) > LONGEST:
        raise UserError(f"Your name or code has {len(name.strip()):,} characters, expected at most {LONGEST}.")
    cleaned = plain(unicodedata.normalize("NFKC", plain(name)))
    if "\ufffd" in cleaned:
        raise UserError("Your name or code has characters that cannot be seen: type it by hand.")
    return cleaned.casefold()


def by_name(rows: Any, questions: Sequence[str]) -> list[list[object]]:
    """Answers of a program, ``[{"fluency": 3, ...}, ...]``, in the order of the page.

    Raises:
        UserError: another form, or a question that there is not.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError("ratings is no list of objects, expected one for each output, such as {'fluency': 3}.")
    strange = next((key for row in rows for key in row if key not in questions), None)
    if strange is not None:
        raise UserError(f"ratings has the question {str(strange)[:40]!r}; {nearest(str(strange), list(questions))}")
    return [[row.get(question) for question in questions] for row in rows]


def letter(output: int) -> str:
    """Of an output on the page: A, B, ..., Z, A2, ..."""
    turn, place = divmod(output, len(LETTERS))
    return LETTERS[place] + (str(turn + 1) if turn else "")


def _value(value: object, output: int, question: str) -> int:
    where = f"Output {letter(output)}, {QUESTIONS[question].title}"
    if value is None:
        raise UserError(f"{where}: there is no answer yet.")
    if isinstance(value, bool) or not isinstance(value, int | float) or value not in (1, 2, 3):
        raise UserError(f"{where}: the answer is {str(value)[:40]!r}, expected 1, 2 or 3.")
    return int(value)
