"""Results on disk: ``OUT/TASK/PROTOCOL/SYSTEM.json`` with the scores and how they were made, and beside it a parquet
file of the same stem with every example, its prediction, and per metric its score and statistics.

Statistics are enough to aggregate again: comparisons and reports run no model.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eval_harness.metrics.base import Floats
from eval_harness.result_shape import SCHEMA, check
from eval_harness.tasks.base import Example
from idist._schema import nearest
from idist.engine.shards import write_bytes
from idist.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("id", "source", "references", "exemplar", "prediction", "cached_error")
_RUN = b"idist_eval_run"  # key of the parquet's metadata; ties it to its JSON


@dataclass(frozen=True)
class Result:
    """One system on one task: ``meta`` is the checked JSON; the examples are read when they are first asked for."""

    path: Path
    meta: dict[str, Any]

    @property
    def task(self) -> str:
        """Name of the task."""
        return str(self.meta["task"]["name"])

    @property
    def system(self) -> str:
        """Spec of the system."""
        return str(self.meta["system"]["spec"])

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics, in the order of the run."""
        return list(self.meta["scores"])

    @functools.cached_property
    def rows(self) -> pa.Table:
        """The parquet file: one row an example, in the task's order.

        Raises:
            UserError: the file is missing, damaged, of another run, or lacks a column.
        """
        return _read_rows(self.path.with_suffix(".parquet"), self)

    def statistics(self, metric: str) -> Floats:
        """(n, s): what ``metric.statistics`` gave; UserError for a metric that was not scored, rows of many widths."""
        column = self._column("statistics", metric).combine_chunks()
        try:
            return np.asarray(column.flatten(), dtype=np.float64).reshape(len(column), -1)
        except ValueError:
            where = self.path.with_suffix(".parquet")
            raise UserError(f"{where}: rows of statistics.{metric} differ in length; run the system again.") from None

    def per_example(self, metric: str) -> Floats:
        """(n,): the score of each example alone; UserError for a metric that was not scored."""
        return np.asarray(self._column("score", metric), dtype=np.float64)

    def _column(self, kind: str, metric: str) -> pa.ChunkedArray:
        if metric not in self.meta["scores"]:
            raise UserError(f"{self.path} has no metric {metric!r}; {nearest(metric, self.metrics)}")
        return self.rows[f"{kind}.{metric}"]


def table(
    examples: Sequence[Example],
    predictions: Sequence[str],
    failures: Mapping[str, str],
    scores: Mapping[str, Floats],
    statistics: Mapping[str, Floats],
) -> pa.Table:
    """The rows of a result.

    Args:
        failures: example id -> why there is no prediction; the column ``cached_error``.
        scores: metric -> (n,) scores of the examples alone.
        statistics: metric -> (n, s).
    """
    import pyarrow as pa

    texts = pa.list_(pa.string())
    columns: dict[str, Any] = {
        "id": pa.array([example.id for example in examples], pa.string()),
        "source": pa.array([example.source for example in examples], pa.string()),
        "references": pa.array([list(example.references) for example in examples], texts),
        "exemplar": pa.array([example.exemplar for example in examples], pa.string()),
        "prediction": pa.array(list(predictions), pa.string()),
        "cached_error": pa.array([failures.get(example.id) for example in examples], pa.string()),
    }
    for metric, values in scores.items():
        columns[f"score.{metric}"] = pa.array(values, pa.float64())
    for metric, matrix in statistics.items():
        offsets = np.arange(len(matrix) + 1, dtype=np.int32) * matrix.shape[1]
        columns[f"statistics.{metric}"] = pa.ListArray.from_arrays(offsets, pa.array(matrix.reshape(-1), pa.float64()))
    return pa.table(columns)


