"""Controls together: prefixes, ``control.json``, wishes, plug-ins, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from idist.controls import CONTROLS_FILE, Control, Controls, Failure, load_controls, parse_wishes
from idist.controls.composition import read_controls
from idist.controls.parsing import Parsers
from idist.errors import UserError

HERE = f"{__name__}"


@dataclass
class Question(Control):
    """Whether y asks."""

    kind: ClassVar[str] = "string"

    def measure(self, pairs: Sequence[tuple[str, str]], parsers: Parsers) -> list[Any]:
        return ["yes" if y.endswith("?") else "no" for _, y in pairs]

    def codes(self) -> list[str]:
        return ["yes", "no"]


PAIRS = [("A man rides a bike.", "A bike?"), ("Two dogs run.", "Two dogs run home."), ("A girl sings.", "A girl.")]


@pytest.fixture
def both() -> Controls:
    made = Controls([{"length_ratio": {"buckets": 2}}, {"lexical_overlap": {"buckets": 2}}], "cpu")
    made.learn(made.measure(PAIRS))
    return made


def test_codes_stand_in_the_order_of_the_composition(both: Controls) -> None:
    prefix = "<length_ratio=2><lexical_overlap=1> "
    assert both.prefix({"lexical_overlap": 0.0, "length_ratio": 9.0}) == prefix
    assert both.input("A man.", {"lexical_overlap": "1", "length_ratio": "2"}) == prefix + "A man."
    assert both.input("A man.", {"lexical_overlap": "1"}) == "<lexical_overlap=1> A man."
    assert both.input("A man.", {}) == "A man."
    assert both.prefix({"lexical_overlap": None}) == ""


def test_a_semicolon_within_a_value() -> None:
    assert parse_wishes("exemplar:He left\\; she stayed.") == {"exemplar": "He left; she stayed."}
    with pytest.raises(UserError, match=r"write \\; for a semicolon"):
        parse_wishes("exemplar:He left; she stayed.")


def test_a_batch_keeps_its_rows(both: Controls) -> None:
    inputs = both.inputs(["a", "b", "c"], [{"length_ratio": "1"}, {"length_ratio": "7"}, {}])
    assert inputs[0] == "<length_ratio=1> a" and inputs[2] == "c"
    assert inputs[1] == Failure("length_ratio has no code '7', expected one of: 1, 2.")
    with pytest.raises(UserError, match="has no code '7'"):
        both.input("b", {"length_ratio": "7"})


def test_what_was_written_is_near_or_far(both: Controls) -> None:
    wanted = both.wanted(
        [{"length_ratio": "1", "lexical_overlap": "2"}, {"length_ratio": "1"}, {}, {"length_ratio": "1"}]
    )
    pairs = [("A man rides a bike.", "Rain."), ("A man.", "A man."), ("A man.", "x"), ("", "x")]
    assert both.apart(wanted, pairs) == [1.0, 1.0, 0.0, float("inf")]  # type: ignore[arg-type]


def test_control_json_is_all_that_is_needed(both: Controls, tmp_path: Path) -> None:
    (tmp_path / CONTROLS_FILE).write_text(both.to_json())
    again = load_controls(str(tmp_path), "cpu")
    assert again.describe() == both.describe() and again.vocabulary() == both.vocabulary()
    assert again.prefixes([{"length_ratio": "2"}]) == ["<length_ratio=2> "]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2, "controls": []}', '{"version": 1, "controls": [{}]}'])
def test_another_control_json_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="x.json is not the controls of a student|x.json is empty"):
        read_controls(text, "x.json")


def test_a_student_without_controls(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no control.json: it was trained without controls"):
        load_controls(str(tmp_path))


def test_a_plug_in_is_a_control_like_the_others() -> None:
    made = Controls([{f"{HERE}:Question": {}}, {"length_ratio": {"buckets": 2}}], "cpu")
    made.learn(made.measure(PAIRS))
    assert made.names == ["Question", "length_ratio"]
    assert made.prefix({"Question": "yes"}) == "<Question=yes> "
    assert made.input("Rain.", parse_wishes("Question:no")) == "<Question=no> Rain."
    assert json.loads(made.to_json())["controls"][0]["name"] == f"{HERE}:Question"
    assert read_controls(made.to_json(), "x").input("Rain.", {"Question": "no"}) == "<Question=no> Rain."


@pytest.mark.parametrize(
    ("composition", "said"),
    [
        ([{"sintax": {}}], "unknown control 'sintax'; did you mean 'syntax'?"),
        ([{"syntax": {"depht": 3}}], "unknown key 'syntax.depht'; did you mean 'depth'?"),
        ([{"syntax": {"depth": 9}}], "syntax.depth is 9, expected a value from 2 to 5."),
        ([{"length_ratio": {"buckets": 1}}], "length_ratio.buckets is 1, expected a value from 2 to 100."),
        ([{"length_ratio": {}}, {"length_ratio": {}}], "'length_ratio' is named twice"),
        ([], "is empty, expected at least one of: syntax, length_ratio"),
        ([{"syntax": {"parser": "embedded:parsr"}}], "syntax.parser: Model 'embedded:parsr' does not ship"),
        ([{"json:JSONDecoder": {}}], "is no control"),
        ([{"nowhere:Control": {}}], "cannot be imported"),
    ],
)
def test_compositions_that_are_refused(composition: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(UserError) as refused:
        Controls(composition)
    assert said in str(refused.value) and str(refused.value).startswith("control.controls")


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        ("template:3", {"template": "3"}),
        ("exemplar: Up: it went\\; down.", {"exemplar": "Up: it went; down."}),
        ("length_ratio:1; lexical_overlap:2;", {"length_ratio": "1", "lexical_overlap": "2"}),
        ("tree:(S (: :))", {"tree": "(S (: :))"}),
    ],
)
def test_wishes_as_text(text: str, wishes: dict[str, str]) -> None:
    assert parse_wishes(text) == wishes


@pytest.mark.parametrize(
    ("text", "said"),
    [("template", "has no value"), (":3", "has no value"), ("a:1;a:2", "asked for twice"), (" ; ", "Control is empty")],
)
def test_texts_that_are_no_wishes(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        parse_wishes(text)


def test_an_unknown_kind_of_wish_names_the_valid_ones(both: Controls) -> None:
    with pytest.raises(UserError, match="no control 'length'; did you mean 'length_ratio'"):
        both.prefixes([{"length": "1"}])


def test_two_wishes_for_one_control() -> None:
    made = Controls([{"syntax": {"parser": "embedded:parser"}}], "cpu")
    made.learn({"syntax": ["(S (NP))"]})
    assert isinstance(made.prefixes([{"tree": "(S (NP))", "template": "1"}])[0], Failure)
