"""Training sets as rows of texts, whatever form they have: parquet, JSON lines, tables, plain text, the Hub.

Rows are read as they are asked for: memory does not grow with the training set.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idist import files
from idist._schema import nearest
from idist.errors import UserError

PARQUET = ".parquet"
JSON_LINES = (".jsonl", ".json", ".ndjson")
TABLES = (".csv", ".tsv")
BATCH = 4096  # rows of a parquet file held at once
Row = tuple[int, Sequence[Any]]  # its line, or its number in a parquet file, from 1; its cells


@dataclass(frozen=True)
class Corpus:
    """A training set.

    Attributes:
        name: as it was asked for.
        paths: its files, sorted.
        revision: the commit on the Hub, if it came from there.
        columns: columns to read; None: all that hold text.
        header: whether tables begin with the names of their columns; if not, their cells are read as they come, and
            rows may have different numbers of them.
    """

    name: str
    paths: tuple[Path, ...]
    revision: str | None = None
    columns: tuple[str, ...] | None = None
    header: bool = True

    def rows(self, path: Path) -> Iterator[Sequence[str]]:
        """The texts of each row of one of the files.

        Raises:
            UserError: a file that cannot be read (line or row is named), or lacks a column.
        """
        for _, cells in self._cells(path):
            yield _texts(cells, bool(self.columns))

    def pairs(self, path: Path, pick: Callable[[list[str]], list[str]] | None = None) -> Iterator[list[str]]:
        """[source, target, ...] of each row of one of the files; a side without text is empty, or not there.

        Args:
            path: one of the files.
            pick: source and targets out of a row's texts; None: they are the columns, in their order.

        Raises:
            UserError: as `rows`; a list as source, or a list that was printed into a text.
        """
        unit = "row" if files.plain_suffix(path) == PARQUET else "line"
        for number, cells in self._cells(path):
            if self.columns and isinstance(cells[0], list):
                raise UserError(
                    f"{path}, {unit} {number}: column {self.columns[0]!r} holds a list, expected one text as source."
                )
            texts = _texts(cells, bool(self.columns))
            chosen = pick(texts) if pick else texts
            for place, text in enumerate(chosen):
                if _is_printed_list(text):
                    raise UserError(
                        f"{path}, {unit} {number}: {self._side(place)} is a printed list, expected a text or a real "
                        "list; write the dataset as JSON lines first."
                    )
            yield chosen

    def _side(self, place: int) -> str:
        """The source or a target, for a message."""
        column = f" (column {self.columns[min(place, len(self.columns) - 1)]!r})" if self.columns else ""
        return ("a target" if place else "the source") + column

    def _cells(self, path: Path) -> Iterator[Row]:
        suffix = files.plain_suffix(path)
        if suffix == PARQUET:
            return _parquet(path, self.columns)
        if suffix in JSON_LINES:
            return _json_lines(path, self.columns)
        if suffix in TABLES and self.header:
            return _table(path, self.columns)
        return _plain(path, self.columns)

    def count(self) -> int | None:
        """How many rows there are, if that is known without reading them (parquet); for progress bars."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if any(files.plain_suffix(path) != PARQUET for path in self.paths):
            return None
        try:
            return sum(pq.read_metadata(path).num_rows for path in self.paths)
        except (pa.ArrowInvalid, OSError):
            return None  # `rows` will say what is wrong


def open_corpus(
    name: str, columns: Sequence[str] | None = None, pattern: str | None = None, header: bool = True
) -> Corpus:
    """Find the files of a training set.

    Args:
        name: a file (``.parquet``; ``.jsonl``; ``.csv``, ``.tsv``; any other: a text a line, cells between tabs; each
            also ``.gz`` but parquet), a folder with such files, or a Hub dataset, ``OWNER/NAME`` or
            ``OWNER/NAME@REVISION``.
        columns: as in `Corpus`.
        pattern: which files of a folder or Hub dataset, ``data/train-*``; None: those of the first of the kinds
            parquet, JSON lines, tables that is there.
        header: as in `Corpus`.

    Raises:
        UserError: nothing there, and what `idist.hub.dataset_files.download` says of the Hub.
    """
    chosen = tuple(columns) if columns else None
    path = Path(name).expanduser()
    if path.is_file():
        return Corpus(name, (path,), None, chosen, header)
    if path.is_dir():
        return Corpus(name, tuple(_in_folder(path, pattern)), None, chosen, header)
    dataset, _, revision = name.partition("@")
    if dataset.count("/") != 1 or name.startswith((".", "/", "~")) or files.plain_suffix(Path(dataset)) in _SUFFIXES:
        raise UserError(f"{name} does not exist, expected a file, a folder, or a Hub dataset OWNER/NAME.")
    found, commit = _on_hub(dataset, revision or None, pattern)
    return Corpus(name, tuple(found), commit, chosen, header)


