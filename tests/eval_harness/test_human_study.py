"""Studies: drawn from results, written, read back, and refused with a sentence when something is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eval_harness.human.sample import draw, one_task
from eval_harness.human.study import read_study, write_study
from idist.errors import UserError
from tests.eval_harness.human_study import study
from tests.eval_harness.result_files import rewritten, write_result


def test_a_study_is_a_sample_of_what_the_systems_wrote(tmp_path: Path) -> None:
    results = [write_result(tmp_path, name, rewritten(30, copied)) for name, copied in (("one", 0.2), ("two", 0.9))]
    made = draw(one_task(results), 10, seed=3, references=True)
    assert list(made.systems) == ["one", "two", "reference"] and len(made.items) == 10
    assert (made.annotators, made.questions) == (6, ("fluency", "faithfulness", "dissimilarity"))
    rows = {row["id"]: row for row in results[0].rows.to_pylist()}
    for item in made.items:
        assert item.outputs["one"] == rows[item.id]["prediction"] and item.source == rows[item.id]["source"]
        assert item.outputs["reference"] == rows[item.id]["references"][0]
    assert draw(one_task(results), 10, seed=3, references=True) == made
    other = draw(one_task(results), 10, seed=4)
    assert [item.id for item in other.items] != [item.id for item in made.items]
    write_study(tmp_path / "study.json", made)
    again = read_study(tmp_path / "study.json")
    assert again == made and again.fingerprint == made.fingerprint != other.fingerprint


def test_results_that_do_not_fit_are_told(tmp_path: Path) -> None:
    first = write_result(tmp_path / "a", "one", rewritten(6, 0.2))
    with pytest.raises(UserError, match="different data"):
        one_task([first, write_result(tmp_path / "b", "two", rewritten(5, 0.2))])
    with pytest.raises(UserError, match="two results of one"):
        one_task([first, write_result(tmp_path / "c", "one", rewritten(6, 0.9))])
    with pytest.raises(UserError, match="did you mean 'one'"):
        one_task([first], systems=["on"])
    with pytest.raises(UserError, match="no results of the task 'scenery'; did you mean 'scenes'"):
        one_task([first], task="scenery")
    with pytest.raises(UserError, match="items is 0"):
        draw([first], 0)


CHANGES: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda tree: tree.update(schema=7), "found schema 7"),
    (lambda tree: tree.update(sytems={}), "unknown key 'sytems'; did you mean 'systems'"),
    (lambda tree: tree.pop("seed"), "lacks the key 'seed'"),
    (lambda tree: tree.update(annotators="six"), "annotators is 'six', expected a whole number"),
    (lambda tree: tree.update(annotators=0), "annotators is 0"),
    (lambda tree: tree.update(questions=["fluent"]), "did you mean 'fluency'"),
    (lambda tree: tree.update(items=[]), "items is empty"),
    (lambda tree: tree["items"].append(tree["items"][0]), "comes a second time"),
    (lambda tree: tree["items"][2]["outputs"].pop("bad"), r"items\[2\].outputs lacks the system 'bad'"),
    (lambda tree: tree["items"][1]["outputs"].update(bad=7), r"items\[1\].outputs or references hold '7'"),
    (lambda tree: tree["task"].pop("name"), "task.name is None"),
    (lambda tree: tree["items"].__setitem__(0, "text"), r"items\[0\] is 'text'"),
]


@pytest.mark.parametrize(("change", "said"), CHANGES)
def test_a_damaged_study_is_a_sentence(tmp_path: Path, change: Callable[[dict[str, Any]], Any], said: str) -> None:
    path = tmp_path / "study.json"
    write_study(path, study())
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))
    with pytest.raises(UserError, match=said) as caught:
        read_study(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"), [(b"{", "not JSON"), (b"\xff", "not JSON"), (b"[1]", "no study: found a list")]
)
def test_what_is_no_study_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "study.json").write_bytes(content)
    with pytest.raises(UserError, match=said):
        read_study(tmp_path / "study.json")
    with pytest.raises(UserError, match="does not exist"):
        read_study(tmp_path / "other.json")
