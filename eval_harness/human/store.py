"""People's answers on disk: SQLite, one file a study, every answer flushed before it is acknowledged.

Answers are a journal: a changed answer is a new row, the newest counts, nothing is ever deleted. A *seat* is one
person's place at one item; it is taken before the item is shown, so that two people never take the last one.
"""

from __future__ import annotations

import contextlib
import random
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval_harness.human.study import Study
from idist.errors import UserError

HELD = 1800.0  # seconds for which a seat that was taken and not finished is kept from others
WAIT = 10.0  # seconds for another process that writes
_TABLES = """
CREATE TABLE IF NOT EXISTS about(key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS seats(
    place INTEGER PRIMARY KEY AUTOINCREMENT, annotator TEXT NOT NULL, item TEXT NOT NULL,
    taken REAL NOT NULL, done REAL, UNIQUE(annotator, item));
CREATE TABLE IF NOT EXISTS answers(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, annotator TEXT NOT NULL, item TEXT NOT NULL,
    system TEXT NOT NULL, question TEXT NOT NULL, value INTEGER NOT NULL CHECK(value BETWEEN 1 AND 3));
CREATE INDEX IF NOT EXISTS answers_of ON answers(annotator, item);
CREATE TABLE IF NOT EXISTS chunks(first INTEGER PRIMARY KEY, last INTEGER NOT NULL);
"""

Unit = tuple[str, str]  # (system, question)


@dataclass(frozen=True)
class Rating:
    """One answer that counts: ``value`` in 1..3."""

    annotator: str
    item: str
    system: str
    question: str
    value: int


