"""The recipe of the human evaluation as a person calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval_harness.human.store import Store
from eval_harness.human.study import read_study
from tests.eval_harness.result_files import rewritten, write_result
from tests.small_run import recipe


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with results, a study, and what two people think of it."""
    folder = tmp_path_factory.mktemp("human")
    for name, copied in (("one", 0.2), ("two", 1.0)):
        write_result(folder / "results", name, rewritten(20, copied))
    done = recipe("human_eval", "make", "results", "--items", "5", "--annotators", "2", folder=folder)
    assert done.returncode == 0 and "5 items of scenes, 2 systems" in done.stdout, done.stderr
    study = read_study(folder / "study.json")
    store = Store(folder / "runs" / "annotations", study)
    for person in ("anna", "bert"):
        while (item := store.take(person, 2)) is not None:
            values = {unit: 3 if unit[0] == "one" else 1 for unit in study.units}
            store.save(person, item, values | {("two", "fluency"): 2 if person == "anna" else 3}, done=True)
    return folder


def test_report_and_its_json(made: Path) -> None:
    done = recipe("human_eval", "report", "study.json", "--out", "report.json", folder=made)
    assert done.returncode == 0 and "5 of 5 items, 2 annotators, 60 answers." in done.stdout, done.stderr
    told = json.loads((made / "report.json").read_text())
    assert told["means"]["two"]["fluency"]["value"] == 2.5 and told["means"]["one"]["fluency"]["value"] == 3.0
    assert told["krippendorff_alpha"]["faithfulness"] == 1.0 and told["complete"]
    again = recipe("human_eval", "report", "study.json", "--json", folder=made)
    assert json.loads(again.stdout) == told and "anna" not in again.stdout


def test_export_is_compared_by_the_harness(made: Path) -> None:
    done = recipe("human_eval", "export", "study.json", "--out", "human", folder=made)
    assert done.returncode == 0, done.stderr
    from eval_harness import results
    from eval_harness.comparison import compare
    from eval_harness.registry import discover

    one, two = (results.read(made / "human" / "scenes" / "human" / f"{name}.json") for name in ("one", "two"))
    lines = {line.metric: line for line in compare(one, two, discover(), resamples=200).lines}
    assert lines["human_faithfulness"].paired.difference == 2.0
    assert one.meta["task"]["examples"] == 5 and one.meta["human"]["annotators"] == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["make", "results"], "study.json exists"),
        (["make", "nowhere", "--out", "other.json"], "nowhere does not exist"),
        (["make", "results", "--out", "other.json", "--systems", "thre"], "no result of the system 'thre'"),
        (["make", "results", "--out", "other.json", "--items", "0"], "items is 0"),
        (["report", "none.json"], "none.json does not exist"),
        (["report", "study.json", "--answers", "empty"], "There are no answers to this study in empty"),
        (["report", "results/scenes/paper/one.json"], "no study"),
    ],
)
def test_bad_arguments_are_a_sentence(made: Path, arguments: list[str], said: str) -> None:
    done = recipe("human_eval", *arguments, folder=made)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr
