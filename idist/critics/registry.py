"""Which critics there are: name -> ``module:Class``, ours and those of other packages by the same road.

A package adds a critic through an entry point of the group ``idist.critics``; a YAML file may also name one as
``package.module:Class``. Several critics of one kind get names of their own: ``- toxicity: {kind: classifier, ...}``.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint
from typing import Any

from idist import _plugins as plugins
from idist._schema import build
from idist.critics.base import Critic
from idist.errors import UserError
from idist.rows import COLUMNS

GROUP = "idist.critics"
BUILT_IN = (
    EntryPoint("length_ratio", "idist.critics.length_ratio:LengthRatio", GROUP),
    EntryPoint("numbers", "idist.critics.numbers:Numbers", GROUP),
    EntryPoint("rouge_l", "idist.critics.rouge_l:RougeL", GROUP),
    EntryPoint("similarity", "idist.critics.similarity:Similarity", GROUP),
    EntryPoint("tree_edit_distance", "idist.critics.tree_edit_distance:TreeEditDistance", GROUP),
    EntryPoint("entailment", "idist.critics.entailment:Entailment", GROUP),
    EntryPoint("classifier", "idist.critics.classifier:Classifier", GROUP),
    EntryPoint("perplexity", "idist.critics.perplexity:Perplexity", GROUP),
    EntryPoint("pmi", "idist.critics.pmi:PMI", GROUP),
    EntryPoint("language", "idist.critics.language:Language", GROUP),
    EntryPoint("diversity", "idist.critics.diversity:Diversity", GROUP),
)
_OWN_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)  # it becomes the name of a column


def available() -> dict[str, EntryPoint]:
    """Every registered critic by name, built-in ones first; UserError: two have one name."""
    return plugins.available("critic", GROUP, BUILT_IN)


def build_critics(composition: Sequence[Mapping[str, Mapping[str, Any] | None]], where: str) -> list[Critic]:
    """Make and check the critics of a composition, without loading a model.

    Args:
        composition: one mapping ``{name: settings}`` a critic. A critic may have a name of its own, if its settings
            say in ``kind`` which one it is: two of a kind then differ in their names, and so do their score columns.
        where: what the composition is a part of, for messages.

    Raises:
        UserError: everything that is wrong, in one message: unknown critics or settings with the nearest valid one,
            values out of range, floors stricter than their thresholds, one critic twice, two critics with a column of
            one name.
    """
    registered = available()
    critics: list[Critic] = []
    problems: list[str] = []
    for position, entry in enumerate(composition):
        try:
            name, settings = plugins.named(entry, f"{where}[{position}]")
            if any(critic.name == name for critic in critics):
                raise UserError(
                    f"{where}[{position}]: {name!r} is named twice, expected each critic once, or names of their own "
                    f"with the kind in their settings."
                )
            critics.append(_make(name, settings, registered, where))
            _check_columns(critics, where)
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError(" ".join(problems))
    return critics


def _make(name: str, settings: Mapping[str, Any], registered: Mapping[str, EntryPoint], where: str) -> Critic:
    settings = dict(settings)
    kind = plugins.load_class(_kind_of(name, settings, registered, where), registered, "critic", Critic, where)
    fields = dataclasses.fields(kind)
    missing = [
        f.name for f in fields if f.default is f.default_factory is dataclasses.MISSING and f.name not in settings
    ]
    if missing:
        raise UserError(f"{where}: {name}.{missing[0]} is not set, and has no default.")
    critic = build(kind, settings, where, f"{name}.")
    critic.name = name
    for bound in critic.bounds():
        if bound.looser(bound.threshold):
            side = "or less" if bound.setting == "min" else "or more"
            raise UserError(
                f"{where}: {name}.{bound.floor_setting} is {bound.floor:g}, stricter than "
                f"{name}.{bound.setting}; expected {bound.threshold:g} {side}."
            )
    return critic


def _kind_of(name: str, settings: dict[str, Any], registered: Mapping[str, EntryPoint], where: str) -> str:
    """The registered name, or ``module:Class``, of a critic; takes ``kind`` out of its settings."""
    kind = settings.pop("kind", name)
    if kind == name:
        return name
    if not isinstance(kind, str):
        raise UserError(f"{where}: {name}.kind is {kind!r}, expected the name of a critic.")
    if name in registered:
        raise UserError(f"{where}: {name!r} is a critic itself, expected another name for one of kind {kind!r}.")
    if not _OWN_NAME.fullmatch(name):
        raise UserError(f"{where}: {name!r} is no name for a critic, expected letters, digits and underscores.")
    return kind


def _check_columns(critics: Sequence[Critic], where: str) -> None:
    """Raises UserError: a score column of the last critic is one of another critic, or of the tables themselves."""
    *others, last = critics
    taken = {column: critic.name for critic in others for column in critic.columns}
    taken |= dict.fromkeys((*COLUMNS["candidates"], *COLUMNS["pairs"]), "the pairs themselves")
    for column in last.columns:
        if column in taken:
            raise UserError(
                f"{where}: {last.name!r} would write its scores into the column {column!r} of {taken[column]}, "
                "expected another name."
            )
