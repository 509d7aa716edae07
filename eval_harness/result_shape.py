"""What a result's JSON must hold: keys and the types of their values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from idist.errors import UserError

SCHEMA = 1
# Keys that a result must have, and the types of their values
_SHAPE: dict[str, Any] = {
    "created": str,
    "task": {"name": str, "purpose": str, "origin": str, "examples": int, "fingerprint": str},
    "system": {"name": str, "spec": str, "settings": dict, "fingerprint": str, "reported": bool},
    "protocol": str,
    "seed": int,
    "resamples": int,
    "confidence": (int, float),
    "scores": dict,
    "versions": dict,
    "hardware": dict,
    "seconds": dict,
}
_SCORE_SHAPE: dict[str, Any] = {
    "title": str,
    "value": (int, float),
    "low": (int, float),
    "high": (int, float),
    "n": int,
    "higher_is_better": (bool, type(None)),
    "signature": str,
    "spec": str,
}


def check(meta: dict[str, Any], path: Path) -> None:
    """See that a result's JSON has every key that there must be.

    Raises:
        UserError: a key is missing or its value of another type; names ``path``.
    """
    _check(meta, _SHAPE, str(path), "")
    for metric, score in meta["scores"].items():
        _check({metric: score}, {metric: _SCORE_SHAPE}, str(path), "scores.")


def _check(value: Any, shape: Any, path: str, key: str) -> None:
    """Raises UserError for a missing key or a value of another type, with the key's full name."""
    for name, expected in shape.items():
        full = key + name
        if not isinstance(value, dict) or name not in value:
            raise UserError(f"Result {path} lacks the key {full!r}, expected by schema {SCHEMA}.")
        kind = dict if isinstance(expected, dict) else expected
        if not isinstance(value[name], kind) or (isinstance(value[name], bool) and bool not in _kinds(kind)):
            raise UserError(f"Result {path}: {full} is {value[name]!r}, expected {_words(kind)}.")
        if isinstance(expected, dict):
            _check(value[name], expected, path, f"{full}.")


def _words(kind: Any) -> str:
    names = {str: "a string", int: "a whole number", dict: "a section of keys", bool: "true or false"}
    return "true, false or null" if type(None) in _kinds(kind) else names.get(kind, "a number")


def _kinds(kind: Any) -> tuple[type, ...]:
    return kind if isinstance(kind, tuple) else (kind,)
