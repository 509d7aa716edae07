"""How benchmarks are handed around as files: line-aligned texts, tables, captions of pictures.

A layout is a dataclass whose fields are its settings in a task's YAML. Given a folder it says whether its files are
there (`fits`) and reads them row by row (`rows`), so that a limit reads no more than it needs. File names may hold
``*``; a file may also be there as ``NAME.gz``.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from idist import files
from idist.errors import UserError


@dataclass(frozen=True)
class Row:
    """One row of a benchmark's files or dataset, texts stripped and none of them empty.

    Attributes:
        key: what identifies the row: its number from 0 (before any filter), or an id that the data give.
        where: the row's place, for messages.
    """

    key: int | str
    source: str
    references: tuple[str, ...]
    exemplar: str | None
    where: str


class Layout(ABC):
    """One way in which a task's files may lie in a folder."""

    @abstractmethod
    def names(self) -> list[str]:
        """Names of the files, for messages."""

    def missing(self, folder: Path) -> list[str]:
        """Those of `names` that are not in the folder."""
        return [name for name in self.names() if not find(folder, name)]

    def fits(self, folder: Path) -> bool:
        """Whether the folder can be read in this layout, as far as its names and headers tell."""
        return not self.missing(folder)

    def complaint(self, folder: Path) -> str | None:
        """What is wrong with the header of a file that is there, without full stop."""
        return None

    @abstractmethod
    def rows(self, folder: Path) -> Iterator[Row]:
        """The rows, read as they are asked for.

        Raises:
            UserError: a malformed file or an empty text, with file and line.
        """


@dataclass
class Lines(Layout):
    """Files that are aligned line by line (ParaSCI, SGCP, Gigaword, Quora as two files).

    Attributes:
        source: file of the sources.
        references: files of the references; a name with ``*`` stands for all files that match, in the order of the
            numbers in their names.
        exemplar: file of the exemplars.
    """

    source: str
    references: list[str]
    exemplar: str | None = None

    def names(self) -> list[str]:
        return [self.source, *self.references, *([self.exemplar] if self.exemplar else [])]

    def rows(self, folder: Path) -> Iterator[Row]:
        paths = [path for name in self.names() for path in _needed(folder, name)]
        has_exemplar = self.exemplar is not None
        columns = [files.lines(path) for path in paths]
        for number, line in enumerate(zip_longest(*columns), start=1):
            if None in line:
                raise UserError(_lengths(paths))
            texts = [text_of(cell, f"{path}, line {number}") for path, cell in zip(paths, line, strict=True)]
            references = tuple(texts[1:-1] if has_exemplar else texts[1:])
            exemplar = texts[-1] if has_exemplar else None
            yield Row(number - 1, texts[0], references, exemplar, f"{paths[0]}, line {number}")


@dataclass
class Table(Layout):
    """A TSV or CSV file (MRPC's official one, Quora as one table, MSCOCO as source and target).

    Attributes:
        file: its name.
        source: column of the sources; without a header, its number from 1 (the highest number used is the last column).
        references: columns of the references.
        exemplar: column of the exemplars.
        id: column of ids that are unique; without one, rows are numbered.
        header: whether the first row names the columns (letter case does not matter).
        format: ``tsv``, ``csv``, or ``auto``: by the suffix.
        filter: column -> value; other rows are left out.
        one_direction: leave out a pair whose reverse came before.
    """

    file: str
    source: str
    references: list[str]
    exemplar: str | None = None
    id: str | None = None
    header: bool = True
    format: str = field(default="auto", metadata={"choices": ("auto", "tsv", "csv")})
    filter: dict[str, Any] = field(default_factory=dict)
    one_direction: bool = False

    def names(self) -> list[str]:
        return [self.file]

    def fits(self, folder: Path) -> bool:
        return super().fits(folder) and self.complaint(folder) is None

    def complaint(self, folder: Path) -> str | None:
        found = find(folder, self.file)
        return self._complaint(found[0], self._first(found[0])) if found else None

    def rows(self, folder: Path) -> Iterator[Row]:
        path = _needed(folder, self.file)[0]
        first = self._first(path)
        complaint = self._complaint(path, first)
        if complaint:
            raise UserError(f"{complaint}.")
        table = files.rows(path, self._format(path))
        places = {column: self._place(first, column) for column in self._columns()}
        if self.header:
            next(table)
        seen: set[tuple[str, ...]] = set()
        for number, (line, cells) in enumerate(table):
            if all(matches(cells[places[column] or 0].strip(), value) for column, value in self.filter.items()):
                row = self._row(number, cells, places, f"{path}, line {line}")
                if self.one_direction and (*row.references, row.source) in seen:
                    continue
                seen.add((row.source, *row.references))
                yield row

    def _row(self, number: int, cells: list[str], places: dict[str, int | None], where: str) -> Row:
        def cell(column: str) -> str:
            return text_of(cells[places[column] or 0], where, column)

        references = tuple(cell(column) for column in self.references)
        exemplar = cell(self.exemplar) if self.exemplar else None
        key = cell(self.id) if self.id else number
        return Row(key, cell(self.source), references, exemplar, where)

    def _columns(self) -> list[str]:
        optional = [column for column in (self.exemplar, self.id) if column]
        return [self.source, *self.references, *optional, *self.filter]

    def _place(self, first: list[str], column: str) -> int | None:
        if self.header:
            return files.position(first, column)
        place = int(column) - 1 if column.isdecimal() else -1
        return place if 0 <= place < len(first) else None

    def _complaint(self, path: Path, first: list[str]) -> str | None:
        absent = [column for column in self._columns() if self._place(first, column) is None]
        if self.header and absent:
            return f"{path}, line 1: no column {' or '.join(absent)}, found {files.shown(first)}"
        if not self.header and len(first) != max(map(int, self._columns())):
            return f"{path}, line 1: {len(first)} cells, expected {max(map(int, self._columns()))}"
        return None

    def _first(self, path: Path) -> list[str]:
        return next((cells for _, cells in files.rows(path, self._format(path))), [])

    def _format(self, path: Path) -> files.Format:
        if self.format == "auto":
            return files.format_of(path) or "tsv"
        return "csv" if self.format == "csv" else "tsv"


