"""A stage's shards, read in the order of their ranks, a piece at a time, each checked against its receipt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from idist.engine.shards import read_json, receipt_path, table_path
from idist.errors import UserError
from idist.hub.releases import hash_file

if TYPE_CHECKING:
    import pyarrow as pa

PIECE = 16_384  # rows in memory at a time


def read_pieces(
    folder: Path, job: str, table: str, ranks: range, columns: list[str] | None = None
) -> Iterator[pa.Table]:
    """The rows of finished shards as tables of at most `PIECE` rows; an empty shard gives one without rows.

    Args:
        folder: of the stage.
        job, table: which of its tables.
        ranks: of the shards.
        columns: those wanted, in this order; None: all.

    Raises:
        UserError: a shard is missing, or is not what was written.
    """
    for rank in ranks:
        yield from shard_pieces(folder, job, table, rank, columns)


def shard_pieces(folder: Path, job: str, table: str, rank: int, columns: list[str] | None = None) -> Iterator[pa.Table]:
    """`read_pieces` of one shard."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = check_shard(folder, job, table, rank)
    with pq.ParquetFile(file) as shard:
        empty = shard.schema_arrow.empty_table()
        if not shard.metadata.num_rows:
            yield empty.select(columns) if columns else empty
            return
        for batch in shard.iter_batches(batch_size=PIECE, columns=columns):
            yield pa.Table.from_batches([batch])


def check_shard(folder: Path, job: str, table: str, rank: int) -> Path:
    """The file of a shard, whose bytes are what was written.

    Raises:
        UserError: they are not, or the file is missing.
    """
    file, receipt = table_path(folder, table, rank), receipt_path(folder, job, rank)
    if not file.is_file() or not receipt.is_file():
        raise UserError(f"{file} is missing; run the stage {folder.name!r} again to make it.")
    if hash_file(file).sha256 != read_json(receipt)["files"][table]["sha256"]:
        raise UserError(
            f"{file} is damaged (its checksum is not the one written with it); delete this file and run the stage "
            f"{folder.name!r} again: only this shard is made anew."
        )
    return file
