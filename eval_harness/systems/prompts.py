"""Prompt files: what a language model that was not trained for the task is asked.

A YAML file has the keys

- ``instruction``: what to do; for chat models the system message.
- ``input``: how an example is shown, with ``{source}`` and, for syntax control, ``{exemplar}``.
- ``output``: what stands before an answer in plain text; chat models are not shown it.
- ``shots``: solved examples, ``source``, ``target`` and, if the input shows one, ``exemplar``; the first so many are
  used. May be left out.

``paraphrase``, ``syntax`` and ``summary`` ship (``eval_harness/prompts``); a file of one's own is named by its path.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from eval_harness.tasks.base import Example
from idist._schema import nearest
from idist.config import read_yaml
from idist.errors import UserError

FOLDER = Path(__file__).resolve().parents[1] / "prompts"
_SLOT = re.compile(r"{(source|exemplar)}")
_KEYS = ("instruction", "input", "output", "shots")


@dataclass(frozen=True)
class Shot:
    """A solved example."""

    source: str
    target: str
    exemplar: str | None = None


@dataclass(frozen=True)
class Prompt:
    """A prompt file's content; see the module."""

    name: str
    instruction: str
    input: str
    output: str
    shots: tuple[Shot, ...]

    def completion(self, example: Example, shots: int) -> str:
        """Plain text for a model that continues texts: instruction, ``shots`` solved examples, the example."""
        solved = [f"{fill(self.input, shot, self.name)}\n{self.output} {shot.target}" for shot in self._first(shots)]
        return "\n\n".join([self.instruction, *solved, f"{fill(self.input, example, self.name)}\n{self.output}"])

    def messages(self, example: Example, shots: int) -> list[dict[str, str]]:
        """Messages for a chat model: ``role`` (system, user, assistant) and ``content``."""
        turns = [{"role": "system", "content": self.instruction}]
        for shot in self._first(shots):
            turns.append({"role": "user", "content": fill(self.input, shot, self.name)})
            turns.append({"role": "assistant", "content": shot.target})
        return [*turns, {"role": "user", "content": fill(self.input, example, self.name)}]

    def digest(self) -> str:
        """16 hexadecimal digits of the content, not of the name."""
        content = {key: value for key, value in asdict(self).items() if key != "name"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def _first(self, shots: int) -> tuple[Shot, ...]:
        if not 0 <= shots <= len(self.shots):
            raise UserError(f"shots is {shots}, expected 0 to {len(self.shots)}: so many has the prompt {self.name!r}.")
        return self.shots[:shots]


def fill(template: str, example: Example | Shot, where: str) -> str:
    """Put ``{source}`` and ``{exemplar}`` in their places; other braces, also in the texts, stay.

    Raises:
        UserError: the template wants an exemplar and the example has none; ``where`` names the template.
    """

    def text(match: re.Match[str]) -> str:
        value = getattr(example, match.group(1))
        if value is None:
            raise UserError(f"Prompt {where!r} shows an exemplar, but the task's examples have none.")
        return str(value)

    return _SLOT.sub(text, template)


@lru_cache(maxsize=64)
def load_prompt(name: str) -> Prompt:
    """A prompt that ships, or that of a YAML file.

    Raises:
        UserError: no such prompt or file, a key that is missing, unknown or of another type, no ``{source}``.
    """
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        shipped = sorted(file.stem for file in FOLDER.glob("*.yaml"))
        if name not in shipped:
            raise UserError(f"Prompt {name!r} does not ship and is no YAML file; {nearest(name, shipped)}")
        path = FOLDER / f"{name}.yaml"
    tree = read_yaml(path)
    if not isinstance(tree, Mapping):
        raise UserError(f"Prompt file {path} holds {type(tree).__name__}, expected the keys {', '.join(_KEYS)}.")
    _check_keys(path, "", tree, required=_KEYS[:3], allowed=_KEYS)
    if "{source}" not in tree["input"]:
        raise UserError(f"Prompt file {path}: input is {tree['input']!r}, expected {{source}} in it.")
    wanted = ("source", "target", "exemplar") if "{exemplar}" in tree["input"] else ("source", "target")
    shots = tree.get("shots") or []
    if not isinstance(shots, list):
        raise UserError(f"Prompt file {path}: shots is {shots!r}, expected a list.")
    for number, shot in enumerate(shots):
        if not isinstance(shot, Mapping):
            raise UserError(f"Prompt file {path}: shots[{number}] is {shot!r}, expected {', '.join(wanted)}.")
        _check_keys(path, f"shots[{number}].", shot, required=wanted, allowed=wanted)
    texts = {key: str(tree[key]).strip() for key in _KEYS[:3]}
    return Prompt(name, **texts, shots=tuple(Shot(**shot) for shot in shots))


def _check_keys(
    path: Path, prefix: str, tree: Mapping[str, Any], required: tuple[str, ...], allowed: tuple[str, ...]
) -> None:
    """Raise UserError for a key that is missing or unknown, or a required one that is no text."""
    for key in tree:
        if key not in allowed:
            raise UserError(f"Prompt file {path}: unknown key {prefix + str(key)!r}; {nearest(str(key), allowed)}")
    for key in required:
        if not isinstance(tree.get(key), str) or not tree[key].strip():
            raise UserError(f"Prompt file {path}: {prefix}{key} is {tree.get(key)!r}, expected a text.")