def write(path: Path, meta: Mapping[str, Any], rows: pa.Table) -> Result:
    """Write both files, each whole or not at all; the JSON comes last and says that the pair is complete.

    Raises:
        UserError: the disk is full.
    """
    import pyarrow.parquet as parquet

    content = json.dumps({"schema": SCHEMA, **meta}, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    buffer = io.BytesIO()
    parquet.write_table(rows.replace_schema_metadata({_RUN: _run(meta).encode()}), buffer)
    with _in_turn(path.parent):
        write_bytes(path.with_suffix(".parquet"), buffer.getvalue())
        write_bytes(path, content.encode())
    return Result(path, json.loads(content))


@contextlib.contextmanager
def _in_turn(folder: Path) -> Iterator[None]:
    """Wait while another process writes here (where there are locks): of two runs, one's pair of files stands."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(ImportError, OSError):
            import fcntl  # not on Windows

            handle = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def read(path: str | Path) -> Result:
    """A result from its JSON file; the parquet file is read on first use.

    Raises:
        UserError: no such file, not JSON, another schema, a key missing or of another type, no parquet file beside.
    """
    path = Path(path)
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"Result {path} does not exist.") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"Result {path} is damaged: not JSON ({str(error).splitlines()[0]}).") from None
    except OSError as error:
        raise UserError(f"Result {path} cannot be read: {error.strerror or error}.") from None
    if not isinstance(meta, dict) or "schema" not in meta:
        raise UserError(f"{path} is no result of this harness: it has no key 'schema', expected schema {SCHEMA}.")
    if meta["schema"] != SCHEMA:
        raise UserError(f"Result {path} has schema {meta['schema']!r}, expected {SCHEMA}; score it again.")
    check(meta, path)
    partner = path.with_suffix(".parquet")
    if not partner.is_file():
        raise UserError(f"Result {path} lacks its examples: {partner} does not exist; run the system again.")
    return Result(path, meta)


def find(folder: str | Path) -> list[Path]:
    """JSON files of all results below a folder (or the one file named), sorted; hidden folders are left out.

    Raises:
        UserError: no such folder, or no result in it.
    """
    folder = Path(folder)
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise UserError(f"Results folder {folder} does not exist; `run` makes one.")
    below = (path.relative_to(folder) for path in folder.rglob("*.json"))
    visible = sorted(path for path in below if not any(part.startswith(".") for part in path.parts))
    # a JSON file with a name but neither a partner nor a schema is somebody else's
    found = [folder / path for path in visible if _is_ours(folder / path)]
    if not found:
        raise UserError(f"There are no results below {folder}, expected TASK/PROTOCOL/SYSTEM.json.")
    return found


def place(out: Path, task: str, protocol: str, spec: str) -> Path:
    """Where the result of a system goes. Two specs that read the same as file names get different ones."""
    folder = out / task / protocol
    slug = re.sub(r"[^A-Za-z0-9._=+-]+", "-", spec).strip(".-") or "system"
    suffix = f"-{hashlib.sha256(spec.encode()).hexdigest()[:8]}"
    if len(slug) > 100:
        return folder / f"{slug[:100]}{suffix}.json"
    plain = folder / f"{slug}.json"
    return plain if _spec_of(plain) in (None, spec) else folder / f"{slug}{suffix}.json"


def _spec_of(path: Path) -> str | None:
    """Spec of the system whose result a file holds; None where there is no readable one."""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["system"]["spec"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_ours(path: Path) -> bool:
    """Whether a JSON file is (or was, before it was damaged) a result: it has a parquet file, or says its schema."""
    if path.with_suffix(".parquet").is_file():
        return True
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(meta, dict) and {"schema", "scores", "task"} <= meta.keys()


def _run(meta: Mapping[str, Any]) -> str:
    """What ties the two files of a result together."""
    whole = [meta["created"], meta["task"]["fingerprint"], meta["system"]["fingerprint"], list(meta["scores"])]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:16]


def _read_rows(path: Path, result: Result) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        rows = parquet.read_table(path)
    except FileNotFoundError:
        raise UserError(f"Result {result.path} lacks its examples: {path} does not exist.") from None
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} is damaged: not parquet ({str(error).splitlines()[0]}).") from None
    metrics = [f"{kind}.{metric}" for metric in result.metrics for kind in ("score", "statistics")]
    missing = [column for column in (*COLUMNS, *metrics) if column not in rows.column_names]
    if missing:
        raise UserError(f"{path} lacks the column {missing[0]!r}, expected by schema {SCHEMA}.")
    if (rows.schema.metadata or {}).get(_RUN) != _run(result.meta).encode():
        raise UserError(f"{path} and {result.path.name} are of two different runs; run the system again.")
    if len(rows) != result.meta["task"]["examples"]:
        raise UserError(f"{path} has {len(rows)} rows, expected {result.meta['task']['examples']} as in its JSON.")
    return rows
