"""Results as one table, a row a score, in the form that is published and that a leaderboard reads.

Nothing of the machine goes with them: a model in a folder is called by the last parts of its path.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval_harness import specs
from eval_harness.results import Result
from idist.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

# column -> (type, what it holds)
COLUMNS: dict[str, tuple[str, str]] = {
    "task": ("string", "name of the task in the harness"),
    "purpose": ("string", "paraphrase, syntax or summary"),
    "dataset": ("string", "the task's dataset on the Hub; null where it has none"),
    "split": ("string", "of that dataset"),
    "revision": ("string", "its commit; null where the examples came from files"),
    "examples": ("int32", "how many were scored"),
    "limit": ("int32", "null: all examples of the task"),
    "data_fingerprint": ("string", "of the examples' ids and texts"),
    "protocol": ("string", "paper or standard"),
    "system": ("string", "spec of the system, with its settings"),
    "system_fingerprint": ("string", "of its weights and settings"),
    "metric": ("string", "name of the metric"),
    "title": ("string", "its name for people"),
    "value": ("float64", "the score"),
    "low": ("float64", "lower end of its bootstrap interval"),
    "high": ("float64", "upper end"),
    "confidence": ("float64", "of the interval"),
    "resamples": ("int32", "of the bootstrap"),
    "seed": ("int32", "of the bootstrap"),
    "higher_is_better": ("bool", "null: neither direction is"),
    "signature": ("string", "everything that made the score"),
    "metric_spec": ("string", "the metric as it was asked for, with its settings"),
    "overlap": ("float64", "share of the examples that were found in the system's training data; null: not looked for"),
    "settings": ("string", "of the system, JSON"),
    "versions": ("string", "of the libraries, JSON"),
    "hardware": ("string", "JSON"),
    "predict_seconds": ("float64", "that the predictions took"),
    "created": ("string", "when, UTC"),
}


def table(results: Sequence[Result]) -> pa.Table:
    """Rows in the order of tasks, protocols, systems and metrics.

    Raises:
        UserError: two results of the same system on the same task.
    """
    import pyarrow as pa

    kinds = {"string": pa.string(), "int32": pa.int32(), "float64": pa.float64(), "bool": pa.bool_()}
    schema = pa.schema([(name, kinds[kind]) for name, (kind, _) in COLUMNS.items()])
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for result in results:
        meta = public_meta(result.meta)
        for metric, score in meta["scores"].items():
            key = (meta["task"]["name"], meta["protocol"], meta["system"]["spec"], metric)
            if key in rows:
                raise UserError(f"{result.path}: there is another result of {key[2]!r} on {key[0]!r}, expected one.")
            rows[key] = _row(meta, metric, score)
    return pa.Table.from_pylist([rows[key] for key in sorted(rows)], schema)


def public_meta(meta: dict[str, Any]) -> dict[str, Any]:
    """A result's JSON without paths of this machine."""
    public = copy.deepcopy(meta)
    system = public["system"]
    system["spec"] = public_spec(system["spec"])
    system["settings"] = {name: _public(value) for name, value in system["settings"].items()}
    if public.get("decontamination"):
        overlap = public["decontamination"]
        overlap["dataset"] = _public(overlap["dataset"])
        for hit in overlap.get("first", []):
            hit.update({name: _public(value) for name, value in hit.items()})
    return public


def public_spec(text: str) -> str:
    """``idist:/home/ann/runs/mini/train_final/model`` -> ``idist:mini/train_final``."""
    spec = specs.parse(text)
    arg = None if spec.arg is None else str(_public(spec.arg))
    return str(specs.Spec(spec.name, arg, {name: str(_public(value)) for name, value in spec.settings.items()}))


def _public(value: Any) -> Any:
    """The last two parts of a local path (a folder ``model`` aside); anything else as it is."""
    if not isinstance(value, str) or not ("/" in value or value.startswith("~")):
        return value
    path = Path(value).expanduser()
    if not (path.is_absolute() or value.startswith(".") or path.exists()):
        return value  # a name on the Hub
    parts = path.resolve().parts[1:]
    parts = parts[:-1] if len(parts) > 1 and parts[-1] == "model" else parts
    return "/".join(parts[-2:])


def _row(meta: dict[str, Any], metric: str, score: dict[str, Any]) -> dict[str, Any]:
    task, system, overlap = meta["task"], meta["system"], meta.get("decontamination")
    return {
        "task": task["name"],
        "purpose": task["purpose"],
        "dataset": task.get("hub"),
        "split": task.get("split"),
        "revision": task.get("revision"),
        "examples": task["examples"],
        "limit": task.get("limit"),
        "data_fingerprint": task["fingerprint"],
        "protocol": meta["protocol"],
        "system": system["spec"],
        "system_fingerprint": system["fingerprint"],
        "metric": metric,
        **{name: score[name] for name in ("title", "value", "low", "high", "higher_is_better", "signature")},
        "metric_spec": score["spec"],
        **{name: meta[name] for name in ("confidence", "resamples", "seed", "created")},
        "overlap": overlap["shares"]["any"] if overlap else None,
        **{name: json.dumps(value, sort_keys=True) for name, value in _details(meta).items()},
        "predict_seconds": meta["seconds"].get("predict"),
    }


def _details(meta: dict[str, Any]) -> dict[str, Any]:
    return {"settings": meta["system"]["settings"], "versions": meta["versions"], "hardware": meta["hardware"]}