class Store:
    """The answers to one study; safe for threads and processes.

    Args:
        folder: is made if need be; the file in it is called after the study's fingerprint.
        study: what the answers are to.

    Raises:
        UserError: the folder cannot be written to, or the file is damaged.
    """

    def __init__(self, folder: Path, study: Study) -> None:
        self.study, self.path = study, place(folder, study)
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"The folder of answers {folder} cannot be made: {error.strerror or error}.") from None
        try:
            self._base = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None, check_same_thread=False)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=FULL")  # on the disk before the person hears "stored"
            self._base.executescript(_TABLES)
            with self._writing() as base:
                base.execute("INSERT OR IGNORE INTO about VALUES('study', ?)", (study.fingerprint,))
                base.execute("INSERT OR IGNORE INTO about VALUES('store', ?)", (secrets.token_hex(4),))
            self.name = str(self._one("SELECT value FROM about WHERE key='store'"))
        except sqlite3.Error as error:
            raise UserError(f"The answers in {self.path} cannot be opened: {error}.") from None

    def close(self) -> None:
        """Close the file; nothing is lost without."""
        self._base.close()

    def take(self, annotator: str, wanted: int) -> str | None:
        """A seat at an item that this person has not seen, for the item with the fewest people first.

        Ties are broken by the study's seed and the person: people who come at once are spread over the items.

        Args:
            annotator: the person.
            wanted: people for each item. A seat that was taken `HELD` seconds ago and not finished is free again.

        Returns:
            The item's id; None: there is none left for this person.

        Raises:
            UserError: the database does not take it.
        """
        order = [item.id for item in self.study.items]
        random.Random(f"{self.study.seed}:{annotator}").shuffle(order)
        with self._writing() as base:
            since = time.time() - HELD
            rows = base.execute(
                "SELECT item, COUNT(*) FROM seats WHERE done IS NOT NULL OR taken > ? GROUP BY item", (since,)
            )
            counts = dict(rows.fetchall())
            seen = {row[0] for row in base.execute("SELECT item FROM seats WHERE annotator = ?", (annotator,))}
            free = [item for item in order if item not in seen and counts.get(item, 0) < wanted]
            if not free:
                return None
            item = min(free, key=lambda one: counts.get(one, 0))  # the first of equals, in the person's own order
            base.execute("INSERT INTO seats(annotator, item, taken) VALUES(?, ?, ?)", (annotator, item, time.time()))
            return item

    def seats(self, annotator: str) -> dict[str, bool]:
        """Items of a person in the order in which they were taken -> whether all is answered."""
        rows = self._all("SELECT item, done IS NOT NULL FROM seats WHERE annotator = ? ORDER BY place", annotator)
        return {item: bool(done) for item, done in rows}

    def answers(self, annotator: str, item: str) -> dict[Unit, int]:
        """(system, question) -> the newest answer of a person to an item, finished or not."""
        rows = self._all(
            "SELECT system, question, value FROM answers WHERE annotator = ? AND item = ? ORDER BY seq", annotator, item
        )
        return {(system, question): value for system, question, value in rows}

    def save(self, annotator: str, item: str, values: Mapping[Unit, int], done: bool) -> None:
        """Store answers; on the disk when this returns. What is the same as before makes no new row.

        Args:
            annotator: the person, who has a seat there.
            item: the item's id.
            values: (system, question) -> 1, 2 or 3.
            done: whether this is all of the item.

        Raises:
            UserError: the person has no seat there, or the database does not take it: then nothing is stored.
        """
        now, before = time.time(), self.answers(annotator, item)
        new = [(now, annotator, item, *unit, value) for unit, value in values.items() if before.get(unit) != value]
        with self._writing() as base:
            seat = base.execute("SELECT done FROM seats WHERE annotator = ? AND item = ?", (annotator, item)).fetchone()
            if seat is None:
                raise UserError(f"Item {item[:40]!r} was not given to this person: start again.")
            base.executemany(
                "INSERT INTO answers(at, annotator, item, system, question, value) VALUES(?, ?, ?, ?, ?, ?)", new
            )
            base.execute(
                "UPDATE seats SET taken = ?, done = COALESCE(done, ?) WHERE annotator = ? AND item = ?",
                (now, now if done else None, annotator, item),
            )

    def finished(self) -> dict[str, int]:
        """Item -> people who have answered all of it."""
        return dict(self._all("SELECT item, COUNT(*) FROM seats WHERE done IS NOT NULL GROUP BY item"))

    def ratings(self) -> list[Rating]:
        """All answers to finished items, the newest of each."""
        return _ratings(self._all(_RATINGS))

    def cut(self) -> list[tuple[int, int]]:
        """(first, last) of the journal's pieces for a backup; what is new since the last call makes a new one.

        What was loaded from a backup is in none.
        """
        with self._writing() as base:
            loaded = base.execute("SELECT COALESCE(MAX(CAST(value AS INTEGER)), 0) FROM about WHERE key = 'loaded'")
            last = base.execute("SELECT COALESCE(MAX(last), ?) FROM chunks", loaded.fetchone()).fetchone()[0]
            newest = base.execute("SELECT COALESCE(MAX(seq), 0) FROM answers").fetchone()[0]
            if newest > last:
                base.execute("INSERT INTO chunks VALUES(?, ?)", (last + 1, newest))
        return [(first, last) for first, last in self._all("SELECT first, last FROM chunks ORDER BY first")]

    def journal(self, first: int, last: int) -> list[dict[str, Any]]:
        """Rows of the journal, for a backup."""
        keys = ("seq", "at", "annotator", "item", "system", "question", "value")
        rows = self._all(f"SELECT {', '.join(keys)} FROM answers WHERE seq BETWEEN ? AND ? ORDER BY seq", first, last)
        return [dict(zip(keys, row, strict=True)) for row in rows]

    def load(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Fill a store that has no answers with the journal of another one, whose disk was lost.

        Args:
            rows: as `journal` gives them, in any order. An item all of whose questions are answered is finished.

        Raises:
            UserError: there are answers already, or rows of another form.
        """
        keys = ("at", "annotator", "item", "system", "question", "value")
        try:
            found = sorted({tuple(row[key] for key in keys) for row in rows})
        except (KeyError, TypeError) as error:
            raise UserError(f"The copy of the answers is damaged: {error!r} in a row.") from None
        people: dict[tuple[str, str], dict[Unit, float]] = {}
        for at, annotator, item, system, question, _ in found:
            people.setdefault((annotator, item), {})[system, question] = at
        whole = len(self.study.units)
        with self._writing() as base:
            if base.execute("SELECT COUNT(*) FROM answers").fetchone()[0]:
                raise UserError(f"{self.path} has answers already, expected none to put a copy into.")
            marks = ", ".join("?" * len(keys))
            base.executemany(f"INSERT INTO answers({', '.join(keys)}) VALUES({marks})", found)
            base.executemany(
                "INSERT INTO seats(annotator, item, taken, done) VALUES(?, ?, ?, ?)",
                [
                    (*seat, max(units.values()), max(units.values()) if len(units) == whole else None)
                    for seat, units in people.items()
                ],
            )
            if found:
                base.execute("INSERT OR REPLACE INTO about SELECT 'loaded', MAX(seq) FROM answers")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is on the disk at the end, or nothing."""
        with self._lock, _told():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield self._base
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, _told():
            return self._base.execute(query, values).fetchall()

    def _one(self, query: str) -> Any:
        return self._all(query)[0][0]


def place(folder: Path, study: Study) -> Path:
    """File of the answers to a study."""
    return folder / f"answers-{study.fingerprint}.sqlite"


def read_ratings(folder: Path, study: Study) -> list[Rating]:
    """All answers to finished items, read beside a server that may be writing.

    Raises:
        UserError: there are no answers to this study, or the file is damaged.
    """
    path = place(folder, study)
    if not path.is_file():
        raise UserError(f"There are no answers to this study in {folder}: {path.name} does not exist.")
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=WAIT)) as base:
            return _ratings(base.execute(_RATINGS).fetchall())
    except sqlite3.Error as error:
        raise UserError(f"The answers in {path} cannot be read: {error}.") from None


_RATINGS = """
SELECT a.annotator, a.item, a.system, a.question, a.value FROM answers a
JOIN seats s ON s.annotator = a.annotator AND s.item = a.item AND s.done IS NOT NULL ORDER BY a.seq
"""


def _ratings(rows: list[tuple[Any, ...]]) -> list[Rating]:
    newest = {row[:4]: row for row in rows}
    return [Rating(*row) for row in newest.values()]


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """What is wrong with the database, in a sentence for the person who has just answered."""
    try:
        yield
    except sqlite3.Error as error:
        said = str(error)
        reasons = {
            "readonly": "its database is read-only",
            "full": "its disk is full",
            "locked": "too many people are answering at this moment",
        }
        reason = next((text for word, text in reasons.items() if word in said), f"its database says: {said}")
        raise UserError(
            f"The server could not store this: {reason}. Leave the page open and try again; "
            "what was stored before is safe."
        ) from None
