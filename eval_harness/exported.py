"""The published table of scores (`eval_harness.export`) read back: results whose examples stayed where they were made.

They can be ranked and drawn like any other; what needs examples (tests, browsing) says that there are none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval_harness import results, specs
from eval_harness.export import COLUMNS
from eval_harness.result_shape import SCHEMA, check
from eval_harness.results import Result
from idist.errors import UserError

LATER = ("metric_spec",)  # columns that the first tables did not have
ORIGIN = "published scores"


def read_table(folder: Path) -> list[Result]:
    """Results of a release that ``recipes/publish_results.py`` made, from its rows, one a score.

    Args:
        folder: with ``data/*.parquet``. The results' paths are where files of them would be; there are none.

    Raises:
        UserError: no table, damaged, or a column or a value of it is missing.
    """
    files = sorted((folder / "data").glob("*.parquet"))
    if not files:
        raise UserError(f"There is no table of scores in {folder}, expected data/*.parquet.")
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for file in files:
        for row in _rows(file):
            key = tuple(row[name] for name in ("task", "protocol", "system", "data_fingerprint"))
            groups.setdefault(key, []).append(row)
    return [_result(rows, folder) for rows in groups.values()]


def has_examples(result: Result) -> bool:
    """Whether a result lies on disk with its examples."""
    return result.path.with_suffix(".parquet").is_file()


def _rows(file: Path) -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        table = parquet.read_table(file)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{file} is damaged: not parquet ({str(error).splitlines()[0]}).") from None
    missing = [name for name in COLUMNS if name not in (*table.column_names, *LATER)]
    if missing:
        raise UserError(f"{file} lacks the column {missing[0]!r}, expected a table of publish_results.py.")
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _result(rows: list[dict[str, Any]], folder: Path) -> Result:
    first = rows[0]
    path = results.place(folder / "results", str(first["task"]), str(first["protocol"]), str(first["system"]))
    meta = _meta(first, path)
    meta["scores"] = {
        row["metric"]: {
            **{name: row[name] for name in ("title", "value", "low", "high", "higher_is_better", "signature")},
            "n": row["examples"],
            "spec": row.get("metric_spec") or row["metric"],
        }
        for row in rows
    }
    check(meta, path)
    return Result(path, meta)


def _meta(row: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What the rows of one result say alike, in the places of a result's JSON."""
    return {
        "schema": SCHEMA,
        "created": row["created"],
        "task": {
            "name": row["task"],
            "purpose": row["purpose"],
            "origin": ORIGIN,
            "hub": row["dataset"],
            "split": row["split"],
            "revision": row["revision"],
            "examples": row["examples"],
            "limit": row["limit"],
            "fingerprint": row["data_fingerprint"],
        },
        "system": {
            "name": specs.parse(str(row["system"])).name,
            "spec": row["system"],
            "settings": _json(row, "settings", path),
            "fingerprint": row["system_fingerprint"],
            "reported": False,
        },
        "protocol": row["protocol"],
        **{name: row[name] for name in ("seed", "resamples", "confidence")},
        "versions": _json(row, "versions", path),
        "hardware": _json(row, "hardware", path),
        "seconds": {} if row["predict_seconds"] is None else {"predict": row["predict_seconds"]},
        "decontamination": None if row["overlap"] is None else {"dataset": "-", "shares": {"any": row["overlap"]}},
    }


def _json(row: Mapping[str, Any], column: str, path: Path) -> Any:
    try:
        return json.loads(row[column])
    except (TypeError, ValueError):
        raise UserError(f"{path}: {column} is {row[column]!r}, expected JSON.") from None