_KINDS: tuple[tuple[str, ...], ...] = ((PARQUET,), JSON_LINES, TABLES)
_SUFFIXES = (PARQUET, *JSON_LINES, *TABLES, ".txt")


def _on_hub(dataset: str, revision: str | None, pattern: str | None) -> tuple[list[Path], str]:
    from idist.hub.dataset_files import download

    kinds = [suffix for kind in _KINDS for suffix in kind if suffix != ".json"]  # .json on the Hub is often no data
    found, commit = download(dataset, revision, [pattern] if pattern else [f"**/*{kind}*" for kind in kinds])
    return found if pattern else _first_kind(found), commit


def _in_folder(folder: Path, pattern: str | None) -> list[Path]:
    if pattern and Path(pattern).is_absolute():
        raise UserError(f"The files {pattern} of {folder}: expected a pattern below that folder, such as data/train-*.")
    found = sorted(path for path in folder.glob(pattern or "**/*") if path.is_file())
    chosen = found if pattern else _first_kind(found)
    if not chosen:
        wanted = pattern or "files ending in .parquet, .jsonl, .csv or .tsv"
        raise UserError(f"Folder {folder} has no {wanted}, expected a training set.")
    return chosen


def _first_kind(paths: Sequence[Path]) -> list[Path]:
    for kind in _KINDS:
        chosen = [path for path in paths if files.plain_suffix(path) in kind]
        if chosen:
            return chosen
    return []


def _parquet(path: Path, columns: Sequence[str] | None) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = 0
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            wanted = _wanted(columns, schema.names, str(path)) or [
                field.name for field in schema if _is_text(field.type)
            ]
            check_single(wanted, schema.names, path)
            for name in wanted:
                if not _is_text(schema.field(name).type):
                    raise UserError(f"{path}: column {name!r} holds {schema.field(name).type}, expected text.")
            if not wanted:
                raise UserError(f"{path} has no column of text, found {files.shown(schema.names)}.")
            for batch in file.iter_batches(batch_size=BATCH, columns=wanted):
                cells = [column.to_pylist() for column in batch.columns]
                for values in zip(*cells, strict=True):
                    row += 1
                    yield row, values
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path} cannot be read after row {row}: {str(error).splitlines()[0]}") from None


def _is_text(kind: Any) -> bool:
    """Strings, or lists of strings, spelled out or as a dictionary."""
    import pyarrow as pa

    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        kind = kind.value_type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _json_lines(path: Path, columns: Sequence[str] | None) -> Iterator[Row]:
    """The first row has all columns; one that a later row lacks is null there, as in files that leave out nulls."""
    wanted: list[str] | None = None
    for number, line in enumerate(files.lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except ValueError:
            raise UserError(f"{where}: not JSON, expected one object a line.") from None
        if not isinstance(row, dict):
            raise UserError(f"{where}: found {type(row).__name__}, expected one object a line.")
        wanted = wanted or _wanted(columns, list(row), where)
        yield number, [row.get(name) for name in wanted] if wanted else list(row.values())


def _table(path: Path, columns: Sequence[str] | None) -> Iterator[Row]:
    table = files.rows(path, files.format_of(path) or "tsv")
    header = [name.strip() for name in next(table, (0, []))[1]]
    wanted = _wanted(columns, header, f"{path}, line 1")
    check_single(wanted or (), header, path)
    places = [header.index(name) for name in wanted] if wanted else range(len(header))
    for number, cells in table:
        yield number, [cells[place] for place in places]


def _plain(path: Path, columns: Sequence[str] | None) -> Iterator[Row]:
    if columns:
        raise UserError(f"{path} is plain text and has no columns, found {', '.join(columns)} asked for.")
    for number, line in enumerate(files.lines(path), start=1):
        if line.strip():
            yield number, line.rstrip("\r\n").split("\t")


def _texts(values: Sequence[Any], asked: bool) -> list[str]:
    """Those of a row's values that are texts; a list of texts is several. What is neither, in a column that was asked
    for, is an empty text: what comes after it keeps its place."""
    texts: list[str] = []
    for value in values:
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list):
            texts += [item for item in value if isinstance(item, str)]
        elif asked:
            texts.append("")
    return texts


def _is_printed_list(text: str) -> bool:
    text = text.strip()
    return text[:2] in ("['", '["') and text.endswith("]")


def check_single(names: Sequence[str], present: Sequence[str], path: Path) -> None:
    """Raises UserError if a file has several columns of one of the names: which is meant cannot be told."""
    for name in names:
        if (count := list(present).count(name)) > 1:
            raise UserError(f"{path} has {count} columns {name!r}, expected one.")


def _wanted(columns: Sequence[str] | None, present: Sequence[str], where: str) -> list[str] | None:
    for name in columns or ():
        if name not in present:
            raise UserError(f"{where}: no column {name!r}; {nearest(name, present)}")
    return list(columns) if columns else None
