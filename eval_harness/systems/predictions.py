"""Predictions that were made elsewhere, from a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from eval_harness.systems.base import System
from eval_harness.tasks.base import Example, Task, TaskData
from idist.errors import UserError

JSON_LINES = (".jsonl", ".ndjson", ".json")


@dataclass
class Predictions(System):
    """Predictions from a file: one a line, or JSON lines if its name ends in ``.jsonl``.

    For example ``predictions:out.txt``.

    A JSON line is ``{"prediction": "..."}``, aligned by its place, or ``{"id": "...", "prediction": "..."}``, aligned
    by the example's id; a prediction that is null counts as a failure. The number must be the task's. ``{task}`` in
    the name stands for the task: ``predictions:out/{task}.txt``.
    """

    file: str

    keeps_cache: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self._path = Path(self.file)
        self._texts: dict[str, str | None] = {}
        if "{task}" not in self.file and not self._path.is_file():
            raise UserError(f"Predictions file {self.file} does not exist.")

    def settings(self) -> dict[str, Any]:
        """The file's name and, once it can be told which, a hash of its content."""
        digest = hashlib.sha256(self._path.read_bytes()).hexdigest()[:16] if self._path.is_file() else None
        return {"file": self.file, "sha256": digest}

    def begin(self, task: Task, data: TaskData) -> None:
        """Read the file and hold it against the task's examples.

        Raises:
            UserError: no such file, not UTF-8, malformed or a wrong number of lines, ids that are not the task's.
        """
        self._path = Path(self.file.replace("{task}", task.name))
        self._texts = read_predictions(self._path, [example.id for example in data.examples], f"task {task.name!r}")

    def predict(self, examples: Sequence[Example]) -> list[str]:
        """The file's predictions for these examples; without a `begin`, they are all that the file is for."""
        texts = self._texts or read_predictions(self._path, [example.id for example in examples], "the data")
        missing = {example.id: "null in the file" for example in examples if texts[example.id] is None}
        self.failures.update(missing)
        return [texts[example.id] or "" for example in examples]


def read_predictions(path: Path, ids: Sequence[str], whose: str) -> dict[str, str | None]:
    """Example id -> prediction, None where a JSON line says null. ``whose`` names the examples, for messages.

    Raises:
        UserError: as `Predictions.begin`.
    """
    lines = _lines(path)
    if len(lines) != len(ids):
        raise UserError(f"{path} has {len(lines)} predictions, expected {len(ids)}: so many examples has {whose}.")
    if path.suffix.lower() not in JSON_LINES:
        return dict(zip(ids, lines, strict=True))
    rows = [_row(path, number, line) for number, line in enumerate(lines, start=1)]
    if not any("id" in row for row in rows):
        return dict(zip(ids, (row["prediction"] for row in rows), strict=True))
    return _by_id(path, rows, set(ids), whose)


def _lines(path: Path) -> list[str]:
    """Lines without their ends, an empty one at the end of the file left out. Only ``\\n`` ends a line."""
    try:
        raw = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UserError(f"Predictions file {path} cannot be read: {error.strerror or error}.") from None
    if not raw[-1].strip():
        raw.pop()
    lines = []
    for number, line in enumerate(raw, start=1):
        try:
            lines.append(line.decode("utf-8-sig" if number == 1 else "utf-8").strip())
        except UnicodeDecodeError:
            raise UserError(f"{path}, line {number}: not UTF-8 text.") from None
    return lines


def _row(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        raise UserError(f"{path}, line {number}: not JSON, expected an object with the key 'prediction'.") from None
    if not isinstance(row, dict) or "prediction" not in row:
        found = ", ".join(map(str, row)) if isinstance(row, dict) else type(row).__name__
        raise UserError(f"{path}, line {number}: found {found or 'no key'}, expected an object with 'prediction'.")
    prediction = row["prediction"]
    if not (prediction is None or isinstance(prediction, str)):
        raise UserError(f"{path}, line {number}: prediction is {prediction!r}, expected a text or null.")
    if isinstance(prediction, str):  # half a surrogate pair can be written in JSON, and nowhere else
        row["prediction"] = prediction.encode("utf-8", "replace").decode("utf-8").strip()
    return row


def _by_id(path: Path, rows: list[dict[str, Any]], ids: set[str], whose: str) -> dict[str, str | None]:
    texts: dict[str, str | None] = {}
    for number, row in enumerate(rows, start=1):
        if "id" not in row:
            raise UserError(f"{path}, line {number}: no id, expected one on every line or on none.")
        identifier = row["id"] if isinstance(row["id"], str) else json.dumps(row["id"])
        if identifier not in ids:
            raise UserError(f"{path}, line {number}: {whose} has no example with the id {identifier!r}.")
        if identifier in texts:
            raise UserError(f"{path}, line {number}: the id {identifier!r} comes a second time.")
        texts[identifier] = row["prediction"]
    return texts
