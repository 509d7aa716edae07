"""Text files as they are handed around: lines and tables, ``.gz`` or not, every complaint with file and line."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

from idist.errors import UserError

Format = Literal["tsv", "csv"]
LONGEST_CELL = 2**31 - 1  # characters; what a C long holds everywhere. The library's own limit ends at 131,072


def lines(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 file with their ends; a byte-order mark is dropped.

    A line ends at a line feed and nowhere else: other characters that Unicode counts as line breaks occur within
    sentences.

    Raises:
        UserError: no such file, a damaged archive, a byte that is not UTF-8 (with its line).
    """
    try:
        with _open(path) as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError:
                    raise UserError(f"{path}, line {number}: not UTF-8 text.") from None
    except FileNotFoundError:
        raise UserError(f"{path} does not exist.") from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UserError(f"{path} is a damaged or truncated gzip archive.") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from None


def rows(path: Path, format: Format) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every row of a table, the header among them; all rows are as wide as the first.

    Cells of CSV may be quoted and hold line breaks (then ``line`` is the row's last); those of TSV are taken as they
    are, quotes and all.

    Raises:
        UserError: as `lines`; a row that is no table row, or is wider or narrower than the first.
    """
    csv.field_size_limit(LONGEST_CELL)
    text = lines(path)
    # strict: an unclosed quote would otherwise swallow the rest of the file as one cell
    reader = (
        csv.reader(text, strict=True)
        if format == "csv"
        else csv.reader(text, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
    )
    width = None
    try:
        for cells in reader:
            width = len(cells) if width is None else width
            if len(cells) != width:
                raise UserError(
                    f"{path}, line {reader.line_num}: {len(cells)} cells, expected {width} as in the first row."
                )
            yield reader.line_num, cells
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: not a valid table row ({error}).") from None


def format_of(path: Path) -> Format | None:
    """``tsv`` or ``csv`` from the suffix (``.gz`` aside), None for any other."""
    suffix = plain_suffix(path)
    return "tsv" if suffix == ".tsv" else "csv" if suffix == ".csv" else None


def plain_suffix(path: Path) -> str:
    """The suffix in lower case, without ``.gz``: ``.csv`` for ``a.CSV.gz``."""
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def position(header: list[str], column: str) -> int | None:
    """Where a column is, letter case aside; None if it is nowhere."""
    names = [name.strip().lower() for name in header]
    return names.index(column.lower()) if column.lower() in names else None


def shown(header: list[str] | None) -> str:
    """A header for a message."""
    return ", ".join(name.strip() for name in (header or [])[:8]) or "an empty file"


def _open(path: Path) -> BinaryIO | gzip.GzipFile:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")
