"""Who rates what: orders that tell nothing, names, going back, and everything that may be wrong with an answer."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from eval_harness.human.questions import BY_PURPOSE, FAITHFUL_SUMMARY, QUESTIONS, asked
from eval_harness.human.store import Store
from eval_harness.human.study import write_study
from idist.errors import UserError
from rating import cards
from rating.desk import Desk, View, by_name, letter, person
from rating.guidelines import WORKED, guidelines
from rating.pages.results import results
from rating.practice import practice_study
from rating.settings import find_study, read
from tests.eval_harness.human_study import QUALITY, rated, study

SPACE = Path(__file__).parents[2] / "spaces" / "annotate"
HOSTILE = "<img src=x onerror=alert(1)> ${alert(2)} {{bike}} <script>alert(3)</script>"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    told = study(items=4)
    return Desk(told, Store(tmp_path, told))


def begun(desk: Desk, name: str) -> View:
    view = desk.start(name)
    assert view is not None
    return view


def test_what_a_person_sees_names_no_system_and_is_in_an_order_of_its_own(tmp_path: Path) -> None:
    told = study(items=40, annotators=1)
    desk = Desk(told, Store(tmp_path, told))
    orders = Counter(tuple(desk.order(f"person {n}", "item-001")) for n in range(60))
    orders.update(tuple(desk.order("anna", item.id)) for item in told.items)
    assert len(orders) == 6 and min(orders.values()) > 5
    view = begun(desk, "anna")
    assert not any(system in str(view) for system in QUALITY)
    assert sorted(view.outputs) == sorted(told.by_id[view.item].outputs.values())
    assert begun(Desk(told, desk.store), "anna") == view  # after a restart, too


def test_answers_go_to_the_systems_that_wrote_what_was_shown(desk: Desk) -> None:
    view = begun(desk, "anna")
    values = [[next(value for value in (1, 2, 3) if f"Output {value}" in text)] * 3 for text in view.outputs]
    desk.submit("anna", view.item, values)
    found = desk.store.answers("anna", view.item)
    assert {system: found[system, "fluency"] for system in QUALITY} == QUALITY
    assert desk.progress() == (1, 8)


def test_each_answer_is_kept_before_the_item_is_finished(desk: Desk) -> None:
    view = begun(desk, "anna")
    desk.rate("anna", view.item, 1, 2, 3)
    again = begun(desk, "ANNA ")
    assert again.item == view.item and again.answers[1][2] == 3 and again.finished == 0


def test_back_edit_and_on_again(desk: Desk) -> None:
    first = begun(desk, "anna")
    assert desk.before("anna", first.item) is None
    desk.submit("anna", first.item, [[3, 3, 3]] * 3)
    second = desk.after("anna", first.item)
    assert second is not None and (second.number, second.finished) == (2, 1)
    back = desk.before("anna", second.item)
    assert back is not None and back.item == first.item and back.answers == [[3, 3, 3]] * 3
    desk.submit("anna", back.item, [[1, 3, 3], [3, 3, 3], [3, 3, 3]])
    assert desk.after("anna", back.item) == second and desk.progress()[0] == 1
    for _ in range(3):
        begun(desk, "anna")
        desk.submit("anna", begun(desk, "anna").item, [[2, 2, 2]] * 3)
    assert desk.start("anna") is None
    last = desk.before("anna", "")
    assert last is not None and last.number == 4


def test_two_tabs_of_one_person_are_one_person(desk: Desk) -> None:
    one, other = begun(desk, "anna"), begun(desk, "Anna")
    assert one == other
    desk.submit("anna", one.item, [[1, 1, 1]] * 3)
    desk.submit("Anna", other.item, [[2, 1, 1], [1, 1, 1], [1, 1, 1]])
    assert desk.store.finished() == {one.item: 1}
    assert Counter(desk.store.answers("anna", one.item).values()) == {1: 8, 2: 1}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[3, 3, 3], [3, None, 3], [3, 3, 3]], "Output B, Faithful: there is no answer yet"),
        ([[3, 3, 3], [3, 3, 3], [3, 3, 4]], "Output C, Dissimilar: the answer is '4', expected 1, 2 or 3"),
        ([[3, 3, True], [3, 3, 3], [3, 3, 3]], "Output A, Dissimilar: the answer is 'True'"),
        ([["3<script>", 3, 3], [3, 3, 3], [3, 3, 3]], "Output A, Fluent: the answer is '3<script>'"),
        ([[2.5, 3, 3], [3, 3, 3], [3, 3, 3]], "the answer is '2.5'"),
        ([[3, 3, 3]], "Expected answers to 3 outputs, 3 to each"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(desk: Desk, values: list[list[object]], said: str) -> None:
    view = begun(desk, "anna")
    with pytest.raises(UserError, match=said):
        desk.submit("anna", view.item, values)
    assert desk.store.answers("anna", view.item) == {}
    with pytest.raises(UserError, match="not given to you"):
        desk.submit("bert", view.item, [[3, 3, 3]] * 3)
    with pytest.raises(UserError, match="not given to you"):
        desk.rate("anna", None, 0, 0, 3)


@pytest.mark.parametrize(
    ("name", "said"),
    [("", "is empty"), ("  ", "is empty"), (None, "is empty"), ("x" * 10_000, "10,000 characters"), ("a\x00b", "seen")],
)
def test_a_name_that_is_none_is_told(name: object, said: str) -> None:
    with pytest.raises(UserError, match=said):
        person(name)


@pytest.mark.parametrize("name", ["👩‍🔬 Ada", "שלום עולם", "مریم", HOSTILE[:50], "O'Neill; DROP TABLE seats"])
def test_any_other_name_is_a_person(desk: Desk, name: str) -> None:
    view = begun(desk, name)
    desk.submit(name, view.item, [[3, 3, 3]] * 3)
    assert begun(desk, f" {name} ").number == 2 and begun(desk, "another").number == 1


def test_a_programs_answers_are_by_name() -> None:
    assert by_name([{"b": 1, "a": 2}], ["a", "b"]) == [[2, 1]] and by_name([{"a": 2}], ["a", "b"]) == [[2, None]]
    with pytest.raises(UserError, match="did you mean 'fluency'"):
        by_name([{"fluenci": 1}], ["fluency"])
    with pytest.raises(UserError, match="no list of objects"):
        by_name({"fluency": 1}, ["fluency"])
    assert [letter(n) for n in (0, 25, 26)] == ["A", "Z", "A2"]


def test_strangers_texts_stay_texts() -> None:
    for made in (cards.source(HOSTILE), cards.output(HOSTILE, 0)):
        assert "<img" not in made and "<script" not in made and "${" not in made and "{{" not in made
    assert "wrote nothing" in cards.output(" \n", 3)


def test_every_question_has_a_scale_and_examples_of_each_answer() -> None:
    for questions in BY_PURPOSE.values():
        made = guidelines(questions)
        assert all(question.asks in made for question in asked(questions))
    assert WORKED.keys() == {*QUESTIONS.values(), FAITHFUL_SUMMARY}
    assert FAITHFUL_SUMMARY in asked(BY_PURPOSE["summary"]) and FAITHFUL_SUMMARY not in asked(BY_PURPOSE["paraphrase"])
    assert all([one.value for one in examples] == [3, 2, 1] for examples in WORKED.values())


def test_results_open_when_all_is_rated_or_by_a_code_and_name_nobody(tmp_path: Path, desk: Desk) -> None:
    with pytest.raises(UserError, match="0 of 8 are"):
        results(desk, None, "")
    with pytest.raises(UserError, match="not the code"):
        results(desk, "secret", "secrets")
    with pytest.raises(UserError, match="Nobody has finished"):
        results(desk, "secret", "secret ")
    store = rated(tmp_path / "all", desk.study)
    made = results(Desk(desk.study, store), None, None)
    assert "good" in made and "Krippendorff&#x27;s alpha" in made and "person" not in made


def test_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("STUDY", "ANSWERS", "ANNOTATORS", "BACKUP", "RESULTS_CODE"):
        monkeypatch.delenv(f"IDIST_{variable}", raising=False)
    found = read(SPACE, tmp_path / "runs")
    assert (
        found.study == practice_study() and found.study.practice and found.answers == tmp_path / "runs" / "annotations"
    )
    write_study(tmp_path / "study.json", study())
    monkeypatch.setenv("IDIST_STUDY", str(tmp_path))
    monkeypatch.setenv("IDIST_ANNOTATORS", "4")
    assert read(SPACE, tmp_path).study == study(annotators=4)
    assert study(annotators=4).fingerprint == study().fingerprint
    monkeypatch.setenv("IDIST_ANNOTATORS", "many")
    with pytest.raises(UserError, match="annotators is 'many'"):
        read(SPACE, tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        find_study("study.jsn")


def test_the_practice_study_can_be_rated_with_no_model() -> None:
    told = practice_study()
    assert told.practice and len(told.items) == 8 and len(told.systems) == 4
    assert all(len(set(item.outputs.values())) == 4 for item in told.items)
    assert json.dumps(told.task)
