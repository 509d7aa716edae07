"""Which controls there are: name -> ``module:Class``, ours and those of other packages by the same road.

A package adds a control through an entry point of the group ``idist.controls``; a YAML file may also name one as
``package.module:Class``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from idist._schema import build, nearest
from idist.controls.base import Control
from idist.errors import UserError

GROUP = "idist.controls"
BUILT_IN = (
    EntryPoint("syntax", "idist.controls.syntax:Syntax", GROUP),
    EntryPoint("length_ratio", "idist.controls.length_ratio:LengthRatio", GROUP),
    EntryPoint("lexical_overlap", "idist.controls.lexical_overlap:LexicalOverlap", GROUP),
    EntryPoint("syntactic_distance", "idist.controls.syntactic_distance:SyntacticDistance", GROUP),
)


def available() -> dict[str, EntryPoint]:
    """Every registered control by name, built-in ones first.

    Raises:
        UserError: two controls have one name.
    """
    found: dict[str, EntryPoint] = {}
    for point in (*BUILT_IN, *entry_points(group=GROUP)):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            raise UserError(
                f"Two controls are called {point.name!r}: {other.value} and {point.value}; "
                "uninstall one of the packages, or ask its author for another name."
            )
    return found


def build_controls(composition: Sequence[Mapping[str, Mapping[str, Any] | None]], where: str) -> list[Control]:
    """Make and check the controls of a composition, without loading a model.

    Args:
        composition: one mapping ``{name: settings}`` a control; codes are read in this order.
        where: what the composition is a part of, for messages.

    Raises:
        UserError: unknown control or setting (the nearest valid one is named), a value out of range, one control
            twice, none at all, two that understand the same kind of wish, a parser that is not there.
    """
    registered = available()
    controls: list[Control] = []
    for position, entry in enumerate(composition):
        if isinstance(entry, str):
            entry = {entry: {}}
        if not isinstance(entry, Mapping) or len(entry) != 1:
            raise UserError(f"{where}[{position}] is {entry!r}, expected NAME: {{settings}}.")
        [(name, settings)] = entry.items()
        if any(control.name == name for control in controls):
            raise UserError(f"{where}[{position}]: {name!r} is named twice, expected each control once.")
        controls.append(_make(str(name), settings or {}, registered, where))
    if not controls:
        raise UserError(f"{where} is empty, expected at least one of: {', '.join(registered)}.")
    _check_wishes(controls, where)
    _check_parsers(controls, where)
    return controls


def _make(name: str, settings: Mapping[str, Any], registered: Mapping[str, EntryPoint], where: str) -> Control:
    if name not in registered and ":" not in name:
        raise UserError(f"{where}: unknown control {name!r}; {nearest(name, list(registered))}")
    point = registered.get(name) or EntryPoint(name, name, GROUP)
    try:
        kind = point.load()
    except Exception as error:  # a module of somebody else may fail in any way
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"{where}: control {name!r} ({point.value}) cannot be imported: {reason}.") from None
    if not (isinstance(kind, type) and issubclass(kind, Control) and dataclasses.is_dataclass(kind)):
        raise UserError(
            f"{where}: {point.value} is no control, expected a dataclass derived from idist.controls.Control."
        )
    try:
        control = build(kind, settings, where, f"{name}.")
    except TypeError as error:  # a setting without a default was not given
        raise UserError(f"{where}: control {name!r} cannot be made: {error}.") from None
    control.name = name.rpartition(":")[2]
    return control


def _check_wishes(controls: Sequence[Control], where: str) -> None:
    owner: dict[str, str] = {}
    for control in controls:
        for kind in control.wishes:
            if owner.setdefault(kind, control.name) != control.name:
                raise UserError(
                    f"{where}: both {owner[kind]} and {control.name} are asked for as {kind!r}, expected one of them."
                )


def _check_parsers(controls: Sequence[Control], where: str) -> None:
    """As far as that needs no network."""
    from idist.models import resolve

    for control in controls:
        for setting, name in control.model_names().items():
            if not name.startswith("stanza:"):
                try:
                    resolve(name)
                except UserError as error:
                    raise UserError(f"{where}.{control.name}.{setting}: {error}") from None
