"""A study: sources with the outputs of several systems, and what is to be asked of them. One JSON file."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval_harness.human.questions import QUESTIONS
from idist._schema import nearest
from idist.engine.shards import write_bytes
from idist.errors import UserError

SCHEMA = 1
ANNOTATORS = 6  # an item (paper, appendix D)
_SHAPE: dict[str, Any] = {
    "name": str,
    "practice": bool,
    "seed": int,
    "annotators": int,
    "questions": list,
    "task": dict,
    "systems": dict,
    "items": list,
}
_ITEM: dict[str, Any] = {"id": str, "source": str, "references": list, "exemplar": (str, type(None)), "outputs": dict}
_WORDS = {str: "a text", bool: "true or false", int: "a whole number", list: "a list", dict: "a section of keys"}


@dataclass(frozen=True)
class Item:
    """One source with every system's output.

    Attributes:
        id: of the example in its task.
        source: what the systems read.
        references, exemplar: of the example; people do not see them.
        outputs: name of a system -> its text.
    """

    id: str
    source: str
    references: tuple[str, ...]
    exemplar: str | None
    outputs: dict[str, str]


@dataclass(frozen=True)
class Study:
    """What is rated, and how often.

    Attributes:
        name: for people; says nothing of systems.
        practice: whether it is for trying the page only.
        seed: of the sample, and of the orders in which outputs and items are shown.
        annotators: wanted for each item.
        questions: names of `QUESTIONS`.
        task: what the harness' results say of the task.
        systems: name -> what the harness' result says of the system.
        items: at least one, ids unique.
    """

    name: str
    practice: bool
    seed: int
    annotators: int
    questions: tuple[str, ...]
    task: dict[str, Any]
    systems: dict[str, dict[str, Any]]
    items: tuple[Item, ...]

    @functools.cached_property
    def by_id(self) -> dict[str, Item]:
        """Item's id -> item."""
        return {item.id: item for item in self.items}

    @functools.cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits of what people rate: questions, sources, systems and outputs. Answers belong to it."""
        rows = [[item.id, item.source, sorted(item.outputs.items())] for item in self.items]
        whole = [list(self.questions), self.seed, rows]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:16]

    @property
    def units(self) -> list[tuple[str, str]]:
        """(system, question) of all answers that one item needs from one person."""
        return [(system, question) for system in self.systems for question in self.questions]


def write_study(path: Path, study: Study) -> None:
    """Write the file, whole or not at all.

    Raises:
        UserError: the disk is full.
    """
    items = [vars(item) | {"references": list(item.references)} for item in study.items]
    names = [name for name in _SHAPE if name not in ("questions", "items")]
    tree = {"schema": SCHEMA, **{name: getattr(study, name) for name in names}}
    tree |= {"questions": list(study.questions), "items": items}
    write_bytes(path, (json.dumps(tree, ensure_ascii=False, indent=1) + "\n").encode())


def read_study(path: str | Path) -> Study:
    """A study from its file, every key checked.

    Raises:
        UserError: no such file, not JSON, another schema; a key that is missing, unknown or of another type; no item,
            an id twice, no system, an item without the output of a system, an unknown question.
    """
    path = Path(path)
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"Study {path} does not exist; recipes/human_eval.py make writes one.") from None
    except OSError as error:
        raise UserError(f"Study {path} cannot be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"Study {path} is damaged: not JSON ({str(error).splitlines()[0]}).") from None
    if not isinstance(tree, dict) or tree.get("schema") != SCHEMA or "items" not in tree:
        found = f"a {type(tree).__name__}"
        if isinstance(tree, dict):
            found = f"schema {tree.get('schema')!r}{'' if 'items' in tree else ' without items'}"
        raise UserError(f"{path} is no study: found {found}, expected schema {SCHEMA} with items.")
    _check({key: value for key, value in tree.items() if key != "schema"}, _SHAPE, f"Study {path}", "")
    _check_lists(tree, f"Study {path}")
    items = tuple(_item(part, number, tree["systems"], path) for number, part in enumerate(tree["items"]))
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise UserError(f"Study {path}: the item {item.id!r} comes a second time.")
        seen.add(item.id)
    parts = {name: tree[name] for name in _SHAPE} | {"items": items, "questions": tuple(tree["questions"])}
    return Study(**parts)


def _check(tree: dict[str, Any], shape: dict[str, Any], where: str, prefix: str) -> None:
    for key in tree:
        if key not in shape:
            raise UserError(f"{where}: unknown key {prefix + str(key)!r}; {nearest(str(key), list(shape))}")
    for key, kind in shape.items():
        if key not in tree:
            raise UserError(f"{where} lacks the key {prefix + key!r}, expected by schema {SCHEMA}.")
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if not isinstance(tree[key], kinds) or (isinstance(tree[key], bool) and bool not in kinds):
            found = repr(tree[key])[:60]
            raise UserError(f"{where}: {prefix + key} is {found}, expected {_WORDS[kinds[0]]}.")


def _check_lists(tree: dict[str, Any], where: str) -> None:
    if not tree["items"] or not tree["systems"] or not tree["questions"]:
        empty = next(key for key in ("items", "systems", "questions") if not tree[key])
        raise UserError(f"{where}: {empty} is empty, expected at least one.")
    for name in tree["questions"]:
        if name not in QUESTIONS:
            raise UserError(f"{where}: unknown question {str(name)[:60]!r}; {nearest(str(name), list(QUESTIONS))}")
    if not 1 <= tree["annotators"] <= 1000:
        raise UserError(f"{where}: annotators is {tree['annotators']}, expected 1 to 1000.")
    for key in ("name", "purpose"):
        if not isinstance(tree["task"].get(key), str):
            raise UserError(f"{where}: task.{key} is {tree['task'].get(key)!r}, expected a text.")
    for name, about in tree["systems"].items():
        if not isinstance(about, dict):
            raise UserError(f"{where}: systems.{name} is {str(about)[:60]!r}, expected a section of keys.")


def _item(part: Any, number: int, systems: dict[str, Any], path: Path) -> Item:
    where, prefix = f"Study {path}", f"items[{number}]."
    if not isinstance(part, dict):
        raise UserError(f"{where}: items[{number}] is {str(part)[:60]!r}, expected a section of keys.")
    _check(part, _ITEM, where, prefix)
    outputs = part["outputs"]
    if outputs.keys() != systems.keys():
        name = min(outputs.keys() ^ systems.keys())
        found = "lacks" if name in systems else "has"
        raise UserError(f"{where}: {prefix}outputs {found} the system {name!r}, expected those of systems.")
    for text in [*outputs.values(), *part["references"]]:
        if not isinstance(text, str):
            raise UserError(f"{where}: {prefix}outputs or references hold {str(text)[:60]!r}, expected texts.")
    order = {system: outputs[system] for system in systems}
    return Item(part["id"], part["source"], tuple(part["references"]), part["exemplar"], order)
