"""Shards on disk: written beside their place and renamed, with a receipt; read back only if they match it.

Layout of a stage folder::

    TABLE/00003.parquet                     the rows of shard 3, one folder a table
    _engine/JOB/receipts/00003.json         sizes, checksums and counts: shard 3 is finished
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass
class Shard:
    """What a job makes of one rank."""

    tables: dict[str, pa.Table]
    counts: Mapping[str, float] = field(default_factory=dict)  # add up over shards
    notes: Mapping[str, Any] = field(default_factory=dict)  # plain values, kept with the shard as they are


def state_folder(folder: Path, job: str) -> Path:
    """Where the engine keeps what it knows of a job."""
    return folder / "_engine" / job


def table_path(folder: Path, table: str, rank: int) -> Path:
    """``folder/table/00003.parquet``."""
    return folder / table / f"{rank:05d}.parquet"


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """A full disk becomes one sentence that names ``path``; other errors pass."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise UserError(
            f"{path} could not be written: {error.strerror or 'no space left'}; make room and run the same "
            "command again, finished shards are kept."
        ) from None


def unfinished(path: Path) -> Path:
    """Where this process writes a file before it is whole: another machine may have a process of the same number."""
    return path.with_name(f"{path.name}.{socket.gethostname()}-{os.getpid()}.tmp")


def write_bytes(path: Path, content: bytes) -> None:
    """Write beside ``path``, flush to the disk, rename: the file is whole or not there.

    Raises:
        UserError: the disk is full; the unfinished file has been removed.
    """
    beside = unfinished(path)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with beside.open("wb") as handle:
                handle.write(content)
                handle.flush()
                os.fsync(handle.fileno())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def write_json(path: Path, value: Any) -> None:
    """`write_bytes` of readable JSON, keys in the order given."""
    write_bytes(path, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """Parsed JSON.

    Raises:
        UserError: the file is not JSON (a receipt or manifest edited or cut short).
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise UserError(f"{path} is damaged, expected JSON; delete it and run the same command again.") from None


def write_shard(folder: Path, job: str, rank: int, shard: Shard, seconds: float, items: int | None = None) -> None:
    """Tables first, the receipt last: a shard without a receipt does not exist. ``items``: what it was to be made of,
    where that is known."""
    files = {}
    for table, rows in shard.tables.items():
        content = _parquet(rows)
        write_bytes(table_path(folder, table, rank), content)
        files[table] = {
            "rows": rows.num_rows,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    receipt = {"rank": rank, "files": files, "counts": dict(shard.counts), "notes": dict(shard.notes)}
    receipt |= {"seconds": round(seconds, 3)} | ({} if items is None else {"items": items})
    write_json(receipt_path(folder, job, rank), receipt)


def _parquet(rows: pa.Table) -> bytes:
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, rows.schema, compression="zstd") as writer:
        if rows.num_rows:  # `datasets` cannot load a file whose first row group is empty; without any it can
            writer.write_table(rows)
    return buffer.getvalue()


def receipt_path(folder: Path, job: str, rank: int) -> Path:
    """``folder/_engine/JOB/receipts/00003.json``."""
    return state_folder(folder, job) / "receipts" / f"{rank:05d}.json"


def finished(folder: Path, job: str) -> dict[int, dict[str, Any]]:
    """Receipts of the finished shards whose files are all there, by rank.

    A shard with a file missing counts as not made: deleting a damaged file is how a person has it made again.

    Raises:
        UserError: a file has another size than its receipt says.
    """
    receipts = {}
    for path in sorted((state_folder(folder, job) / "receipts").glob("*.json")):
        receipt = read_json(path)
        files = {table_path(folder, table, receipt["rank"]): entry for table, entry in receipt["files"].items()}
        if not all(file.is_file() for file in files):
            continue
        for file, entry in files.items():
            size = file.stat().st_size
            if size != entry["bytes"]:
                raise damaged(file, f"{size} bytes, expected {entry['bytes']}")
        receipts[receipt["rank"]] = receipt
    return receipts


def damaged(file: Path, found: str) -> UserError:
    """The sentence about a shard that is not what was written."""
    return UserError(
        f"{file} is damaged ({found}); delete this file and run the same command again: only this shard is made anew."
    )


def read_table(folder: Path, job: str, table: str, rank: int) -> pa.Table:
    """One table of one finished shard, checked against its receipt.

    Raises:
        UserError: the shard is missing or its checksum differs.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = table_path(folder, table, rank)
    receipt = receipt_path(folder, job, rank)
    if not file.is_file() or not receipt.is_file():
        raise UserError(f"{file} is missing; run the stage {folder.name!r} again to make it.")
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != read_json(receipt)["files"][table]["sha256"]:
        raise damaged(file, "its checksum is not the one written with it")
    return pq.read_table(pa.BufferReader(content))


def sum_counts(receipts: Mapping[int, Mapping[str, Any]]) -> dict[str, float]:
    """Counts of all shards added up, in the order of ranks."""
    total: dict[str, float] = {}
    for rank in sorted(receipts):
        for key, value in receipts[rank]["counts"].items():
            total[key] = total.get(key, 0) + value
    return total


def sum_rows(receipts: Mapping[int, Mapping[str, Any]]) -> dict[str, int]:
    """Rows of each table over all shards."""
    total: dict[str, int] = {}
    for receipt in receipts.values():
        for table, entry in receipt["files"].items():
            total[table] = total.get(table, 0) + entry["rows"]
    return total
