"""Metrics of which neither side is the better one (how long an answer is): shown, but neither ranked by nor marked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval_harness import results, validation
from eval_harness.registry import Registry, discover
from eval_harness.report.board import boards
from eval_harness.report.document import Document, Section
from eval_harness.report.html import html
from eval_harness.report.plot_scores import score_picture
from eval_harness.report.tables import compact, markdown
from eval_harness.report.words import notes, ranking
from eval_harness.results import Result
from eval_harness.table import table
from tests.eval_harness.result_files import rewritten, write_result

LENGTHS = {"long": 90.0, "short": 10.0, "middle": 50.0}


@pytest.fixture
def registry() -> Registry:
    return discover()


def written(out: Path, metrics: tuple[str, ...]) -> list[Result]:
    """Three systems whose made-up first score has no direction."""
    found = []
    for name, value in LENGTHS.items():
        predictions = rewritten(5, value / 100)
        result = write_result(out, name, predictions, task="t", metrics=metrics, means={"length": np.full(5, value)})
        meta: dict[str, Any] = json.loads(result.path.read_text())
        meta["scores"] = {"length": {**meta["scores"].pop("length"), "higher_is_better": None}, **meta["scores"]}
        found.append(results.write(result.path, meta, result.rows))
    return found


def test_ranked_by_the_first_score_with_a_better_side(tmp_path: Path, registry: Registry) -> None:
    (board,) = boards(written(tmp_path, ("self_bleu",)), registry)
    assert [column.metric for column in board.columns] == ["length", "self_bleu"]
    assert ranking(board) == "Ranked by self-BLEU"
    assert [(row.label, row.rank) for row in board.rows] == [("short", 1), ("middle", 2), ("long", 3)]
    marks = [[cell.mark for _, cell in board.column(index)] for index in range(2)]
    assert marks == [["", "", ""], ["best", "", ""]]
    shown = compact(board)
    assert "| length |" in " ".join(shown.split()) and "self-BLEU ↓" in shown


def test_nothing_is_ranked_without_any(tmp_path: Path, registry: Registry) -> None:
    found = written(tmp_path, ())
    (board,) = boards(found, registry)
    assert [row.rank for row in board.rows] == [None, None, None]
    assert any("Not ranked: no score has a better side." in note for note in notes(board))
    assert not any("without rank" in note for note in notes(board))
    picture = score_picture(board)
    assert picture is not None and "length: long 90.0 to short 10.0" in picture.alt
    section = Section("t", "", [board], {board.name: [picture]}, {board.name: []}, None)
    document = Document("Title", "Summary", [], [section])
    for text in (markdown(document), compact(board), table(found)):
        assert "length" in text
        assert not any(word in text for word in ("↑", "↓", "(lower)", "**90", "**10"))
    page = html(document)
    assert '<span class="label">length' in page and " is better)" not in page and "(best)" not in page


def test_validate_takes_no_direction_for_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = discover()
    entry = next(entry for entry in known.entries("metric") if entry.name == "rouge_l")
    kind = known.load("metric", "rouge_l")
    monkeypatch.setattr(kind, "higher_is_better", None)
    assert validation.entry_problems(entry, known) == []
    monkeypatch.setattr(kind, "higher_is_better", "up")
    assert "higher_is_better is 'up', expected True, False or None" in validation.entry_problems(entry, known)[0]