@dataclass
class Captions(Layout):
    """Captions of pictures as JSON (MSCOCO's official files): ``annotations``, each with ``image_id`` and ``caption``.

    The first caption of a picture, in the order of the file, is the source; the others are the references.

    Attributes:
        file: its name.
    """

    file: str

    def names(self) -> list[str]:
        return [self.file]

    def rows(self, folder: Path) -> Iterator[Row]:
        path = _needed(folder, self.file)[0]
        pictures: dict[int | str, list[str]] = {}
        for number, note in enumerate(_annotations(path), start=1):
            where = f"{path}, annotation {number}"
            if not isinstance(note, dict) or not isinstance(note.get("image_id"), (int, str)):
                raise UserError(f"{where}: no image_id, expected an object with image_id and caption.")
            caption = " ".join(text_of(note.get("caption"), f"{where}, caption").split())
            pictures.setdefault(note["image_id"], []).append(caption)
        for picture, captions in pictures.items():
            where = f"{path}, image_id {picture}"
            if len(captions) < 2:
                raise UserError(f"{where}: one caption, expected at least two (a source and a reference).")
            yield Row(str(picture), captions[0], tuple(captions[1:]), None, where)


LAYOUTS: dict[str, type[Layout]] = {"lines": Lines, "table": Table, "captions": Captions}


def find(folder: Path, name: str) -> list[Path]:
    """The files of a name, or of a pattern in the order of the numbers in it; ``NAME.gz`` where NAME is not there."""
    for candidate in (name, f"{name}.gz"):
        paths = folder.glob(candidate) if "*" in candidate else [folder / candidate]
        found = sorted((path for path in paths if path.is_file()), key=_natural)
        if found:
            return found
    return []


def _needed(folder: Path, name: str) -> list[Path]:
    """As `find`; where there is nothing, a path that reading will complain of."""
    return find(folder, name) or [folder / name]


def text_of(value: Any, where: str, column: str | None = None) -> str:
    """The text, stripped.

    Raises:
        UserError: not text, or nothing but white space; ``where`` and ``column`` are named.
    """
    at = f"{where}, column {column}" if column else where
    if value is not None and not isinstance(value, str):
        raise UserError(f"{at}: found {value!r}, expected text.")
    stripped = (value or "").strip()
    if not stripped:
        raise UserError(f"{at}: empty, expected text.")
    return stripped


def matches(cell: Any, value: Any) -> bool:
    """Whether a cell has the value that a filter asks for; ``1`` and ``"1"`` are one."""
    return bool(cell == value) or str(cell) == str(value)


def _natural(path: Path) -> list[int | str]:
    """``ref2`` before ``ref10``; pieces alternate between words and numbers, so that like meets like."""
    return [int(piece) if piece.isdecimal() else piece for piece in re.split(r"(\d+)", path.name)]


def _lengths(paths: list[Path]) -> str:
    counts = [sum(1 for _ in files.lines(path)) for path in paths]
    listed = ", ".join(f"{path} has {count:,}" for path, count in zip(paths, counts, strict=True))
    return f"{listed} lines; expected files of equal length, aligned line by line."


def _annotations(path: Path) -> list[Any]:
    try:
        content = json.loads("".join(files.lines(path)))
    except ValueError as error:
        raise UserError(f"{path} is not JSON: {error}.") from None
    notes = content.get("annotations") if isinstance(content, dict) else None
    if not isinstance(notes, list) or not notes:
        raise UserError(f"{path} has no list 'annotations', expected captions as MSCOCO publishes them.")
    return notes
