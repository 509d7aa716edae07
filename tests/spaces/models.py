"""A controlled student without a training: the shipped one with a token for each symbol."""

from __future__ import annotations

from pathlib import Path

from idist.controls import Controls
from idist.stages._control_student import prepare_student

PAIRS = [
    ("A man rides a bike.", "In the park, a man rides a bike."),
    ("Two dogs run.", "Two dogs are running through the snow near a fence."),
    ("A girl sings a song.", "A girl sings."),
    ("A cat sleeps.", "A cat is sleeping on a bed."),
]
COMPOSITIONS = {
    "syntax": [{"syntax": {"parser": "embedded:parser"}}],
    "attributes": [{"length_ratio": {"buckets": 2}}],
}


def save_controlled(kind: str, folder: Path) -> str:
    """Gives the student's folder."""
    made = Controls(COMPOSITIONS[kind], "cpu")
    made.learn(made.measure(PAIRS))
    prepare_student("embedded:student", made.to_json(), made.vocabulary(), folder, 0)
    return str(folder / "student")
