"""What people are asked of each output (paper, appendix D), and the scale of three."""

from __future__ import annotations

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
BY_PURPOSE: dict[str, tuple[str, ...]] = {  # purpose of a task -> names of questions
    "paraphrase": ("fluency", "faithfulness", "dissimilarity"),
    "syntax": ("fluency", "faithfulness", "dissimilarity"),
    "summary": ("fluency", "faithfulness", "conciseness"),
}
