"""A few examples with every system's prediction, so that a reader sees what the scores are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval_harness.report.board import Board
from eval_harness.report.text import plain, shorten
from eval_harness.results import Result

SHOWN = 3  # examples a board
LONGEST = 400  # characters of a text that are shown


@dataclass(frozen=True)
class Sample:
    """One example; ``predictions`` has (label of the system, text) in the board's order."""

    id: str
    source: str
    references: list[str]
    exemplar: str | None
    predictions: list[tuple[str, str]]


def samples(board: Board, count: int = SHOWN) -> list[Sample]:
    """``count`` examples evenly spread over the data: chosen by place, not by score, so that none is a showpiece."""
    size = board.about["examples"]
    places = sorted({(2 * place + 1) * size // (2 * count) for place in range(count)}) if size else []
    predictions = [_cells(row.result, places, ["prediction"])["prediction"] for row in board.rows]
    shared = _cells(board.rows[0].result, places, ["id", "source", "references", "exemplar"])
    return [
        Sample(
            id=plain(shared["id"][k]),
            source=_shown(shared["source"][k]),
            references=[_shown(text) for text in shared["references"][k] or []],
            exemplar=None if shared["exemplar"][k] is None else _shown(shared["exemplar"][k]),
            predictions=[(row.label, _shown(texts[k])) for row, texts in zip(board.rows, predictions, strict=True)],
        )
        for k in range(len(places))
    ]


def _cells(result: Result, places: Sequence[int], columns: list[str]) -> dict[str, list]:
    opened = Result(result.path, result.meta)  # its rows are forgotten with it
    cells: dict[str, list] = opened.rows.select(columns).take(list(places)).to_pydict()
    return cells


def _shown(text: str | None) -> str:
    return shorten(plain(text or ""), LONGEST)
