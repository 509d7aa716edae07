"""Which controls there are: name -> ``module:Class``, ours and those of other packages by the same road.

A package adds a control through an entry point of the group ``idist.controls``; a YAML file may also name one as
``package.module:Class``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint
from typing import Any

from idist import _plugins as plugins
from idist._schema import build
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
    """Every registered control by name, built-in ones first; UserError: two have one name."""
    return plugins.available("control", GROUP, BUILT_IN)


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
        name, settings = plugins.named(entry, f"{where}[{position}]")
        if any(control.name == name for control in controls):
            raise UserError(f"{where}[{position}]: {name!r} is named twice, expected each control once.")
        controls.append(_make(name, settings, registered, where))
    if not controls:
        raise UserError(f"{where} is empty, expected at least one of: {', '.join(registered)}.")
    _check_wishes(controls, where)
    plugins.check_models(controls, where)
    return controls


def _make(name: str, settings: Mapping[str, Any], registered: Mapping[str, EntryPoint], where: str) -> Control:
    kind = plugins.load_class(name, registered, "control", Control, where)
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
