"""Parquet files of a published split: the same rows give the same bytes, however they were cut before.

Rows are gathered into row groups of `GROUP` rows, and row groups into files of about `FILE` bytes, so that memory
holds one row group, whatever the number of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

GROUP = 32_768  # rows
FILE = 256 << 20  # bytes of values; the Hub's viewer and streaming readers like files of a few hundred MB


@dataclass(frozen=True)
class Split:
    """A written split: its rows, the bytes of its values in memory, the bytes of its files."""

    name: str
    rows: int
    values: int
    bytes: int


class SplitWriter:
    """Writes ``NAME-00000-of-00002.parquet`` and so on into a folder; `close` gives the files their names."""

    def __init__(self, folder: Path, name: str, schema: pa.Schema, group: int = GROUP, file: int = FILE) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._name, self._schema = folder, name, schema.remove_metadata()
        self._group, self._limit = group, file
        self._waiting: list[pa.Table] = []
        self._pending = 0  # rows waiting
        self._files: list[Path] = []
        self._open: pq.ParquetWriter | None = None
        self._filled = 0  # bytes of values in the open file
        self._rows = self._values = 0

    def write(self, table: pa.Table) -> None:
        """Take rows; they have the columns of the schema."""
        self._waiting.append(table.cast(self._schema))
        self._pending += table.num_rows
        if self._pending >= self._group:
            self._flush(whole=False)

    def close(self) -> Split:
        """Write the rest. A split without rows has one file without a row group."""
        self._flush(whole=True)
        if not self._files:
            self._begin()
        self._end()
        for number, path in enumerate(self._files):
            path.rename(self._folder / f"{self._name}-{number:05d}-of-{len(self._files):05d}.parquet")
        size = sum(path.stat().st_size for path in self._folder.glob(f"{self._name}-*.parquet"))
        return Split(self._name, self._rows, self._values, size)

    def _flush(self, whole: bool) -> None:
        """Write all full row groups, and with ``whole`` the last one, too."""
        import numpy as np
        import pyarrow as pa

        if not self._pending:
            return
        rows = pa.concat_tables(self._waiting).combine_chunks()
        while rows.num_rows >= self._group or (whole and rows.num_rows):
            self._write_group(rows.slice(0, self._group))
            rows = rows.slice(self._group)
        # a copy, for a slice would keep the whole in memory
        self._waiting = [rows.take(np.arange(rows.num_rows))] if rows.num_rows else []
        self._pending = rows.num_rows

    def _write_group(self, rows: pa.Table) -> None:
        if self._open is None or self._filled >= self._limit:
            self._end()
            self._begin()
        assert self._open is not None
        self._open.write_table(rows, row_group_size=self._group)
        size = sum(value_bytes(rows))
        self._filled += size
        self._values += size
        self._rows += rows.num_rows

    def _begin(self) -> None:
        import pyarrow.parquet as pq

        self._files.append(self._folder / f"{self._name}.{len(self._files)}.part")
        # as `datasets` writes them: a page index, and pages cut where the content says, so that a release which
        # differs in few rows shares most of its pages with the one before
        self._open = pq.ParquetWriter(
            self._files[-1], self._schema, compression="zstd", write_page_index=True, use_content_defined_chunking=True
        )
        self._filled = 0

    def _end(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None


def value_bytes(table: pa.Table) -> Iterator[int]:
    """Bytes of each column's values: text in UTF-8 with four bytes of length a value, numbers as wide as they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for column in table.columns:
        if pa.types.is_string(column.type):
            yield 4 * len(column) + (pc.sum(pc.binary_length(column)).as_py() or 0)
        else:
            yield len(column) * column.type.bit_width // 8
