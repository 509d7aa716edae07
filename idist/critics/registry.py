"""Which critics there are: name -> ``module:Class``, ours and those of other packages by the same road.

A package adds a critic through an entry point of the group ``idist.critics``; a YAML file may also name one as
``package.module:Class``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from idist._schema import build, nearest
from idist.critics.base import Critic
from idist.errors import UserError

GROUP = "idist.critics"
BUILT_IN = (
    EntryPoint("length_ratio", "idist.critics.length_ratio:LengthRatio", GROUP),
    EntryPoint("numbers", "idist.critics.numbers:Numbers", GROUP),
    EntryPoint("rouge_l", "idist.critics.rouge_l:RougeL", GROUP),
    EntryPoint("similarity", "idist.critics.similarity:Similarity", GROUP),
    EntryPoint("tree_edit_distance", "idist.critics.tree_edit_distance:TreeEditDistance", GROUP),
    EntryPoint("entailment", "idist.critics.entailment:Entailment", GROUP),
    EntryPoint("diversity", "idist.critics.diversity:Diversity", GROUP),
)


def available() -> dict[str, EntryPoint]:
    """Every registered critic by name, built-in ones first.

    Raises:
        UserError: two critics have one name.
    """
    found: dict[str, EntryPoint] = {}
    for point in (*BUILT_IN, *entry_points(group=GROUP)):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            raise UserError(
                f"Two critics are called {point.name!r}: {other.value} and {point.value}; "
                "uninstall one of the packages, or ask its author for another name."
            )
    return found


def build_critics(composition: Sequence[Mapping[str, Mapping[str, Any] | None]], where: str) -> list[Critic]:
    """Make and check the critics of a composition, without loading a model.

    Args:
        composition: one mapping ``{name: settings}`` a critic.
        where: what the composition is a part of, for messages.

    Raises:
        UserError: everything that is wrong, in one message: unknown critics or settings with the nearest valid one,
            values out of range, floors stricter than their thresholds, one critic twice, models that do not exist.
    """
    registered = available()
    critics: list[Critic] = []
    problems: list[str] = []
    for position, entry in enumerate(composition):
        try:
            name, settings = _entry(entry, f"{where}[{position}]")
            if any(critic.name == name for critic in critics):
                raise UserError(f"{where}[{position}]: {name!r} is named twice, expected each critic once.")
            critics.append(_make(name, settings, registered, where))
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError(" ".join(problems))
    return critics


def check_models(critics: Sequence[Critic], where: str) -> None:
    """Look for the models that critics name, as far as that needs no network.

    Raises:
        UserError: a shipped model or a folder that is not there.
    """
    from idist.models import resolve

    for critic in critics:
        for setting, name in critic.model_names().items():
            if not name.startswith("stanza:"):
                try:
                    resolve(name)
                except UserError as error:
                    raise UserError(f"{where}.{critic.name}.{setting}: {error}") from None


def _entry(entry: Any, where: str) -> tuple[str, Mapping[str, Any]]:
    if isinstance(entry, str):
        return entry, {}
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise UserError(f"{where} is {entry!r}, expected NAME: {{settings}}.")
    [(name, settings)] = entry.items()
    if settings is not None and not isinstance(settings, Mapping):
        raise UserError(f"{where} is {entry!r}, expected NAME: {{settings}}.")
    return str(name), settings or {}


def _make(name: str, settings: Mapping[str, Any], registered: Mapping[str, EntryPoint], where: str) -> Critic:
    kind = _load(name, registered, where)
    try:
        critic = build(kind, settings, where, f"{name}.")
    except TypeError as error:  # a setting without a default was not given
        raise UserError(f"{where}: critic {name!r} cannot be made: {error}.") from None
    critic.name = name
    for bound in critic.bounds():
        if bound.looser(bound.threshold):
            side = "or less" if bound.setting == "min" else "or more"
            raise UserError(
                f"{where}: {name}.{bound.floor_setting} is {bound.floor:g}, stricter than "
                f"{name}.{bound.setting}; expected {bound.threshold:g} {side}."
            )
    return critic


def _load(name: str, registered: Mapping[str, EntryPoint], where: str) -> type[Critic]:
    if name not in registered and ":" not in name:
        raise UserError(f"{where}: unknown critic {name!r}; {nearest(name, list(registered))}")
    point = registered.get(name) or EntryPoint(name, name, GROUP)
    try:
        kind = point.load()
    except Exception as error:  # a module of somebody else may fail in any way
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"{where}: critic {name!r} ({point.value}) cannot be imported: {reason}.") from None
    if not (isinstance(kind, type) and issubclass(kind, Critic) and dataclasses.is_dataclass(kind)):
        raise UserError(f"{where}: {point.value} is no critic, expected a dataclass derived from idist.critics.Critic.")
    return kind
