"""The published table of scores, read back: the same boards, and no examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from eval_harness import export
from eval_harness.exported import has_examples, read_table
from eval_harness.registry import discover
from eval_harness.report.board import boards
from eval_harness.report.words import run_row
from eval_harness.results import Result
from idist.errors import UserError
from tests.eval_harness.result_files import rewritten, write_result


@pytest.fixture
def results(tmp_path: Path) -> list[Result]:
    made = []
    for name, copied in (("copy-input", 1.0), ("hf-seq2seq:org/model,num_beams=4", 0.4)):
        means = {"cosine": np.full(8, 70 + 20 * copied)}
        made.append(write_result(tmp_path / "results", name, rewritten(8, copied), metrics=["ibleu"], means=means))
    return made


def published(results: list[Result], folder: Path) -> Path:
    """The table where a release has it."""
    (folder / "data").mkdir(parents=True)
    parquet.write_table(export.table(results), folder / "data" / "train-00000-of-00001.parquet")
    return folder


def test_the_boards_are_the_same_and_there_are_no_examples(results: list[Result], tmp_path: Path) -> None:
    back = read_table(published(results, tmp_path / "release"))
    registry = discover()
    [board], [again] = boards(results, registry), boards(back, registry)
    assert [row.label for row in again.rows] == [row.label for row in board.rows]
    assert [row.cells for row in again.rows] == [row.cells for row in board.rows]
    assert again.columns == board.columns and again.about["fingerprint"] == board.about["fingerprint"]
    assert [run_row(row)[1] for row in again.rows] == [run_row(row)[1] for row in board.rows]
    assert all(map(has_examples, results)) and not any(map(has_examples, back))
    with pytest.raises(UserError, match="lacks its examples"):
        _ = back[0].rows


def test_a_table_of_before_the_metrics_specs_can_be_read(results: list[Result], tmp_path: Path) -> None:
    folder = published(results, tmp_path / "release")
    [file] = (folder / "data").iterdir()
    parquet.write_table(parquet.read_table(file).drop_columns(["metric_spec"]), file)
    assert {score["spec"] for one in read_table(folder) for score in one.meta["scores"].values()} == {"ibleu", "cosine"}


def test_what_is_damaged_is_named(results: list[Result], tmp_path: Path) -> None:
    folder = published(results, tmp_path / "release")
    [file] = (folder / "data").iterdir()
    table = parquet.read_table(file)
    for wrong, said in (
        (table.drop_columns(["signature"]), "lacks the column 'signature'"),
        (table.set_column(table.column_names.index("value"), "value", pa.nulls(len(table))), "scores.*value"),
        (table.set_column(table.column_names.index("settings"), "settings", pa.nulls(len(table))), "expected JSON"),
    ):
        parquet.write_table(wrong, file)
        with pytest.raises(UserError, match=said):
            read_table(folder)
    file.write_text("no parquet")
    with pytest.raises(UserError, match="not parquet"):
        read_table(folder)
    with pytest.raises(UserError, match=r"expected data/\*\.parquet"):
        read_table(tmp_path)
