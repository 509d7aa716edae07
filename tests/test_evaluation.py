"""The evaluation at the end of a run: the harness on the run's students, and on a table of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval_harness.results import read
from idist.config import EvaluationConfig, RunConfig
from idist.errors import UserError
from recipes.evaluation import check, evaluate
from tests.stages.student import save_tiny_student

PAIRS = [("A man walks.", "A man is walking."), ("Two dogs run.", "Dogs are running."), ("It rains.", "Rain falls.")]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "Mine.tsv"
    path.write_text("source\ttarget\n" + "".join(f"{x}\t{y}\n" for x, y in PAIRS))
    return path


def _config(table: Path, **more: object) -> RunConfig:
    settings = EvaluationConfig(tasks=[str(table)], metrics=["ibleu", "bleu"], num_beams=2, **more)  # type: ignore[arg-type]
    return RunConfig(device="cpu", evaluation=settings)


def test_a_table_of_ones_own_is_a_task(table: Path, tmp_path: Path) -> None:
    student = Path(save_tiny_student(tmp_path / "run" / "train"))
    training = tmp_path / "training.tsv"
    training.write_text("x\ty\nA man walks.\tSomebody walks.\n")
    done = evaluate(_config(table), [student], training, tmp_path / "evaluation")
    assert [result.meta["system"]["name"] for result in done.results] == ["copy-input", "idist"]
    assert all(result.task == "mine" and result.meta["task"]["examples"] == 3 for result in done.results)
    again = read(done.results[1].path)
    assert again.meta["scores"]["ibleu"]["n"] == 3 and again.meta["system"]["settings"]["num_beams"] == 2
    assert again.meta["decontamination"]["counts"]["source"] == 1
    assert "mine (3 examples, bundled)" in done.table and "iBLEU" in done.table
    # another student in the same place is scored anew, not refused
    save_tiny_student(tmp_path / "run" / "train", seed=1)
    second = evaluate(_config(table), [student], training, tmp_path / "evaluation")
    assert second.results[1].meta["system"]["fingerprint"] != again.meta["system"]["fingerprint"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tasks": ["scene"]}, "did you mean 'scenes'"),
        ({"tasks": ["nowhere.csv"]}, r"nowhere\.csv does not exist"),
        ({"tasks": ["gigaword"]}, "gigaword"),
        ({"metrics": ["ted_3,parsr=x"]}, "did you mean 'parser'"),
        ({"baselines": ["lead:0"]}, "lead|words"),
        ({"tasks": []}, "No task is named"),
    ],
)
def test_mistakes_are_found_before_the_run(settings: dict[str, list[str]], message: str) -> None:
    with pytest.raises(UserError, match=message):
        check(EvaluationConfig(**settings), "cpu")  # type: ignore[arg-type]
