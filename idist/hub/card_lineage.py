"""The readable form of ``lineage.json``: what templates print of models, inputs, stages, libraries and hardware.

A lineage may come from an older toolkit: whatever it does not have is left out, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from idist.hub.card_metadata import hub_id
from idist.hub.card_text import code, number

HUB = "https://huggingface.co"
_PIN = 12  # characters of a commit that a reader sees; the link and lineage.json have all


@dataclass(frozen=True)
class Source:
    """A model or an input. `roles`: what it did, joined. `text`: Markdown: name and version, linked to its page."""

    roles: str
    text: str


@dataclass(frozen=True)
class Stage:
    """A finished stage. `made`: its counts as ``600 contexts, 19,177 sentences, kept step 44``."""

    name: str
    made: str
    seconds: float | None
    fingerprint: str


def sources(entries: list[dict[str, Any]], kind: str = "model") -> list[Source]:
    """``lineage["models"]`` or ``lineage["inputs"]``; one line for what served in several roles."""
    roles: dict[str, list[str]] = {}
    for entry in entries:
        text = reference(
            entry.get("name", ""), entry.get("revision"), entry.get("weights") or entry.get("sha256"), kind
        )
        roles.setdefault(text, []).append(_role(str(entry.get("role", ""))))
    return [
        Source(", ".join(code(role) for role in dict.fromkeys(names) if role), text) for text, names in roles.items()
    ]


def _role(key: str) -> str:
    """The config's key in short: ``pairs.critics.entailment.model`` -> ``entailment``, of whichever stage."""
    return key.rpartition(".critics.")[2].removesuffix(".model")


def reference(name: str, revision: str | None = None, fingerprint: str | None = None, kind: str = "model") -> str:
    """Markdown for a thing at its version: a link to that commit's page, or a name with a fingerprint."""
    bare = hub_id(name)
    if not bare or not revision:
        return f"{code(name)} ({code(fingerprint)})" if fingerprint else code(name)
    place = f"{HUB}/datasets/{bare}" if kind == "dataset" else f"{HUB}/{bare}"
    return f"[{code(bare)}]({place}/tree/{revision}) at {code(revision[:_PIN])}"


def stages(lineage: Mapping[str, Any]) -> list[Stage]:
    """The finished stages in the order of the lineage."""
    found = []
    for name, stage in (lineage.get("stages") or {}).items():
        counts = {**(stage.get("rows") or {}), **(stage.get("counts") or {})}
        made = ", ".join(
            _count(key, value) for key, value in counts.items() if value and isinstance(value, (int, float))
        )
        found.append(Stage(name, made, stage.get("seconds"), str(stage.get("fingerprint") or "")))
    return found


def _count(key: str, value: float) -> str:
    """A number of things (``600 contexts``) or a figure with a name (``kept step 44``)."""
    words = key.replace("_", " ")
    return (
        f"{words} {number(value)}"
        if isinstance(value, float) or words.endswith(" step")
        else f"{number(value)} {words}"
    )


def libraries(lineage: Mapping[str, Any]) -> str:
    """``python 3.11.7, torch 2.13.0, ...``; the toolkit itself is named elsewhere."""
    toolkit = (lineage.get("toolkit") or {}).get("name")
    versions = (lineage.get("libraries") or {}).items()
    return ", ".join(f"{name} {version}" for name, version in versions if name != toolkit)


def hardware(lineage: Mapping[str, Any]) -> str:
    """``Xeon, 2 cores, 8 GiB; NVIDIA A100``; several machines are joined with `` + ``."""
    machines = lineage.get("hardware") or []
    if isinstance(machines, Mapping):
        machines = [machines] if {"cpu", "cores", "memory_mib", "gpu"} & machines.keys() else list(machines.values())
    lines = [_machine(machine) for machine in machines if isinstance(machine, Mapping)]
    return " + ".join(dict.fromkeys(line for line in lines if line))


def _machine(machine: Mapping[str, Any]) -> str:
    cores, memory = machine.get("cores"), machine.get("memory_mib")
    counted = f"{cores} core{'s' if cores != 1 else ''}" if cores else ""
    parts = [machine.get("cpu"), counted, f"{memory / 1024:.0f} GiB" if memory else "", machine.get("gpu")]
    return ", ".join(str(part) for part in parts if part)
