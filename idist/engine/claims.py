"""Fingerprints: what a job was made with, and whether what lies in its folder still holds.

A fingerprint is a nested mapping of plain values (config values, fingerprints of models and inputs, a version of the
stage's code). What does not change rows (workers, device, progress) does not belong in it. A *layout* (how rows were
cut into shards) is remembered from the first run and kept, whatever later runs ask for.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from idist.engine.queue import check_idle
from idist.engine.shards import read_json, state_folder, write_json
from idist.errors import UserError


def digest(fingerprint: Mapping[str, Any]) -> str:
    """16 hexadecimal digits that stand for a fingerprint."""
    text = json.dumps(fingerprint, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested plain values -> (dotted key, leaf) in order; an empty mapping or list is a leaf."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from flatten(inner, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from flatten(inner, f"{prefix}[{index}]")
    elif prefix:
        yield prefix, value


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
    """First key whose value differs, with the old and the new value (None where absent); None if all agree."""
    before, after = dict(flatten(old)), dict(flatten(new))
    for key in [*after, *(key for key in before if key not in after)]:
        if before.get(key) != after.get(key) or (key in before) != (key in after):
            return key, before.get(key), after.get(key)
    return None


def peek(folder: Path, job: str) -> dict[str, Any] | None:
    """``{"fingerprint": ..., "layout": ...}`` of the job that was begun here, or None."""
    path = state_folder(folder, job) / "claim.json"
    return read_json(path) if path.is_file() else None


# What a job without shards (a training) leaves in its stage's folder.
TRACES = ("checkpoints/*", "training.json")


def has_results(folder: Path, job: str) -> bool:
    """Whether the job has anything finished: else what it was begun with binds nobody (a start that failed)."""
    receipts = (state_folder(folder, job) / "receipts").glob("*.json")
    return any(True for found in (receipts, *map(folder.glob, TRACES)) for _ in found)


def compare(begun: Mapping[str, Any], fingerprint: Mapping[str, Any], grows: str = "") -> str:
    """What a job that was begun (`peek`) is to a fingerprint: ``same``, ``less`` (begun with a smaller count at the
    dotted key ``grows``, and else the same) or ``other``."""
    old, new = dict(flatten(begun["fingerprint"])), dict(flatten(_plain(fingerprint)))
    if old == new:
        return "same"
    before, now = old.pop(grows, None), new.pop(grows, None)
    return "less" if old == new and None not in (before, now) and before < now else "other"


def check(folder: Path, job: str, fingerprint: Mapping[str, Any]) -> dict[str, Any] | None:
    """`peek`, refusing a job made with another fingerprint.

    Raises:
        UserError: names the first differing key, both values and what to do.
    """
    begun = peek(folder, job)
    if begun is None:
        return None
    differs = difference(begun["fingerprint"], _plain(fingerprint))
    if differs:
        key, old, new = differs
        raise UserError(
            f"{folder} was made with {key} = {_show(old)}, this run asks for {_show(new)}; add --from "
            f"{folder.name} to make it and what follows again, or give the run another name."
        )
    return begun


def claim(
    folder: Path,
    job: str,
    fingerprint: Mapping[str, Any],
    layout: Mapping[str, Any],
    remake: bool = False,
    grows: str = "",
) -> dict[str, Any]:
    """Begin or resume a job: the layout to work with (the stored one if the job was begun before).

    A job begun with another fingerprint, of which nothing is finished yet, is begun anew.

    Args:
        folder: stage folder.
        job: name of the job within it.
        fingerprint: plain nested values.
        layout: how a fresh job is cut into shards.
        remake: where the fingerprint differs, forget the old shards instead of refusing (for jobs that are cheap
            to make again, such as cutting at other thresholds).
        grows: dotted key of a number of rows, of which the first are the same however many there are: where only it
            differs, and is larger now, what was made stays and the job goes on.

    Raises:
        UserError: `check`, unless ``remake`` or a job that goes on.
    """
    begun = peek(folder, job)
    how = compare(begun, fingerprint, grows) if begun else "same"
    ended = state_folder(folder, job) / "ended.json"
    if begun and how != "same":
        if remake:
            forget(folder, job)
        elif not has_results(folder, job):
            ended.unlink(missing_ok=True)  # no `forget`: the processes of a training come here at the same time
            begun = None
        elif how == "less":
            ended.unlink(missing_ok=True)
            begun["fingerprint"] = _plain(fingerprint)
            write_json(state_folder(folder, job) / "claim.json", begun)
    if begun is not None:
        begun = check(folder, job, fingerprint)
    if begun is None:
        begun = {"fingerprint": _plain(fingerprint), "layout": _plain(layout)}
        write_json(state_folder(folder, job) / "claim.json", begun)
    return begun["layout"]


def forget(folder: Path, job: str) -> None:
    """Remove a job's shards and what the engine knows of it; killed half-way, it can be called again.

    Raises:
        UserError: a Slurm job still works on them.
    """
    check_idle(folder)
    state = state_folder(folder, job)
    for receipt in sorted((state / "receipts").glob("*.json")):
        for table in read_json(receipt)["files"]:
            (folder / table / f"{receipt.stem}.parquet").unlink(missing_ok=True)
        receipt.unlink()
    shutil.rmtree(state, ignore_errors=True)


def _plain(value: Mapping[str, Any]) -> Any:
    """As JSON gives it back (tuples become lists, numbers stay): so that stored and new values compare equal."""
    return json.loads(json.dumps(value))


def _show(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
