"""The task that a YAML file describes: loads a bundled file, local files or a dataset of the Hub, and checks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from eval_harness.tasks.base import Example, Origin, Task, TaskData
from eval_harness.tasks.hub import HubSource, records
from eval_harness.tasks.layouts import Layout, Row, Table, matches, text_of
from idist import files
from idist._schema import nearest
from idist.errors import UserError
from idist.hub.dataset_files import download


@dataclass
class Columns:
    """Columns of a table or dataset; a column of references may hold lists of texts."""

    source: str
    references: list[str]
    exemplar: str | None = None
    id: str | None = None


@dataclass
class FileTask(Task):
    """A task that a YAML file describes; see the module for its keys.

    Attributes:
        bundled: path of the file, if the task brings its data.
    """

    examples: int | None = None
    references: int | None = None
    columns: Columns | None = None
    filter: dict[str, Any] = field(default_factory=dict)
    bundled: Path | None = None
    hub: HubSource | None = None
    local: list[Layout] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    obtain: str | None = None

    def load(self, data_dir: Path | None = None, limit: int | None = None) -> TaskData:
        """The examples, the first ``limit`` of them: the bundled file's; else those of files below ``data_dir``, if
        it is given; else the Hub's. Counts are checked unless there is a limit.

        Raises:
            UserError: as `Task.load`; the task is named.
        """
        if limit is not None and limit < 1:
            raise UserError(f"limit is {limit}, expected at least 1 example.")
        try:
            rows, origin, revision, where = self._road(data_dir)
            examples = [self._example(row) for row in islice(rows, limit)]
            if not examples:
                raise UserError(f"{where}: no row {self._kept()}, expected at least one.")
            if limit is None and self.examples not in (None, len(examples)):
                raise UserError(
                    f"{where}: {len(examples):,} examples {self._kept()}, expected {self.examples:,}; "
                    "another release of the data? (A limit skips this check.)"
                )
            return TaskData.of(examples, origin, revision)
        except UserError as error:
            raise UserError(f"Task {self.name!r}: {error}") from None

    def is_present(self, data_dir: Path) -> bool:
        """Whether a file of any of the local layouts is there; True for a bundled task."""
        if self.bundled is not None:
            return True
        folders = self._folders(data_dir)
        return any(len(layout.missing(folder)) < len(layout.names()) for folder in folders for layout in self.local)

    def address(self) -> dict[str, Any]:
        """``hub`` (``nyu-mll/glue/mrpc``) and ``split``; None where the task is not on the Hub."""
        if self.hub is None:
            return {"hub": None, "split": None}
        return {"hub": self.hub.address(), "split": self.hub.split}

    def problems(self) -> list[str]:
        """What is wrong with the description, without loading data."""
        found = []
        if self.bundled is not None and not self.bundled.is_file():
            found.append(f"Task {self.name!r}: the bundled file {self.bundled} does not exist.")
        if self.hub is None and self.bundled is None and not self.obtain:
            found.append(f"Task {self.name!r} has neither hub nor bundled, expected obtain to say where its files are.")
        return found

    def _road(self, data_dir: Path | None) -> tuple[Iterator[Row], Origin, str | None, str]:
        """Rows, origin, commit on the Hub, and the place for messages."""
        if self.bundled is not None:
            table = self._table(self.bundled.name)
            return table.rows(self.bundled.parent), "bundled", None, str(self.bundled)
        if data_dir is not None:
            layout, folder = self._found(data_dir)
            return layout.rows(folder), "local", None, str(folder / layout.names()[0])
        if self.hub is None:
            raise UserError(
                f"its data are not on the Hub, give their folder with --data-dir. {self.obtain or ''}".strip()
            )
        paths, commit = download(self.hub.dataset, self.hub.revision, [self.hub.pattern()])
        where = f"{self.hub.dataset}@{commit[:12]}, {self.hub.pattern()}"
        return self._downloaded(paths, where), "hub", commit, where

    def _found(self, data_dir: Path) -> tuple[Layout, Path]:
        """The first layout that fits, and the folder in which it does."""
        if not data_dir.is_dir():
            raise UserError(f"data folder {data_dir} does not exist.")
        if not self.local:
            raise UserError("it has no local layout, leave --data-dir away to load it from the Hub.")
        folders = self._folders(data_dir)
        for folder in folders:
            for layout in self.local:
                if layout.fits(folder):
                    return layout, folder
        raise UserError(self._not_found(data_dir, folders))

    def _folders(self, data_dir: Path) -> list[Path]:
        """Where the files may be: the task's own folders below the data folder, that folder, ``test`` in each."""
        places = [data_dir / name for name in (self.folders or [self.name])] + [data_dir]
        return [folder for place in places for folder in (place, place / "test") if folder.is_dir()]

    def _not_found(self, data_dir: Path, folders: list[Path]) -> str:
        """The nearest miss: a file with another header, or one of several files; else what was looked for where."""
        for folder in folders:
            for layout in self.local:
                complaint = layout.complaint(folder)
                if complaint:
                    return f"{complaint}."
                missing = layout.missing(folder)
                if len(missing) < len(layout.names()):
                    there = [name for name in layout.names() if name not in missing]
                    return f"{folder} has {', '.join(there)} but no {', '.join(missing)}, expected all of them."
        wanted = ", or ".join(" and ".join(layout.names()) for layout in self.local)
        named = " or ".join(self.folders or [self.name])
        return f"no files in {data_dir}, expected {wanted} there or in its folder {named}.{self._hint()}"

    def _hint(self) -> str:
        return f" {self.obtain}" if self.obtain else ""

    def _table(self, file: str) -> Table:
        columns = self._columns()
        return Table(file, columns.source, columns.references, columns.exemplar, columns.id, filter=self.filter)

    def _columns(self) -> Columns:
        if self.columns is None:
            raise UserError("it has no columns, expected columns.source and columns.references.")
        return self.columns

    def _downloaded(self, paths: list[Path], where: str) -> Iterator[Row]:
        if files.format_of(paths[0]):
            for path in paths:
                for row in self._table(path.name).rows(path.parent):
                    # rows are numbered file by file
                    yield row if len(paths) == 1 else replace(row, key=f"{path.stem}-{row.key}")
            return
        columns = self._columns()
        for number, record in enumerate(records(paths)):
            place = f"{where}, row {number}"
            for column in (columns.source, *columns.references, columns.exemplar, columns.id, *self.filter):
                if column and column not in record:
                    raise UserError(f"{place}: no column {column!r}; {nearest(column, list(record))}")
            if all(matches(record[column], value) for column, value in self.filter.items()):
                yield _row(record, columns, number, place)

    def _example(self, row: Row) -> Example:
        if self.references not in (None, len(row.references)):
            raise UserError(f"{row.where}: {len(row.references)} references, expected {self.references}.")
        name = f"{self.name}-{row.key:06d}" if isinstance(row.key, int) else f"{self.name}-{row.key}"
        return Example(name, row.source, row.references, row.exemplar)

    def _kept(self) -> str:
        asked = ", ".join(f"{column} = {value}" for column, value in self.filter.items())
        return f"with {asked}" if asked else "in it"


def _row(record: Mapping[str, Any], columns: Columns, number: int, where: str) -> Row:
    """A Hub dataset's row; a column of references may hold a list."""
    references: list[str] = []
    for column in columns.references:
        value = record[column]
        many = value if isinstance(value, list) else [value]
        references += [text_of(text, where, column) for text in many]
    exemplar = text_of(record[columns.exemplar], where, columns.exemplar) if columns.exemplar else None
    key = str(record[columns.id]) if columns.id else number
    return Row(key, text_of(record[columns.source], where, columns.source), tuple(references), exemplar, where)
