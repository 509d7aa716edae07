"""Many sentences at once: a table in, a table out, a sentence that is wrong noted in its row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from demo.cards import row
from demo.studio import Studio
from idist.errors import UserError

ROWS = 100
CANDIDATES = 3


def rewrite_all(
    studio: Studio, task: str, sentences: Sequence[str], candidates: float, temperature: float
) -> Iterator[list[dict[str, Any]]]:
    """Rows of each sentence in turn: one a candidate, or one with the ``problem``; all have the same columns.

    Raises:
        UserError: no student for the task.
    """
    columns = studio.judges[task].cascade.score_columns if studio.student(task) else []
    empty: dict[str, Any] = {"source": "", "candidate": "", "kept": "", **dict.fromkeys(columns, ""), "problem": ""}
    for sentence in sentences:
        try:
            answer = studio.rewrite(task, sentence, candidates, temperature)
        except UserError as error:
            yield [empty | {"source": sentence[:1000], "problem": str(error)}]
        else:
            yield [empty | row(answer, one) for one in answer["candidates"]]
