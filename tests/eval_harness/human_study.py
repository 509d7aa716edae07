"""A small study and people who rate it, for tests."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval_harness.human.store import Rating, Store
from eval_harness.human.study import Item, Study

QUALITY = {"good": 3, "middling": 2, "bad": 1}


def study(items: int = 6, annotators: int = 2, **changes: Any) -> Study:
    """Three systems; their outputs name neither them nor each other."""
    parts = tuple(
        Item(
            f"item-{n:03}",
            f"Sentence number {n} is about a dog.",
            (f"A dog is what sentence {n} tells of.",),
            None,
            {system: f"Output {value} of sentence {n}." for system, value in QUALITY.items()},
        )
        for n in range(items)
    )
    about = {system: {"name": system, "spec": system, "settings": {}, "fingerprint": "0" * 16} for system in QUALITY}
    task = {"name": "dogs", "purpose": "paraphrase", "origin": "local"}
    told: dict[str, Any] = {"name": "Dogs", "practice": False, "seed": 0, "annotators": annotators, "task": task}
    told |= {"questions": ("fluency", "faithfulness", "dissimilarity"), "systems": about, "items": parts}
    return Study(**told | changes)


def answers(told: Study, values: Mapping[str, int] | int = 2) -> dict[tuple[str, str], int]:
    """An answer to each question of each system: one for all, or one a system."""
    return {(system, name): values if isinstance(values, int) else values[system] for system, name in told.units}


def rated(folder: Path, told: Study, people: int = 2, noise: float = 0.3, seed: int = 0) -> Store:
    """Everything answered by people who mostly see how good a system is."""
    store, draw = Store(folder, told), random.Random(seed)
    for number in range(people):
        while (item := store.take(f"person {number}", people)) is not None:
            seen = answers(told, QUALITY)
            store.save(
                f"person {number}",
                item,
                {unit: draw.randint(1, 3) if draw.random() < noise else value for unit, value in seen.items()},
                done=True,
            )
    return store


def table(rows: str) -> list[Rating]:
    """Ratings from lines, one an annotator, one character an output: a digit, or ``.`` for no answer."""
    return [
        Rating(f"person {who}", f"item-{place:03}", "system", "fluency", int(mark))
        for who, line in enumerate(rows.split())
        for place, mark in enumerate(line)
        if mark != "."
    ]
