"""Mapping -> dataclass with every key, type and range checked: the machinery under `idist.config`."""

from __future__ import annotations

import copy
import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from idist.errors import UserError

T = TypeVar("T")


def nearest(word: str, valid: Sequence[str]) -> str:
    """`` Did you mean ...?`` with the nearest valid word, or the list of valid words."""
    close = difflib.get_close_matches(word, valid, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"expected one of: {', '.join(sorted(valid))}."


def build(cls: type[T], tree: Mapping[str, Any], where: str, prefix: str) -> T:
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in tree.items():
        if key not in fields:
            raise UserError(f"{where}: unknown key {prefix + str(key)!r}; {nearest(str(key), list(fields))}")
        hint, name = hints[key], prefix + key
        if dataclasses.is_dataclass(hint):
            if value is None:
                value = {}
            if not isinstance(value, Mapping):
                raise UserError(f"{where}: {name} is {value!r}, expected a section of keys.")
            values[key] = build(typing.cast(type, hint), value, where, name + ".")
        else:
            values[key] = _check(value, hint, fields[key].metadata, where, name)
    return cls(**values)


def _check(value: Any, hint: Any, metadata: Mapping[str, Any], where: str, name: str) -> Any:
    optional = isinstance(hint, types.UnionType)
    if optional:
        if value is None:
            return None
        hint = next(h for h in typing.get_args(hint) if h is not type(None))
    origin = typing.get_origin(hint) or hint
    if origin is float and isinstance(value, str):
        value = _float(value)  # YAML 1.1 reads 1e-3 as a word
    if origin is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, origin) or (isinstance(value, bool) and origin is not bool):
        raise UserError(f"{where}: {name} is {value!r}, expected {_words(origin)}.")
    if origin is list:
        _check_list(value, hint, where, name)
    if metadata.get("choices") and value not in metadata["choices"]:
        raise UserError(f"{where}: {name} is {value!r}, expected one of: {', '.join(metadata['choices'])}.")
    if origin in (int, float) and not metadata.get("low", -math.inf) <= value <= metadata.get("high", math.inf):
        raise UserError(f"{where}: {name} is {value!r}, expected {_range(metadata)}.")
    return value


def _check_list(value: list[Any], hint: Any, where: str, name: str) -> None:
    item = typing.get_args(hint)[0]
    if item is str and not all(isinstance(v, str) for v in value):
        raise UserError(f"{where}: {name} is {value!r}, expected a list of strings.")
    if item is str:
        return
    for position, critic in enumerate(value):
        if isinstance(critic, str):
            value[position] = critic = {critic: {}}  # a critic with its defaults may be named alone
        if not isinstance(critic, dict) or len(critic) != 1:
            raise UserError(f"{where}: {name}[{position}] is {critic!r}, expected NAME: {{settings}}.")
        settings = next(iter(critic.values()))
        if settings is not None and not isinstance(settings, dict):
            raise UserError(f"{where}: {name}[{position}] is {critic!r}, expected NAME: {{settings}}.")


def _float(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _words(kind: type) -> str:
    names = {int: "a whole number", float: "a number", str: "a string", bool: "true or false", list: "a list"}
    return names.get(kind, kind.__name__)


def _range(metadata: Mapping[str, Any]) -> str:
    low, high = metadata["low"], metadata["high"]
    if high == math.inf:
        return f"{low:g} or more"
    return f"a value from {low:g} to {high:g}"


def knob(default: Any, low: float = -math.inf, high: float = math.inf, choices: tuple[str, ...] = ()) -> Any:
    """A field with a closed range [low, high] or a list of valid words."""
    metadata = {"low": low, "high": high, "choices": choices}
    if isinstance(default, (list, dict)):
        return dataclasses.field(default_factory=lambda: copy.deepcopy(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)
