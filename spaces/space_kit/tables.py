"""Tables that people hand in and take along: CSV, read with care and written so that a spreadsheet runs nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from idist._schema import nearest
from idist.errors import UserError
from space_kit.markup import escaped

LARGEST = 1_000_000  # bytes of a table
LONGEST = 100_000  # characters of a cell: an unclosed quote makes one cell of all that follows
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def read_column(path: Path, column: str, most: int) -> list[str]:
    """One column of a CSV file with a header; a byte order mark and ``;`` or tabs between cells are understood.

    Args:
        path: of the file.
        column: its name in the header; upper and lower case are the same.
        most: rows that are allowed.

    Raises:
        UserError: too large, not UTF-8, empty, no such column, a row that is too short, a cell that is too long, too
            many rows.
    """
    if path.stat().st_size > LARGEST:
        raise UserError(f"The table has {path.stat().st_size:,} bytes, expected at most {LARGEST:,}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError("The table is not UTF-8 text, expected a CSV file.") from None
    if "\0" in text or not text.strip():
        raise UserError("The table is empty or no text, expected a CSV file with a header.")
    try:
        head, *rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)) if row]
    except csv.Error as error:
        raise UserError(f"The table is no CSV ({error}).") from None
    long = next((len(cell) for row in (head, *rows) for cell in row if len(cell) > LONGEST), None)
    if long is not None:
        raise UserError(f"The table has a cell of {long:,} characters, expected at most {LONGEST:,}; is a quote open?")
    names = [name.strip() for name in head]
    place = next((n for n, name in enumerate(names) if name.lower() == column.strip().lower()), None)
    if place is None:
        shown = [name[:40] for name in names[:12]]
        raise UserError(f"The table has no column {column.strip()[:40]!r}; {nearest(column.strip(), shown)}")
    if not rows:
        raise UserError("The table has a header and no row.")
    if len(rows) > most:
        raise UserError(f"The table has {len(rows):,} rows, expected at most {most:,}.")
    short = next((n for n, row in enumerate(rows) if len(row) <= place), None)
    if short is not None:
        raise UserError(f"Row {short + 1} of the table has {len(rows[short])} cells, expected {len(names)}.")
    return [row[place] for row in rows]


def write_csv(rows: Sequence[Mapping[str, object]]) -> str:
    """CSV with a header. A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if not rows:
        return ""
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, list(rows[0]))
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _harmless(value) for name, value in row.items()})
    return stream.getvalue()


def download_link(rows: Sequence[Mapping[str, object]], file: str, label: str) -> str:
    """A link that saves rows as CSV. The data are in the link: nothing is left on the server."""
    return save_link(("\ufeff" + write_csv(rows)).encode(), "text/csv;charset=utf-8", file, label)


def save_link(content: bytes, kind: str, file: str, label: str) -> str:
    """A link that saves bytes of a media type as a file; they are in the link."""
    address = f"data:{kind},{quote(content)}"
    return f'<a class="kit-button" download="{escaped(file)}" href="{address}">{escaped(label)}</a>'


def _delimiter(text: str) -> str:
    """Of the header's line the most frequent of the usual ones."""
    head = text.splitlines()[0]
    return max(",;\t", key=head.count)


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
