"""Contexts out of a person's own text: a text file, a parquet column or a Hub dataset's column, read lazily.

A document is split into sentences, and these are cut into windows of consecutive sentences that do not overlap. Memory
does not grow with the text.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idist._schema import nearest
from idist.config import ContextsConfig
from idist.errors import UserError
from idist.models import fingerprint
from idist.text import split_sentences


@dataclass
class TextCounts:
    """What was read, and what gave nothing."""

    documents: int = 0
    null_rows: int = 0  # rows without text: skipped
    too_short: int = 0  # documents of fewer than `min_sentences` sentences


def check_source(config: ContextsConfig) -> None:
    """Cheap checks before anything runs.

    Raises:
        UserError: the file does not exist, is of a kind that cannot be read, is empty, or lacks the column.
    """
    path = Path(config.source or "")
    if path.suffix in (".txt", ".parquet") and not path.is_file():
        raise UserError(f"contexts.source: {path} does not exist, expected a .txt or .parquet file.")
    if path.is_file() and path.suffix not in (".txt", ".parquet"):
        raise UserError(
            f"contexts.source: {path} ends in {path.suffix!r}, expected .txt or .parquet (or a Hub dataset's name)."
        )
    if path.is_file() and path.stat().st_size == 0:
        raise UserError(f"contexts.source: {path} is empty, expected text.")
    if path.is_file() and path.suffix == ".parquet":
        _parquet_column(path, config.column)


def source_fingerprint(config: ContextsConfig) -> str:
    """What identifies the text: hashes of a file or of a dataset's folder; name and revision of a Hub dataset."""
    path = Path(config.source or "")
    if path.is_dir():
        return fingerprint(str(path))
    if not path.is_file():
        name, _, revision = str(config.source).partition("@")
        return f"{name}@{revision or 'main'}"
    whole = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            whole.update(block)
    return f"file:{whole.hexdigest()[:16]}"


def windows(config: ContextsConfig, length: Callable[[int], int], counts: TextCounts) -> Iterator[list[str]]:
    """Windows of consecutive sentences of one document, in the order of the text.

    Args:
        config: where the text is, and the least length of a window.
        length: number of the window, from 0 -> its sentences; the rest of a document is a window too if it is long
            enough.
        counts: what was read; kept up to date.

    Raises:
        UserError: as `documents`; no window at all.
    """
    number = 0
    for document in documents(config, counts):
        sentences = split_sentences(document)
        counts.too_short += len(sentences) < config.min_sentences
        while len(sentences) >= config.min_sentences:
            window = sentences[: length(number)]
            yield window
            sentences, number = sentences[len(window) :], number + 1
    if not number:
        raise UserError(
            f"contexts.source: {config.source} gave no context ({counts.documents} documents, {counts.null_rows} null "
            f"rows), expected documents of at least {config.min_sentences} sentence(s)."
        )


def documents(config: ContextsConfig, counts: TextCounts) -> Iterator[str]:
    """The documents of `config.source`, one after the other.

    Raises:
        UserError: not UTF-8, empty, column missing or not text, dataset not found; names the place.
    """
    check_source(config)
    path = Path(config.source or "")
    if path.is_file():
        rows: Iterator[str | None] = _text_file(path) if path.suffix == ".txt" else _parquet(path, config.column)
    else:
        rows = _hub_dataset(config)
    for row in rows:
        if row is None:
            counts.null_rows += 1
            continue
        counts.documents += 1
        yield row


def _text_file(path: Path) -> Iterator[str]:
    """Blocks between blank lines if the file has blank lines inside, else each line is a document."""
    blocks, empty = _inspect(path)
    if empty:
        raise UserError(f"contexts.source: {path} is empty, expected text.")
    block: list[str] = []
    with path.open(encoding="utf-8-sig") as handle:
        for line in handle:
            line = line.strip()
            if line:
                block.append(line)
            if block and (not blocks or not line):
                yield " ".join(block)
                block = []
    if block:
        yield " ".join(block)


def _inspect(path: Path) -> tuple[bool, bool]:
    """(whether a blank line stands between two lines with text, whether there is no text); checks UTF-8."""
    offset, texts, gap, blocks = 0, 0, False, False
    with path.open("rb") as handle:
        for number, line in enumerate(handle, 1):
            try:
                text = line.decode("utf-8").strip("\ufeff \t\r\n\f\v")
            except UnicodeDecodeError as error:
                raise UserError(
                    f"contexts.source: {path} is not UTF-8: line {number} has byte 0x{line[error.start]:02x} at "
                    f"offset {offset + error.start}; convert the file to UTF-8."
                ) from None
            offset += len(line)
            blocks = blocks or bool(text and texts and gap)
            texts, gap = texts + bool(text), not text
    return blocks, not texts


def _parquet_column(path: Path, column: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"contexts.source: {path} is not a parquet file: {str(error).splitlines()[0]}") from None
    if column not in schema.names:
        raise UserError(f"contexts.column: {path} has no column {column!r}; {nearest(column, schema.names)}")
    kind = schema.field(column).type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        raise UserError(f"contexts.column: column {column!r} of {path} holds {kind}, expected text.")


def _parquet(path: Path, column: str) -> Iterator[str | None]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=256, columns=[column]):
                for value in batch.column(0).to_pylist():
                    yield value
                    row += 1
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"contexts.source: {path} cannot be read after row {row}: {error}") from None


def _hub_dataset(config: ContextsConfig) -> Iterator[str | None]:
    """Streamed rows of a dataset on the Hub, or of a folder that `datasets` can load."""
    import datasets

    name, _, revision = str(config.source).partition("@")
    try:
        rows = datasets.load_dataset(name, split=config.split, revision=revision or None, streaming=True)
        names = rows.column_names
        if names and config.column in names:
            rows = rows.select_columns([config.column])
        yield from _column(rows, names, config)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        if os.environ.get("HF_HUB_OFFLINE") == "1":
            reason += " (HF_HUB_OFFLINE=1 forbids downloading)"
        raise UserError(
            f"contexts.source: {config.source!r} is no file here and could not be loaded as a dataset: {reason}"
        ) from None


def _column(rows: Iterable[dict[str, Any]], names: list[str] | None, config: ContextsConfig) -> Iterator[str | None]:
    for number, row in enumerate(rows):
        if config.column not in row:
            names = names or list(row)
            raise UserError(
                f"contexts.column: {config.source} has no column {config.column!r}; {nearest(config.column, names)}"
            )
        value = row[config.column]
        if value is not None and not isinstance(value, str):
            raise UserError(
                f"contexts.column: row {number} of {config.source} holds {type(value).__name__} in "
                f"{config.column!r}, expected text."
            )
        yield value
