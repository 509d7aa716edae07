"""Plug-ins of a run's compositions (critics, controls): name -> ``module:Class``, ours and those of other packages by
the same road, and the checks that need no model."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, TypeVar, cast

from idist._schema import nearest
from idist.errors import UserError

T = TypeVar("T")


class Named(Protocol):
    """A plug-in that loads models."""

    name: str

    def model_names(self) -> dict[str, str]: ...


def available(word: str, group: str, built_in: Sequence[EntryPoint]) -> dict[str, EntryPoint]:
    """Every registered plug-in of a group by name, built-in ones first.

    Args:
        word: what one of them is called: ``critic``.
        group: of the entry points.
        built_in: those that ship.

    Raises:
        UserError: two have one name.
    """
    found: dict[str, EntryPoint] = {}
    for point in (*built_in, *entry_points(group=group)):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            raise UserError(
                f"Two {word}s are called {point.name!r}: {other.value} and {point.value}; "
                "uninstall one of the packages, or ask its author for another name."
            )
    return found


def load_class(name: str, registered: Mapping[str, EntryPoint], word: str, base: type[T], where: str) -> type[T]:
    """The dataclass behind a registered name or ``module:Class``.

    Raises:
        UserError: an unknown name (with the nearest), a module that fails, something else than ``base``.
    """
    if name not in registered and ":" not in name:
        raise UserError(f"{where}: unknown {word} {name!r}; {nearest(name, list(registered))}")
    point = registered.get(name) or EntryPoint(name, name, "")
    try:
        kind = point.load()
    except Exception as error:  # a module of somebody else may fail in any way
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"{where}: {word} {name!r} ({point.value}) cannot be imported: {reason}.") from None
    if not (isinstance(kind, type) and issubclass(kind, base) and dataclasses.is_dataclass(kind)):
        public = f"{base.__module__.rpartition('.')[0]}.{base.__name__}"
        raise UserError(f"{where}: {point.value} is no {word}, expected a dataclass derived from {public}.")
    return cast("type[T]", kind)


def named(entry: Any, where: str) -> tuple[str, Mapping[str, Any]]:
    """Name and settings of one entry of a composition: ``NAME`` or ``{NAME: {settings}}``.

    Raises:
        UserError: it is neither.
    """
    if isinstance(entry, str):
        return entry, {}
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise UserError(f"{where} is {entry!r}, expected NAME: {{settings}}.")
    [(name, settings)] = entry.items()
    if settings is not None and not isinstance(settings, Mapping):
        raise UserError(f"{where} is {entry!r}, expected NAME: {{settings}}.")
    return str(name), settings or {}


def check_models(plugins: Iterable[Named], where: str) -> None:
    """Look for the models that plug-ins name, as far as that needs no network.

    Raises:
        UserError: a shipped model or a folder that is not there.
    """
    from idist.models import resolve

    for plugin in plugins:
        for setting, name in plugin.model_names().items():
            if not name.startswith("stanza:"):
                try:
                    resolve(name)
                except UserError as error:
                    raise UserError(f"{where}.{plugin.name}.{setting}: {error}") from None
