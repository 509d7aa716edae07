"""The paper's figures, as data."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from eval_harness.builtin import BUILT_IN
from eval_harness.reported import figures, rows

DATA = Path(os.environ.get("IDIST_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
PAPER = DATA.parent / "paper" / "paper-v4.txt"


def test_every_figure_of_four_tables() -> None:
    counts = {table: sum(figure.table == table for figure in figures()) for table in (2, 4, 5, 8)}
    assert counts == {2: 7 * 3 * 4, 4: 6 * 4, 5: 4 * 5, 8: 8 * 2 * 2}
    assert len(figures()) == sum(counts.values())
    keys = {(figure.table, figure.task, figure.system, figure.metric) for figure in figures()}
    assert len(keys) == len(figures())


def test_names_are_those_of_the_harness() -> None:
    for figure in figures():
        assert figure.task in BUILT_IN["task"]
        assert figure.human == (figure.metric not in BUILT_IN["metric"])
        assert figure.human == figure.metric.startswith("human_")
        assert 1 <= figure.value <= 3 if figure.human else -100 <= figure.value <= 100


def test_rows_of_a_task_are_marked_as_reported() -> None:
    mrpc = rows("mrpc")
    assert all(row.reported and row.table == 2 and row.paper.endswith("arXiv:2305.16635v4") for row in mrpc)
    assert {row.system: row.scores for row in mrpc}["Copy-Input"] == {
        "ibleu": 1.1,
        "bert_ibleu": 0.0,
        "bleu": 44.4,
        "rouge_l": 65.7,
    }
    (impossible,) = [row for row in rows("gigaword") if row.system == "Impossible-T5"]
    assert impossible.scores == {"bertscore": 85.1, "rouge_l": 30.3}
    assert impossible.ratings == {"human_fluent": 2.46, "human_faithful": 2.53, "human_concise": 2.49}
    assert rows("scenes") == [] and figures("scenes") == []
    assert len(rows()) == 7 * 3 + 6 + 4 + 8 * 2


def test_figures_are_the_printed_ones() -> None:
    """Every row's numbers stand in one line of the paper's text, in the table's order."""
    if not PAPER.is_file():
        pytest.skip(f"no copy of the paper at {PAPER}")
    printed = [_numbers(line) for line in PAPER.read_text(encoding="utf-8").splitlines() if "\t" in line]
    whole: dict[tuple[int, str], list[float]] = {}
    for row in rows():  # a line of tables 2 and 8 goes over several tasks
        whole.setdefault((row.table, row.system), []).extend([*row.scores.values(), *row.ratings.values()])
    assert len(whole) == 7 + 6 + 4 + 8
    for key, values in whole.items():
        assert printed.count(values) == 1, key


def _numbers(line: str) -> list[float]:
    """The cells after a line's name, markup of the best and second best taken off."""
    cells = [re.sub(r"</?u>", "", cell).strip() for cell in line.split("\t")[1:]]
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return []
