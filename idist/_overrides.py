"""``--set KEY=VALUE``: one key of a config changed on the command line; and the key ``teacher``, which is several."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from idist._schema import nearest
from idist._yaml import parse_yaml
from idist.errors import UserError

TAUGHT = ("contexts", "pairs", "self_distil")  # sections whose model is the teacher


def with_teacher(tree: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A copy in which the key ``teacher`` has become the ``model`` of those `TAUGHT` sections that do not name one.

    Raises:
        UserError: it is no string.
    """
    tree = dict(tree)
    teacher = tree.pop("teacher", None)
    if teacher is None:
        return tree
    if not isinstance(teacher, str):
        raise UserError(f"{where}: teacher is {teacher!r}, expected a string.")
    for name in TAUGHT:
        section = tree.get(name) or {}
        if isinstance(section, Mapping):
            tree[name] = {"model": teacher, **section}
    return tree


def apply_override(tree: dict[str, Any], override: str, critics: Sequence[Any]) -> None:
    """Set one key of a config's tree, in place.

    Args:
        tree: as read from YAML.
        override: ``pairs.k=50``; a critic's setting by the critic's name: ``pairs.critics.rouge_l.max=0.6``;
            ``teacher=gpt2`` is the model of all `TAUGHT` sections, whatever they named.
        critics: those of `pairs` where the tree lists none.

    Raises:
        UserError: no ``=``, a value that is not YAML, a key below a plain value, a critic that the run does not have.
    """
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise UserError(f"--set {override!r} has no value, expected KEY=VALUE such as pairs.k=50.")
    value = parse_yaml(text, f"--set {override!r}: {text!r}")
    if key.strip() == "teacher":
        for section in TAUGHT:
            apply_override(tree, f"{section}.model={text}", critics)
        return
    *parents, last = key.strip().split(".")
    here: Any = tree
    for depth, part in enumerate(parents):
        if isinstance(here, list):
            here = _critic_named(here, part, override)
            continue
        if part == "critics" and not here.get(part):
            here[part] = _critics_to_change(tree, parents[:depth], critics)
        here = here.setdefault(part, {})
        if here is None or not isinstance(here, (dict, list)):
            raise UserError(f"--set {override!r}: {part!r} is a value, not a section.")
    if isinstance(here, list):
        raise UserError(f"--set {override!r}: name a critic's setting, such as pairs.critics.rouge_l.max=0.6.")
    here[last] = value


def _critics_to_change(tree: dict[str, Any], section: list[str], critics: Sequence[Any]) -> list[Any]:
    """What a critic's setting is changed in where the section lists no critics of its own."""
    pairs: list[Any] = list((tree.get("pairs") or {}).get("critics") or critics)
    if section == ["self_distil"]:
        pairs = [critic for critic in pairs if critic != "diversity" and "diversity" not in critic]
    return copy.deepcopy(pairs)


def _critic_named(critics: list[Any], name: str, override: str) -> dict[str, Any]:
    critics[:] = [{critic: {}} if isinstance(critic, str) else critic for critic in critics]
    for critic in critics:
        if isinstance(critic, dict) and name in critic:
            if critic[name] is None:
                critic[name] = {}
            return critic[name]
    names = [str(key) for critic in critics if isinstance(critic, dict) for key in critic]
    raise UserError(f"--set {override!r}: the run has no critic {name!r}; {nearest(name, names)}")
