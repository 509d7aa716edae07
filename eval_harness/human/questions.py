"""What people are asked of each output (paper, appendix D), and the scale of three."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SCALE = (3, 2, 1)  # 3: perfect satisfaction, 1: complete dissatisfaction (paper, table 3)


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        name: in files.
        title: for people, as the paper's tables have it.
        asks: the question itself.
        levels: what each value of `SCALE` says, in its order.
    """

    name: str
    title: str
    asks: str
    levels: tuple[str, str, str]


QUESTIONS = {
    question.name: question
    for question in (
        Question(
            "fluency",
            "Fluent",
            "Is it good English by itself?",
            ("good English", "small mistakes", "hard to read"),
        ),
        Question(
            "faithfulness",
            "Faithful",
            "Does it keep what the source says, and add nothing?",
            ("same content", "a detail differs", "says something else"),
        ),
        Question(
            "dissimilarity",
            "Dissimilar",
            "Is it put differently from the source?",
            ("put differently", "a few words differ", "nearly a copy"),
        ),
        Question(
            "conciseness",
            "Concise",
            "Is it short, with what matters and nothing else?",
            ("short and enough", "some is too much", "as long as before"),
        ),
    )
}
# A summary may leave things out (paper, appendix C), so it is faithful in another sense.
FAITHFUL_SUMMARY = Question(
    "faithfulness",
    "Faithful",
    "Is all that it says in the source? It may leave things out.",
    ("all in the source", "a detail is wrong", "says something else"),
)
BY_PURPOSE: dict[str, tuple[str, ...]] = {  # purpose of a task -> names of questions
    "paraphrase": ("fluency", "faithfulness", "dissimilarity"),
    "syntax": ("fluency", "faithfulness", "dissimilarity"),
    "summary": ("fluency", "faithfulness", "conciseness"),
}


def asked(names: Sequence[str]) -> list[Question]:
    """The questions of a study, by their names: where conciseness is asked for, outputs may leave things out."""
    short = "conciseness" in names
    return [FAITHFUL_SUMMARY if short and name == "faithfulness" else QUESTIONS[name] for name in names]
