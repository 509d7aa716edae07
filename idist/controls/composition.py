"""The controls of a student together: what it reads before a source, in training and afterwards.

``control.json`` in the student's folder keeps their settings and what they learned from its training pairs (edges of
buckets, labels, frequent trees), so that nothing else is needed to ask it for something.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from idist._schema import nearest
from idist.controls.base import Control, Failure
from idist.controls.parsing import Parsers
from idist.controls.registry import build_controls
from idist.controls.wishes import Wish
from idist.errors import UserError

CONTROLS_FILE = "control.json"
VERSION = 1  # of the form of codes: raised when a student of before would not understand them


class Controls:
    """A composition of controls.

    Args:
        composition: ``[{name: settings}, ...]`` as in a run's YAML; codes stand in this order.
        device: of the parsers.
        where: what to call the composition in messages.

    Raises:
        UserError: see `registry.build_controls`; two controls have a symbol in common.
    """

    def __init__(
        self,
        composition: Sequence[Mapping[str, Mapping[str, Any] | None]],
        device: str = "auto",
        where: str = "control.controls",
    ) -> None:
        self.controls = build_controls(composition, where)
        self._named = [entry if isinstance(entry, str) else str(next(iter(entry))) for entry in composition]
        self.parsers = Parsers(device)

    @property
    def names(self) -> list[str]:
        """Names in order: the columns of the table `control`."""
        return [control.name for control in self.controls]

    def measure(self, pairs: Sequence[tuple[str, str]]) -> dict[str, list[Any]]:
        """Control -> value or `Failure` of each pair."""
        return {control.name: control.measure(pairs, self.parsers) for control in self.controls}

    def learn(self, values: Mapping[str, Iterable[Any]]) -> None:
        """Give each control all its values of a dataset, in the order of `names`.

        Raises:
            UserError: a control that cannot make codes of them.
        """
        for control in self.controls:
            control.learn(values[control.name])

    def prefix(self, values: Mapping[str, Any]) -> str:
        """What stands before a source whose pair has these values; a control without a value is left out."""
        symbols = self.symbols(values)
        return "".join(symbols) + " " if symbols else ""  # the space parts them from the source

    def symbols(self, values: Mapping[str, Any]) -> list[str]:
        """The symbols of `prefix`: as many tokens of the student."""
        return [s for c in self.controls if values.get(c.name) is not None for s in c.symbols(values[c.name])]

    def vocabulary(self) -> list[str]:
        """All symbols, each to be one token of the student.

        Raises:
            UserError: two controls have one in common.
        """
        owner: dict[str, str] = {}
        for control in self.controls:
            for symbol in control.vocabulary():
                if owner.setdefault(symbol, control.name) != control.name:
                    raise UserError(f"The controls {owner[symbol]} and {control.name} both have the symbol {symbol!r}.")
        return list(owner)

    def check(self, kinds: Iterable[str]) -> None:
        """Raises UserError for a kind of wish that none of the controls understands; the valid ones are named."""
        for kind in kinds:
            self._owner(kind)

    def wanted(self, wishes: Sequence[Wish]) -> list[dict[str, Any] | Failure]:
        """Control -> what is wanted of it, for each wish; a `Failure` where a wish has no code.

        Equal wishes are looked up once, and exemplars are parsed together.

        Raises:
            UserError: a kind of wish that none of the controls understands.
        """
        wanted: dict[tuple[str, str], Any] = {}
        for kind in dict.fromkeys(kind for wish in wishes for kind in wish):
            values = list(dict.fromkeys(wish[kind] for wish in wishes if kind in wish))
            found = self._owner(kind).wanted(kind, values, self.parsers)
            wanted |= {(kind, value): one for value, one in zip(values, found, strict=True)}
        return [self._by_control(wish, wanted) for wish in wishes]

    def prefixes(self, wishes: Sequence[Wish]) -> list[str | Failure]:
        """What stands before the source of each wish, "" for an empty one; a `Failure` where a wish has no code.

        Raises:
            UserError: as `wanted`.
        """
        return [one if isinstance(one, Failure) else self.prefix(one) for one in self.wanted(wishes)]

    def apart(self, wanted: Sequence[Mapping[str, Any]], pairs: Sequence[tuple[str, str]]) -> list[float]:
        """How far each written (source, text) is from what was wanted (see `wanted`); infinite where it cannot be told.

        Distances of several controls are added up.
        """
        sums = [0.0] * len(pairs)
        for control in self.controls:
            rows = [row for row, wish in enumerate(wanted) if control.name in wish]
            values = control.measure([pairs[row] for row in rows], self.parsers) if rows else []
            for row, value in zip(rows, values, strict=True):
                failed = isinstance(value, Failure)
                sums[row] += math.inf if failed else control.apart(wanted[row][control.name], value)
        return sums

    def inputs(self, sources: Sequence[str], wishes: Sequence[Wish]) -> list[str | Failure]:
        """What the student reads: each source with what is wished for it; a `Failure` where a wish has no code.

        Raises:
            UserError: as `prefixes`.
        """
        both = zip(self.prefixes(wishes), sources, strict=True)
        return [prefix if isinstance(prefix, Failure) else prefix + source for prefix, source in both]

    def input(self, source: str, wish: Wish) -> str:
        """`inputs` of one source.

        Raises:
            UserError: as `inputs`, and for a wish without a code.
        """
        [text] = self.inputs([source], [wish])
        if isinstance(text, Failure):
            raise UserError(text.reason)
        return text

    def describe(self) -> list[str]:
        """What can be asked for, a line each, for people."""
        return [line for control in self.controls for line in control.describe()]

    def to_json(self) -> str:
        """Text of ``control.json``."""
        controls = []
        for name, control in zip(self._named, self.controls, strict=True):
            settings = dataclasses.asdict(control)  # type: ignore[call-overload]  # the registry takes dataclasses only
            told = {"name": name, "settings": settings, "known": control.known(), "vocabulary": control.vocabulary()}
            controls.append(told)
        return json.dumps({"version": VERSION, "controls": controls}, indent=1, ensure_ascii=False) + "\n"

    def _owner(self, kind: str) -> Control:
        owners = {wish: control for control in self.controls for wish in control.wishes}
        if kind not in owners:
            raise UserError(f"This student knows no control {kind!r}; {nearest(kind, list(owners))}")
        return owners[kind]

    def _by_control(self, wish: Wish, wanted: Mapping[tuple[str, str], Any]) -> dict[str, Any] | Failure:
        asked: dict[str, str] = {}
        found: dict[str, Any] = {}
        for kind, value in wish.items():
            owner, one = self._owner(kind).name, wanted[kind, value]
            if owner in found:
                return Failure(f"{asked[owner]} and {kind} are two wishes for {owner}, expected one.")
            if isinstance(one, Failure):
                return one
            asked[owner], found[owner] = kind, one
        return found


def load_controls(model: str, device: str = "auto", parser: str | None = None) -> Controls:
    """The controls that a student was trained with, from its ``control.json``.

    Args:
        model: folder or Hub id of the student.
        device: of the parsers.
        parser: another one than the control was trained with, where that is not at hand.

    Raises:
        UserError: the student has no ``control.json``, or one that cannot be read.
    """
    path = controls_path(model)
    if path is None:
        raise UserError(f"Model {model!r} has no {CONTROLS_FILE}: it was trained without controls.")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}.") from None
    return read_controls(text, str(path), device, parser)


def read_controls(text: str, where: str, device: str = "auto", parser: str | None = None) -> Controls:
    """`Controls.to_json` back.

    Args:
        where: what to call the text in messages.
        device, parser: as `load_controls`.

    Raises:
        UserError: it is something else.
    """
    try:
        told = json.loads(text)
        if told["version"] != VERSION:
            raise ValueError(f"version {told['version']!r}, expected {VERSION}")
        settings = [(str(one["name"]), dict(one["settings"])) for one in told["controls"]]
        for _, own in settings:
            if parser is not None and "parser" in own:
                own["parser"] = parser
        made = Controls([{name: own} for name, own in settings], device, where)
        for control, one in zip(made.controls, told["controls"], strict=True):
            control.recall(one["known"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{where} is not the controls of a student: {type(error).__name__}: {error}.") from None
    return made


def controls_path(model: str) -> Path | None:
    """Where a student's ``control.json`` lies; None if it has none.

    Raises:
        UserError: there is no such model.
    """
    from idist.models import is_seq2seq, resolve

    place, revision = resolve(model)
    if Path(place).is_dir():
        path = Path(place) / CONTROLS_FILE
        return path if path.is_file() else None
    from transformers.utils import cached_file

    try:
        found = cached_file(place, CONTROLS_FILE, revision=revision, _raise_exceptions_for_missing_entries=False)
    except OSError:  # nothing of it is there, or nothing but this file is missing and the Hub out of reach
        is_seq2seq(model)
        return None
    return Path(found) if found else None
