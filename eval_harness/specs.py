"""Spec strings: ``NAME[:ARG][,key=value...]``, from text to an object and back.

``hf-seq2seq:org/model@main,num_beams=4`` or ``bleu,protocol=standard``. ARG fills the first field of the class and may
hold ``:``, ``/``, ``@`` and ``=``; a comma in ARG or in a value is written ``\\,`` and a backslash before it ``\\\\``.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from idist._schema import nearest
from idist.errors import UserError

T = TypeVar("T")
_TRUTH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@dataclasses.dataclass(frozen=True)
class Spec:
    """A parsed spec; ``str()`` gives the text again. Values are still text; :func:`construct` types them."""

    name: str
    arg: str | None = None
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        head = self.name if self.arg is None else f"{self.name}:{_escape(self.arg)}"
        return ",".join([head, *(f"{key}={_escape(value)}" for key, value in self.settings.items())])


@dataclasses.dataclass(frozen=True)
class Dial:
    """One setting of a class: its type, and the range or words that its field's metadata allows."""

    hint: Any
    required: bool
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def parse(text: str) -> Spec:
    """Text -> Spec.

    Raises:
        UserError: an empty name, a setting without ``=`` or given twice.
    """
    head, *rest = _split(text)
    name, colon, arg = head.partition(":")
    name = name.strip()
    if not name:
        raise UserError(f"Spec {text!r} names nothing, expected NAME, NAME:ARG or NAME,key=value.")
    settings: dict[str, str] = {}
    for part in rest:
        key, equals, value = part.partition("=")
        key = key.strip()
        if not equals or not key:
            raise UserError(rf"Spec {text!r}: {part!r} is no setting, expected key=value (a comma is written \,).")
        if key in settings:
            raise UserError(f"Spec {text!r} gives {key!r} twice, expected each setting once.")
        settings[key] = _unescape(value)
    return Spec(name, _unescape(arg) if colon else None, settings)


def construct(kind: type[T], spec: Spec, defaults: Mapping[str, Any] | None = None) -> T:
    """Make an object of a class from a spec: ARG goes to the first field, values get the types of their fields.

    Args:
        defaults: values for fields that the spec leaves out; those the class does not have are passed over.

    Raises:
        UserError: an unknown setting (with the nearest one), a value of the wrong type or out of range, ARG given
            twice or to a class without fields, a required setting missing, or what the class itself refuses.
    """
    known = dials(kind)
    given = dict(spec.settings)
    if spec.arg is not None:
        if not known:
            raise UserError(f"{str(spec)!r}: {spec.name} takes no argument, found {spec.arg!r} after the colon.")
        first = next(iter(known))
        if first in given:
            raise UserError(f"{str(spec)!r} gives {first!r} twice, after the colon and as a setting.")
        given = {first: spec.arg, **given}
    values: dict[str, Any] = {}
    for key, text in given.items():
        if key not in known:
            settings = nearest(key, list(known)) if known else f"{spec.name} has no settings."
            raise UserError(f"{str(spec)!r}: unknown setting {key!r}; {settings}")
        values[key] = _typed(text, known[key], f"{str(spec)!r}: {key}")
    values = {**{key: value for key, value in (defaults or {}).items() if key in known}, **values}
    missing = [key for key, dial in known.items() if dial.required and values.get(key) in (None, "")]
    if missing:
        example = f"{spec.name}:{missing[0].upper()}" if missing[0] == next(iter(known)) else f"{missing[0]}=..."
        raise UserError(f"{str(spec)!r} lacks {', '.join(missing)}, expected for example {example}.")
    return kind(**values)


def dials(kind: type) -> dict[str, Dial]:
    """Settings of a class in order: a dataclass' fields, or the arguments of another class' constructor."""
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return {f.name: Dial(hints[f.name], _required(f), f.metadata) for f in dataclasses.fields(kind) if f.init}
    if kind.__init__ is object.__init__:  # type: ignore[misc]  # only compared
        return {}
    hints = typing.get_type_hints(kind.__init__)  # type: ignore[misc]
    parameters = list(inspect.signature(kind).parameters.values())
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return {p.name: Dial(hints.get(p.name, str), p.default is p.empty) for p in named}


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _typed(text: str, dial: Dial, where: str) -> Any:
    """Text -> a value of the dial's type, within its range."""
    value = _converted(text, dial.hint, where)
    choices = dial.metadata.get("choices")
    if choices and value not in choices:
        raise UserError(f"{where} is {text!r}, expected one of: {', '.join(map(str, choices))}.")
    low, high = dial.metadata.get("low", -math.inf), dial.metadata.get("high", math.inf)
    if isinstance(value, int | float) and not isinstance(value, bool) and not low <= value <= high:
        allowed = f"{low:g} or more" if high == math.inf else f"a value from {low:g} to {high:g}"
        raise UserError(f"{where} is {text}, expected {allowed}.")
    return value


def _converted(text: str, hint: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        options = [option for option in arguments if option is not type(None)]
        if len(options) < len(arguments) and text.lower() in ("none", "null"):
            return None
        return _first_that_fits(text, options, where)
    if origin is typing.Literal:
        words = {str(word): word for word in arguments}
        if text not in words:
            raise UserError(f"{where} is {text!r}, expected one of: {', '.join(words)}.")
        return words[text]
    if origin in (list, tuple):  # items are separated by spaces: commas separate settings
        items = [_converted(word, arguments[0] if arguments else str, where) for word in text.split()]
        return origin(items)
    if hint is bool:
        if text.lower() not in _TRUTH:
            raise UserError(f"{where} is {text!r}, expected true or false.")
        return _TRUTH[text.lower()]
    if hint in (int, float):
        try:
            return hint(text)
        except ValueError:
            raise UserError(f"{where} is {text!r}, expected a {'whole ' if hint is int else ''}number.") from None
    return Path(text) if hint is Path else text


def _first_that_fits(text: str, options: list[Any], where: str) -> Any:
    """Text in the first type of a union that takes it; the last one's error if none does."""
    for option in options[:-1]:
        try:
            return _converted(text, option, where)
        except UserError:
            continue
    return _converted(text, options[-1], where)


def _split(text: str) -> list[str]:
    """Cut at commas that no backslash stands before; escapes stay in the parts."""
    parts, start, position = [], 0, 0
    while position < len(text):
        if text[position] == "\\":
            position += 1  # whatever follows is taken as it is
        elif text[position] == ",":
            parts.append(text[start:position])
            start = position + 1
        position += 1
    return [*parts, text[start:]]


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,")


def _unescape(text: str) -> str:
    r"""``\,`` -> ``,`` and ``\\`` -> ``\``; another backslash stays (a Windows path needs no care)."""
    characters, position = [], 0
    while position < len(text):
        if text[position] == "\\" and text[position + 1 : position + 2] in ("\\", ","):
            position += 1
        characters.append(text[position])
        position += 1
    return "".join(characters)
